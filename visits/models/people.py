"""Lawyers, their papers, and whom they may visit."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from detention.lifecycle import Moves
from detention.models import Custody, Facility, User


class LawFirm(models.Model):
    """A law firm as its licence names it."""

    name = models.CharField(max_length=200)
    licence_number = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["licence_number"], name="law_firm_licence_unique")
        ]

    def __str__(self) -> str:
        return self.name


class Lawyer(models.Model):
    """A lawyer with a log-in. Nothing can be booked before the papers are accepted."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(User, models.PROTECT, related_name="lawyer")
    firm = models.ForeignKey(LawFirm, models.PROTECT, related_name="lawyers")
    licence_number = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["licence_number"], name="lawyer_licence_unique")
        ]

    def __str__(self) -> str:
        return f"{self.user.name} ({self.licence_number})"


class Credential(models.Model):
    """One paper of a lawyer: what it says, its file, and who compared it with what.

    Made by the lawyer; only its state, the check and the warnings change afterwards.
    """

    class Kind(models.TextChoices):
        PRACTISING = "practising", _("practising certificate")
        FIRM_LETTER = "firm_letter", _("law firm letter")
        POWER = "power", _("power of attorney")
        LEGAL_AID = "legal_aid", _("legal-aid letter")

    class State(models.TextChoices):
        CHECKING = "checking", _("being checked")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        REVOKED = "revoked", _("withdrawn")

    class Source(models.TextChoices):
        REGISTER = "register", _("register")
        OFFICER = "officer", _("officer")

    moves: ClassVar[Moves] = {
        State.CHECKING: {State.ACCEPTED, State.REFUSED},
        State.ACCEPTED: {State.REVOKED},
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    lawyer = models.ForeignKey(Lawyer, models.PROTECT, related_name="credentials")
    kind = models.CharField(max_length=12, choices=Kind)
    number = models.CharField(max_length=60)
    issuer = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_until = models.DateField()  # the last day on which it is valid
    state = models.CharField(max_length=10, choices=State, default=State.CHECKING)
    submitted_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=10, choices=Source, blank=True)
    checked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    # The register was asked and had no entry: an officer must decide.
    silent_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    file_name = models.CharField(max_length=80)  # generated, relative to MEDIA_ROOT
    file_type = models.CharField(max_length=40)
    file_size = models.PositiveIntegerField()  # bytes
    file_sha256 = models.CharField(max_length=64)
    warned_days = models.PositiveSmallIntegerField(null=True, blank=True)  # 14, 3 or 1

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lawyer", "kind", "number"],
                condition=Q(state__in=["checking", "accepted"]),
                name="credential_live_once",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__lte=F("valid_until")), name="credential_dates_in_order"
            ),
            models.CheckConstraint(
                condition=Q(state="checking", checked_at=None)
                | (~Q(state="checking") & Q(checked_at__isnull=False)),
                name="credential_checked_when_decided",
            ),
            models.CheckConstraint(
                condition=~Q(source="officer") | Q(checked_by__isnull=False),
                name="credential_officer_is_named",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"

    @property
    def is_accepted(self) -> bool:
        return self.state == self.State.ACCEPTED


class Case(models.Model):
    """A criminal case, as far as a visit depends on it: stage and kind, nothing else."""

    class Stage(models.TextChoices):
        INVESTIGATION = "investigation", _("investigation")
        PROSECUTION = "prosecution", _("review for prosecution")
        TRIAL = "trial", _("trial")

    class Category(models.TextChoices):
        ORDINARY = "ordinary", _("ordinary")
        STATE_SECURITY = "state_security", _("endangering state security")
        TERRORISM = "terrorism", _("terrorist activities")

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="cases")
    number = models.CharField(max_length=40)
    stage = models.CharField(max_length=14, choices=Stage, default=Stage.INVESTIGATION)
    category = models.CharField(max_length=16, choices=Category, default=Category.ORDINARY)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "number"], name="case_number_unique")
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def needs_permission(self) -> bool:
        """Tell whether a visit needs the investigating body's permission (CPL art. 39(3))."""
        guarded = {self.Category.STATE_SECURITY, self.Category.TERRORISM}
        return self.stage == self.Stage.INVESTIGATION and self.category in guarded


class CaseParty(models.Model):
    """A person in custody who is accused in a case."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="parties")
    custody = models.ForeignKey(Custody, models.PROTECT, related_name="case_parties")

    class Meta:
        verbose_name_plural = "case parties"
        constraints = [
            models.UniqueConstraint(fields=["case", "custody"], name="case_party_unique")
        ]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.custody_id}"


class CaseLink(models.Model):
    """Two cases that belong together; stored once, the smaller id first."""

    first = models.ForeignKey(Case, models.PROTECT, related_name="+")
    second = models.ForeignKey(Case, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="case_link_unique"),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")), name="case_link_smaller_first"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id}–{self.second_id}"


class MandateQuerySet(models.QuerySet["Mandate"]):
    def live(self) -> MandateQuerySet:
        return self.filter(state=Mandate.State.LIVE)


class Mandate(models.Model):
    """A lawyer's right to visit one person in custody; one of at most two defenders' seats.

    Asked by the lawyer with papers; live when all papers are accepted and nobody conflicts.
    """

    class State(models.TextChoices):
        CHECKING = "checking", _("papers being checked")
        CONFLICT = "conflict", _("an officer must decide")
        LIVE = "live", _("can visit")
        REFUSED = "refused", _("refused")
        REVOKED = "revoked", _("ended")

    moves: ClassVar[Moves] = {
        State.CHECKING: {State.CONFLICT, State.LIVE, State.REFUSED, State.REVOKED},
        State.CONFLICT: {State.LIVE, State.REFUSED, State.REVOKED},
        State.LIVE: {State.REVOKED},
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    lawyer = models.ForeignKey(Lawyer, models.PROTECT, related_name="mandates")
    custody = models.ForeignKey(Custody, models.PROTECT, related_name="mandates")
    firm_letter = models.ForeignKey(Credential, models.PROTECT, related_name="+")
    authority = models.ForeignKey(Credential, models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.CHECKING)
    seat = models.PositiveSmallIntegerField(null=True, blank=True)  # 1 or 2 while live
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)

    objects = MandateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lawyer", "custody"],
                condition=Q(state__in=["checking", "conflict", "live"]),
                name="mandate_current_once",
            ),
            # At most two defenders (CPL art. 33): there are only two seats.
            models.UniqueConstraint(
                fields=["custody", "seat"], condition=Q(state="live"), name="mandate_seat_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="live") | (Q(seat__isnull=False) & Q(seat__in=[1, 2])),
                name="mandate_two_seats",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lawyer_id}→{self.custody_id} {self.state}"

    @property
    def is_legal_aid(self) -> bool:
        return self.authority.kind == Credential.Kind.LEGAL_AID


class Permission(models.Model):
    """The investigating body's answer for one mandate; asked at once, due in three days."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        GRANTED = "granted", _("granted")
        REFUSED = "refused", _("refused")

    moves: ClassVar[Moves] = {
        State.ASKED: {State.GRANTED, State.REFUSED},
        State.GRANTED: {State.REFUSED},
    }

    mandate = models.ForeignKey(Mandate, models.PROTECT, related_name="permissions")
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    paper_number = models.CharField(max_length=60, blank=True)
    valid_until = models.DateField(null=True, blank=True)  # the last valid day

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mandate"],
                condition=Q(state__in=["asked", "granted"]),
                name="permission_current_once",
            ),
            models.CheckConstraint(
                condition=~Q(state="granted")
                | (~Q(paper_number="") & Q(valid_until__isnull=False, decided_by__isnull=False)),
                name="permission_granted_on_paper",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mandate_id} {self.state}"

    def is_overdue(self, at: datetime) -> bool:
        return self.state == self.State.ASKED and self.due_at <= at
