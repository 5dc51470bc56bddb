from datetime import timedelta

import pytest
from django.utils import timezone

from config.middleware import keep_record
from detention import relatives
from detention.errors import NotAllowed, NotFound
from detention.models import LinkAttempt
from tests import situations as people
from tests.queue import run_queued
from tests.visits import situations
from visits import cases, credentials, mandates
from visits.models import Booking, Case, Credential, Mandate, Notice, Permission, Request

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return situations.visiting_facility(rooms=2)


def _asked(held, lawyer=None, authority=None):
    lawyer = lawyer or situations.lawyer_with_papers()
    return mandates.ask(
        lawyer,
        number=held.number,
        name=held.detainee.name,
        firm_letter=situations.accepted_paper(lawyer, Credential.Kind.FIRM_LETTER),
        authority=authority or situations.accepted_paper(lawyer, Credential.Kind.POWER),
        at=timezone.now(),
    )


def _case(facility, *held, category=Case.Category.ORDINARY, number="C1"):
    guard = people.officer(facility)
    case = cases.record(
        facility,
        number=number,
        stage=Case.Stage.INVESTIGATION,
        category=category,
        by=guard,
        at=timezone.now(),
    )
    for one in held:
        cases.add_party(case, one, by=guard, at=timezone.now())
    return case


def _state(row):
    row.refresh_from_db()
    return row.state


def test_a_mandate_goes_live_when_all_three_papers_are_accepted(facility):
    mandate = _asked(people.held_person(facility))

    run_queued()

    assert (_state(mandate), mandate.seat) == ("live", 1)
    assert [notice.code for notice in mandate.lawyer.notices.all()] == ["mandate_live"]


def test_a_mandate_waits_for_a_paper_that_is_still_compared(facility):
    lawyer = situations.lawyer_with_papers()
    Credential.objects.filter(lawyer=lawyer).update(state="checking", checked_at=None, source="")
    practising = Credential.objects.get(lawyer=lawyer)
    mandate = _asked(people.held_person(facility), lawyer)
    run_queued()
    before = _state(mandate)

    credentials.accept(
        practising, facility=facility, by=people.officer(facility), at=timezone.now()
    )
    run_queued()

    assert (before, _state(mandate)) == ("checking", "live")


def test_a_refused_paper_refuses_the_mandate(facility):
    lawyer = situations.lawyer_with_papers()
    power = situations.accepted_paper(lawyer, Credential.Kind.POWER)
    Credential.objects.filter(pk=power.pk).update(state="refused")
    mandate = _asked(people.held_person(facility), lawyer, authority=power)

    run_queued()

    assert _state(mandate) == "refused"


def test_asking_for_an_unknown_person_gives_one_message_and_is_counted(facility):
    held = people.held_person(facility)
    lawyer = situations.lawyer_with_papers()
    letter = situations.accepted_paper(lawyer, Credential.Kind.FIRM_LETTER)
    power = situations.accepted_paper(lawyer, Credential.Kind.POWER)
    texts = set()

    for number, name in [(held.number, "李四"), ("X1", held.detainee.name)]:
        with pytest.raises(relatives.NoSuchPerson) as caught:
            mandates.ask(
                lawyer,
                number=number,
                name=name,
                firm_letter=letter,
                authority=power,
                at=timezone.now(),
            )
        keep_record(caught.value)
        texts.add(caught.value.text())

    assert len(texts) == 1
    assert (Mandate.objects.count(), LinkAttempt.objects.count()) == (0, 2)


def test_another_lawyers_papers_are_refused(facility):
    held = people.held_person(facility)
    foreign = situations.accepted_paper(situations.lawyer_with_papers(), Credential.Kind.POWER)

    with pytest.raises(mandates.PapersMixedUp):
        _asked(held, authority=foreign)

    assert Mandate.objects.count() == 0


def test_a_third_defender_waits_for_an_officer_and_cannot_be_cleared(facility):
    held = people.held_person(facility)
    for _ in range(2):
        situations.live_mandate(facility, held=held)
    third = _asked(held)
    run_queued()

    with pytest.raises(mandates.TooManyDefenders):
        mandates.clear(third, by=people.officer(facility), at=timezone.now())

    assert _state(third) == "conflict"
    assert Mandate.objects.live().filter(custody=held).count() == 2


def test_one_lawyer_for_co_accused_waits_for_an_officer(facility):
    one, other = (people.held_person(facility) for _ in range(2))
    _case(facility, one, other)
    lawyer = situations.lawyer_with_papers()
    first = situations.live_mandate(facility, held=one, lawyer=lawyer)
    second = _asked(other, lawyer)

    run_queued()

    assert _state(second) == "conflict"
    assert mandates.conflicts(second) == [first]
    assert not lawyer.notices.exists()


def test_one_lawyer_for_linked_cases_waits_for_an_officer(facility):
    one, other = (people.held_person(facility) for _ in range(2))
    guard = people.officer(facility)
    cases.link(
        _case(facility, other, number="C2"),
        _case(facility, one, number="C1"),
        by=guard,
        at=timezone.now(),
    )
    lawyer = situations.lawyer_with_papers()
    situations.live_mandate(facility, held=one, lawyer=lawyer)
    second = _asked(other, lawyer)
    run_queued()
    before = _state(second)

    mandates.clear(second, by=guard, at=timezone.now())

    assert (before, _state(second), second.decided_by) == ("conflict", "live", guard)


def test_a_conflict_is_cleared_only_by_an_officer_of_the_facility(facility):
    held = people.held_person(facility)
    for _ in range(2):
        situations.live_mandate(facility, held=held)
    third = _asked(held)
    run_queued()
    stranger = people.officer(situations.visiting_facility(rooms=1, days=1))

    with pytest.raises(NotAllowed):
        mandates.clear(third, by=stranger, at=timezone.now())

    assert _state(third) == "conflict"


def test_the_detainee_ends_a_mandate_and_its_visit_is_cancelled(facility):
    [slot, *_] = situations.slots_of(facility)
    booking = situations.booked_visit(slot)
    mandate = booking.request.mandate

    mandates.revoke(mandate, by=booking.request.custody, at=timezone.now())
    run_queued()

    assert (_state(mandate), _state(booking), _state(booking.request)) == (
        "revoked",
        "cancelled",
        "ended",
    )
    assert Notice.objects.filter(lawyer=mandate.lawyer, code="cancelled").count() == 1


def test_another_detainee_cannot_end_a_mandate(facility):
    mandate = situations.live_mandate(facility)

    with pytest.raises(NotFound):
        mandates.revoke(mandate, by=people.held_person(facility), at=timezone.now())

    assert _state(mandate) == "live"


def test_a_guarded_case_needs_permission_before_a_time_can_be_chosen(facility):
    held = people.held_person(facility)
    _case(facility, held, category=Case.Category.TERRORISM)
    mandate = situations.live_mandate(facility, held=held)
    now = timezone.now()
    cases.ask_permission(mandate, at=now)
    request = situations.ready_request(facility, mandate=mandate, at=now)
    before = (request.state, request.due_at)

    permission = Permission.objects.get(mandate=mandate)
    cases.grant(
        permission,
        paper_number="P1",
        valid_until=(now + timedelta(days=90)).date(),
        by=people.officer(facility),
        at=now + timedelta(hours=5),
    )
    run_queued()

    request.refresh_from_db()
    assert before == ("needs_permission", now + timedelta(hours=48))
    assert permission.due_at == now + timedelta(days=3)
    assert request.state == "ready"
    assert request.pauses.get().reason == "permission"


def test_permission_for_a_case_that_becomes_guarded_cancels_what_is_booked(facility):
    [slot, *_] = situations.slots_of(facility)
    booking = situations.booked_visit(slot)
    _case(facility, booking.request.custody, category=Case.Category.STATE_SECURITY)

    run_queued()

    booking.refresh_from_db()
    assert (booking.state, booking.reason) == ("cancelled", "permission")
    assert _state(booking.request) == "needs_permission"
    assert Permission.objects.get().state == "asked"


def test_after_the_investigation_no_permission_is_needed(facility):
    held = people.held_person(facility)
    guard = people.officer(facility)
    _case(facility, held, category=Case.Category.TERRORISM)
    cases.record(
        facility,
        number="C1",
        stage=Case.Stage.PROSECUTION,
        category=Case.Category.TERRORISM,
        by=guard,
        at=timezone.now(),
    )

    request = situations.ready_request(
        facility, mandate=situations.live_mandate(facility, held=held)
    )

    assert request.state == "ready"


def test_a_withdrawn_paper_cancels_the_visits_that_stand_on_it(facility):
    [slot, *_] = situations.slots_of(facility)
    booking = situations.booked_visit(slot)
    practising = Credential.objects.get(lawyer=booking.request.lawyer, kind="practising")

    credentials.revoke(
        practising,
        reason="licence suspended",
        facility=facility,
        by=people.officer(facility),
        at=timezone.now(),
    )
    run_queued()

    booking.refresh_from_db()
    assert (booking.state, booking.reason) == ("cancelled", "papers")
    assert _state(booking.request) == "checking"
    assert booking.request.pauses.get().reason == "papers"
    assert Booking.objects.count() == Request.objects.count() == 1
