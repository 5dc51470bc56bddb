"""Access tokens: issued once, read afresh, ended."""

from datetime import timedelta

import pytest
from django.utils import timezone

from detention import tokens
from detention.errors import NotAllowed
from detention.models import AccessToken, AuditRecord, Role
from tests.factories import FacilityFactory
from tests.situations import officer

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return FacilityFactory()


@pytest.fixture
def administrator(facility):
    return officer(facility, Role.ADMINISTRATOR)


def issued(facility, administrator, **changes):
    details = {
        "name": "book-keeping",
        "expires_at": timezone.now() + timedelta(days=30),
        "by": administrator,
        "at": timezone.now(),
    }
    accountant = officer(facility, Role.FINANCE)
    return tokens.issue(accountant, facility, **{**details, **changes})


def test_a_token_opens_what_its_officer_may_do_and_is_stored_as_a_digest(facility, administrator):
    row, token = issued(facility, administrator)

    grant = tokens.grant(token, at=timezone.now())

    assert grant.user == row.user
    assert (grant.facility, grant.roles) == (facility, {"finance"})
    assert grant.demand(Role.FINANCE, Role.AUDITOR) == facility
    assert token not in str(AccessToken.objects.values_list().get())


def test_a_token_does_not_open_another_role(facility, administrator):
    _row, token = issued(facility, administrator)

    with pytest.raises(NotAllowed):
        tokens.grant(token, at=timezone.now()).demand(Role.GUARD)


@pytest.mark.parametrize("why", ["wrong", "old", "ended", "disabled"])
def test_a_token_opens_nothing_when_it_is(why, facility, administrator):
    row, token = issued(facility, administrator)
    at = timezone.now()
    if why == "wrong":
        token = token[:-1]
    elif why == "old":
        at = row.expires_at
    elif why == "ended":
        tokens.end(row, by=administrator, at=at)
    else:
        row.user.is_active = False
        row.user.save()

    grant = tokens.grant(token, at=at)

    assert grant is None


def test_a_token_ends_with_the_appointment_of_its_officer(facility, administrator):
    row, token = issued(facility, administrator)
    row.user.appointments.update(ends_at=timezone.now())

    grant = tokens.grant(token, at=timezone.now())

    assert grant.roles == frozenset()


def test_only_an_administrator_issues_tokens(facility):
    guard = officer(facility)

    with pytest.raises(NotAllowed):
        issued(facility, guard)

    assert AccessToken.objects.count() == 0


def test_ending_twice_is_refused_and_recorded_once(facility, administrator):
    row, _token = issued(facility, administrator)
    tokens.end(row, by=administrator, at=timezone.now())

    with pytest.raises(tokens.AlreadyEnded):
        tokens.end(row, by=administrator, at=timezone.now())

    assert AuditRecord.objects.filter(action="token.ended").count() == 1
