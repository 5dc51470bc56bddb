"""Relatives: registration, the request to be linked with a person in custody, the answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from detention import access, audit, events, policy
from detention.errors import Refusal
from detention.identity import (
    digest,
    folded,
    identity_number,
    login_name,
    masked_identity,
    plain_name,
    plain_number,
)
from detention.lifecycle import move
from detention.models import (
    Custody,
    Facility,
    LinkAttempt,
    Relationship,
    Relative,
    Role,
    User,
)
from detention.verbs import assert_in_transaction, verb

TRIES = 5
PAUSE = timedelta(hours=1)

policy.declare(
    "relatives_per_custody",
    _("Relatives linked with one detainee"),
    unit="times",
    default=10,
    low=1,
    high=100,
)


class LoginTaken(Refusal):
    code = "login_taken"
    message = _("An account with these details exists already. Sign in instead.")
    constraint = "relative_identity_unique"


class WeakPassword(Refusal):
    code = "weak_password"
    status = 422
    message = _("This password is too easy to guess. Use at least 8 characters, not a common word.")


class NoSuchPerson(Refusal):
    """One message for every mismatch: it must not tell which half was right."""

    code = "no_such_person"
    status = 404
    message = _("We found nobody with this number and name.")


class TooManyTries(Refusal):
    code = "too_many_tries"
    status = 429
    message = _("Too many tries. Try again in %(minutes)s minutes.")


class AlreadyLinked(Refusal):
    code = "already_linked"
    message = _("You have already asked for this person.")
    constraint = "relationship_live_once"


class TooManyRelatives(Refusal):
    code = "too_many_relatives"
    message = _("No more relatives can be linked with this person. Ask the centre.")


class ReasonMissing(Refusal):
    code = "reason_missing"
    status = 422
    message = _("Write the reason, so that the person knows what to do.")


@verb
def register(
    *, login: str, password: str, name: str, number: str, language: str = "zh-hans", at: datetime
) -> Relative:
    """Create a relative's account from what the person typed.

    number: resident identity number; only a keyed digest and a masked form are stored.
    Refuses BadLogin, BadIdentityNumber, WeakPassword, LoginTaken (one answer for a taken log-in
    and a taken identity).
    """
    login = login_name(login)
    number = identity_number(number)
    name = folded(name)
    try:
        validate_password(password, User(login=login, name=name))
    except ValidationError as error:
        raise WeakPassword(field="password") from error
    if User.objects.filter(login=login).exists():
        raise LoginTaken
    user = User.objects.create_user(login, password, name=name, language=language)
    relative = Relative.objects.create(
        user=user,
        name=name,
        identity_digest=digest(number, purpose="identity"),
        identity_masked=masked_identity(number),
    )
    audit.record("relative.registered", by=user, at=at, subject=relative)
    return relative


@verb
def ask_link(
    relative: Relative, *, number: str, name: str, kind: Relationship.Kind, at: datetime
) -> Relationship:
    """Ask to be linked with the person who has this custody number and name.

    Refuses NoSuchPerson (the wrong try is counted although refused), TooManyTries after five in
    an hour by this account, AlreadyLinked, TooManyRelatives.
    """
    custody_found = find_held(relative.user, number=number, name=name, at=at)
    live = [Relationship.State.REQUESTED, Relationship.State.VERIFIED]
    linked = Relationship.objects.filter(custody=custody_found, state__in=live)
    if linked.filter(relative=relative).exists():
        raise AlreadyLinked
    if linked.count() >= policy.number(custody_found.facility, "relatives_per_custody", at=at):
        raise TooManyRelatives
    relationship = Relationship.objects.create(
        relative=relative, custody=custody_found, kind=kind, requested_at=at
    )
    audit.record(
        "relationship.requested",
        by=relative.user,
        at=at,
        subject=relationship,
        facility=custody_found.facility,
    )
    return relationship


def find_held(user: User, *, number: str, name: str, at: datetime) -> Custody:
    """Lock and return the open custody with this number and name, asked by a relative or lawyer.

    Refuses NoSuchPerson (the wrong try is counted although refused) and TooManyTries after five
    in an hour by this account. Within the caller's transaction.
    """
    assert_in_transaction()
    recent = LinkAttempt.objects.filter(user=user, at__gt=at - PAUSE).order_by("-at")
    if recent.count() >= TRIES:
        waits = recent[TRIES - 1].at + PAUSE - at
        raise TooManyTries(minutes=int(waits.total_seconds() // 60) + 1)
    custody = Custody.objects.open().select_related("detainee").filter(number=plain_number(number))
    match = [c for c in custody if plain_name(c.detainee.name) == plain_name(name)]
    if len(match) != 1:
        raise NoSuchPerson(record=lambda: LinkAttempt.objects.create(user=user, at=at))
    return Custody.objects.locked().select_related("facility").get(pk=match[0].pk)


def waiting(facility: Facility) -> list[Relationship]:
    """Return the requests an officer of the facility must answer, oldest first."""
    return list(
        Relationship.objects.filter(custody__facility=facility, state=Relationship.State.REQUESTED)
        .select_related("relative", "custody__detainee", "custody__cell")
        .order_by("requested_at", "pk")
    )


@verb
def verify(relationship: Relationship, *, by: User, at: datetime) -> Relationship:
    """Confirm that the relative is who they say and may send money.

    Refuses NotAllowed (guard or administrator of the facility), WrongMove. Locks the link.
    """
    return _decide(relationship, Relationship.State.VERIFIED, reason="", by=by, at=at)


@verb
def refuse(relationship: Relationship, *, reason: str, by: User, at: datetime) -> Relationship:
    """Refuse a request with a reason that the relative reads.

    Refuses NotAllowed, ReasonMissing, WrongMove. Locks the link.
    """
    if not reason.strip():
        raise ReasonMissing(field="reason")
    return _decide(relationship, Relationship.State.REFUSED, reason=reason.strip(), by=by, at=at)


@verb
def revoke(relationship: Relationship, *, reason: str, by: User, at: datetime) -> Relationship:
    """End a verified link. Refuses NotAllowed, ReasonMissing, WrongMove. Locks the link."""
    if not reason.strip():
        raise ReasonMissing(field="reason")
    return _decide(relationship, Relationship.State.REVOKED, reason=reason.strip(), by=by, at=at)


def _decide(
    relationship: Relationship, state: Relationship.State, *, reason: str, by: User, at: datetime
) -> Relationship:
    found = (
        Relationship.objects.select_for_update(of=("self",))
        .select_related("custody__facility", "relative__user")
        .get(pk=relationship.pk)
    )
    facility = found.custody.facility
    access.require(by, facility, Role.GUARD, Role.ADMINISTRATOR)
    move(found, state)
    found.reason = reason
    found.decided_by = by
    found.decided_at = at
    found.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    audit.record(f"relationship.{state}", by=by, at=at, subject=found, facility=facility)
    events.announce("relationship_decided", found.pk)
    return found
