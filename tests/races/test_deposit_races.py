"""Deposits that meet: caps hold, a decision is one decision, a message is taken in once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from accounts import deposits, escrow, inbox, refunds
from accounts.gateways import Event
from accounts.ledger.models import Journal
from accounts.models import Deposit, GatewayEvent
from detention import custody
from detention.models import Custody, Role
from tests import situations

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("race_db")]


def outcomes(results) -> Counter:
    """Count what came out: states of rows, and errors by their name."""
    return Counter(
        type(result).__name__ if isinstance(result, Exception) else str(result.state)
        for result in results
    )


def journals(deposit) -> list[str]:
    found = Journal.objects.filter(doc_type="deposit", doc_id=deposit.pk).order_by("pk")
    return list(found.values_list("kind", flat=True))


def calls(count, act):
    return [lambda number=number: act(number) for number in range(count)]


def test_of_eight_payments_started_together_only_four_fit_the_month(together):
    link = situations.verified_link()

    results = together(calls(8, lambda number: situations.started_deposit(link, 50_000)), threads=8)

    assert outcomes(results) == {"awaiting_payment": 4, "NoRoom": 4}


def test_late_payments_captured_together_never_pass_the_cap(together):
    """All five were started one after the other, each when the others had ended."""
    held = situations.held_person()
    now = timezone.now()
    started = []
    for _ in range(5):
        link = situations.verified_link(held)
        started.append(deposits.expire(situations.started_deposit(link, 90_000), at=now))
    # As if the ends had never been heard of, so that only the caps are in the way.
    Deposit.objects.filter(pk__in=[d.pk for d in started]).update(state="awaiting_payment")

    results = together([lambda d=d: situations.paid(d) for d in started], threads=5)

    held.refresh_from_db()
    assert [r for r in results if isinstance(r, Exception)] == []
    assert escrow.balance(held).posted == 300_000
    for deposit in Deposit.objects.filter(custody=held):
        back = sum(refund.amount for refund in deposit.refunds.all())
        assert deposit.amount_credited + back == 90_000


def test_one_payment_told_by_eight_at_once_is_captured_once(together):
    deposit = situations.started_deposit(amount=20_000)

    results = together(calls(8, lambda number: situations.paid(deposit)), threads=8)

    assert outcomes(results) == {"credited": 8}
    assert journals(deposit) == ["deposit_captured"]
    assert escrow.balance(deposit.custody).posted == 20_000


def test_the_same_form_sent_eight_times_at_once_starts_one_deposit(together):
    link, once = situations.verified_link(), uuid4()

    results = together(
        calls(8, lambda number: situations.started_deposit(link, 20_000, once=once)), threads=8
    )

    assert len({result.pk for result in results}) == 1
    assert Deposit.objects.filter(once=once).count() == 1


def test_the_same_message_delivered_eight_times_at_once_is_stored_and_queued_once(together):
    now = timezone.now()
    event = Event(
        id=f"evt_{uuid4()}",
        type="checkout.session.completed",
        object_type="checkout",
        object_id="cs_1",
        created_at=now,
        live=False,
    )
    before = OrmQ.objects.count()

    results = together(
        calls(8, lambda number: inbox.receive("stripe", event, b"{}", at=now)), threads=8
    )

    assert len({result.pk for result in results}) == 1
    assert GatewayEvent.objects.filter(event_id=event.id).count() == 1
    assert OrmQ.objects.count() - before == 1


@pytest.mark.parametrize("trial", range(3))
def test_of_accept_and_refuse_at_once_one_wins_and_the_other_is_told(together, trial):
    deposit = situations.waiting_deposit(amount=20_000)
    officers = [situations.officer(deposit.facility, Role.FINANCE) for _ in range(2)]
    now = timezone.now()

    results = together(
        [
            lambda: deposits.accept(deposit, by=officers[0], at=now),
            lambda: deposits.refuse(deposit, reason="No.", by=officers[1], at=now),
        ],
        threads=2,
    )

    counted = outcomes(results)
    assert counted["AlreadyDecided"] == 1
    assert counted["credited"] + counted["refused"] == 1
    deposit.refresh_from_db()
    assert (deposit.state == "credited") == (deposit.refunds.count() == 0)


def test_decision_and_hard_stop_at_once_leave_one_decision(together):
    deposit = situations.waiting_deposit(amount=20_000)
    officer = situations.officer(deposit.facility, Role.FINANCE)
    at = deposit.hard_stop_at

    together(
        [
            lambda: deposits.accept(deposit, by=officer, at=at),
            lambda: deposits.stop(deposit, at=at),
        ],
        threads=2,
    )

    deposit.refresh_from_db()
    back = sum(refund.amount for refund in deposit.refunds.all())
    assert deposit.amount_credited + back == 19_999


def test_capture_and_the_end_of_the_custody_at_once_lose_no_fen(together):
    deposit = situations.started_deposit(amount=20_000)
    administrator = situations.officer(deposit.facility, Role.ADMINISTRATOR)
    now = timezone.now()

    together(
        [
            lambda: situations.paid(deposit),
            lambda: custody.close(
                deposit.custody, reason=Custody.Reason.RELEASED, by=administrator, at=now
            ),
        ],
        threads=2,
    )

    deposit.refresh_from_db()
    back = sum(refund.amount for refund in deposit.refunds.all())
    assert deposit.amount_credited + back == 20_000


def test_one_result_told_by_eight_at_once_is_posted_once(together):
    deposit = situations.waiting_deposit(amount=20_000)
    finance = situations.officer(deposit.facility, Role.FINANCE)
    deposits.refuse(deposit, reason="No.", by=finance, at=timezone.now())
    refund = deposit.refunds.get()
    later = timezone.now() + timedelta(seconds=1)

    results = together(
        calls(
            8,
            lambda number: refunds.result(
                refund, refund_id=f"re_{refund.pk}", state="succeeded", at=later
            ),
        ),
        threads=8,
    )

    assert outcomes(results) == {"succeeded": 8}
    assert Journal.objects.filter(doc_type="refund", doc_id=refund.pk).count() == 1
