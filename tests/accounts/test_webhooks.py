"""The provider's door: signed once, processed once, never believed."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import inbox, provider, tasks
from accounts.gateways import Event
from accounts.gateways.stub import letters, shopper
from accounts.gateways.stub.models import CheckoutSession, Delivery, Fault
from accounts.gateways.stub.models import Event as Told
from accounts.models import Deposit, GatewayEvent
from config.tasks import sweep
from tests import situations
from tests.accounts.money_situations import kinds, standing, trace
from tests.queue import queued, run_queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def deposit():
    """Return a deposit whose payment page is open at the simulated provider."""
    started = situations.started_deposit(amount=20_000)
    run_queued()
    return provider.open_checkout(started, at=timezone.now())


def pay(deposit, notice="now"):
    shopper.pay(
        deposit.checkout_id, method="card", at=timezone.now(), notice=shopper.Notice(notice)
    )


def signed_letter(*, at=None, signature=Delivery.Signature.TRUE):
    """Return body and signature of the newest letter, as the provider would send it."""
    letter = Delivery(event=Told.objects.latest("created_at"), signature=signature)
    return letters.signed(letter, at=at or timezone.now())


def post(client, body, signature):
    return client.post(
        reverse("gateway_webhook"),
        body,
        content_type="application/json",
        headers={"Stripe-Signature": signature} if signature is not None else {},
    )


def state(deposit):
    deposit.refresh_from_db()
    return deposit.state


@pytest.mark.parametrize("notice", ["now", "late", "twice", "ten", "out_of_order"])
def test_however_often_the_provider_tells_it_is_captured_once(deposit, notice):
    pay(deposit, notice)

    run_queued()

    assert state(deposit) == "credited"
    assert kinds() == ["deposit_captured"]
    assert GatewayEvent.objects.count() == 1
    assert standing(deposit.custody) == {"ESCROW": 20_000, "GATEWAY": -20_000}


def test_the_same_letter_again_is_answered_200_and_queues_nothing(client, deposit):
    pay(deposit, "never")
    body, signature = signed_letter()
    first = post(client, body, signature)
    run_queued()
    before = trace(deposit.custody)

    again = post(client, body, signature)

    assert (first.status_code, again.status_code) == (200, 200)
    assert trace(deposit.custody) == before


@pytest.mark.parametrize("notice", ["wrong_signature", "old"])
def test_a_forged_or_old_letter_is_turned_away_and_the_poller_finds_the_payment(deposit, notice):
    pay(deposit, notice)
    run_queued()
    assert (state(deposit), GatewayEvent.objects.count()) == ("awaiting_payment", 0)

    provider.ask_deposit(deposit, at=timezone.now())

    assert state(deposit) == "credited"


@pytest.mark.parametrize("case", ["missing", "garbage", "altered", "other body", "old", "empty"])
def test_nothing_touches_the_database_before_the_signature_holds(client, deposit, case):
    pay(deposit, "never")
    body, signature = signed_letter()
    body, signature = {
        "missing": (body, None),
        "garbage": (body, "t=1,v1=zz"),
        "altered": (body.replace(b"20000", b"90000"), signature),
        "other body": (b"[]", signature),
        "old": signed_letter(at=timezone.now() - timedelta(minutes=6)),
        "empty": (b"", signature),
    }[case]

    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = post(client, body, signature)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert len(asked) == 0
    assert (GatewayEvent.objects.count(), queued(), kinds()) == (0, [], [])


def test_a_get_is_no_message(client):
    assert client.get(reverse("gateway_webhook")).status_code == 405


def test_the_amount_in_a_message_is_never_believed(deposit):
    """The letter says 20000; at the provider one fen less stands: that is what is taken in."""
    pay(deposit, "short")
    told = Told.objects.latest("created_at")
    body = json.loads(told.body)
    assert body["data"]["object"]["amount_total"] == 20_000

    run_queued()

    assert state(deposit) == "awaiting_decision"
    assert standing(deposit.custody) == {"SUSPENSE": 19_999, "GATEWAY": -19_999}


def test_a_provider_that_fails_once_is_asked_again(deposit):
    pay(deposit, "fail_once")
    run_queued()
    stored = GatewayEvent.objects.get()
    assert (state(deposit), stored.tries, stored.processed_at) == ("awaiting_payment", 1, None)

    tasks.sweep_inbox(at=timezone.now() + timedelta(minutes=6))
    run_queued()

    stored.refresh_from_db()
    assert state(deposit) == "credited"
    assert stored.processed_at is not None
    assert Fault.objects.count() == 0


def test_a_message_about_something_unknown_waits_and_is_let_go_after_three_days(deposit):
    pay(deposit, "never")
    now = timezone.now()
    Deposit.objects.filter(pk=deposit.pk).update(checkout_id="cs_other")
    body, _signature = signed_letter()
    event = Event(
        id="evt_x",
        type="checkout.session.completed",
        object_type="checkout",
        object_id=deposit.checkout_id,
        created_at=now,
        live=False,
    )
    stored = inbox.receive("stripe", event, body, at=now)

    waits = provider.process(stored, at=now)
    let_go = provider.process(waits, at=now + timedelta(days=3, minutes=1))

    assert (waits.processed_at, waits.error) == (None, "unknown object")
    assert let_go.processed_at is not None
    assert kinds() == []


def test_a_message_finds_a_deposit_whose_page_we_never_heard_of():
    """The answer to opening the page was lost; the payer found it open in another tab."""
    deposit = situations.started_deposit(amount=20_000)
    Fault.objects.create(kind=Fault.Kind.LOST, where="POST /v1/checkout/sessions", left=2)
    deposit = provider.open_checkout(deposit, at=timezone.now())
    assert (deposit.checkout_id, deposit.state) == ("", "awaiting_payment")
    shopper.pay(
        CheckoutSession.objects.get().id,
        method="card",
        at=timezone.now(),
        notice=shopper.Notice.NOW,
    )

    run_queued()

    assert state(deposit) == "credited"


def test_a_processed_message_is_not_processed_again(deposit):
    pay(deposit)
    run_queued()
    stored = GatewayEvent.objects.get()
    before = trace(deposit.custody)

    tasks.process_event(stored.pk, at=timezone.now())

    assert trace(deposit.custody) == before


# The poller


def test_the_sweep_asks_about_a_payment_nobody_told_of(deposit):
    pay(deposit, "never")

    tasks.sweep_deposits(at=deposit.next_ask_at)
    run_queued()

    assert state(deposit) == "credited"


def test_a_second_sweep_does_not_queue_the_same_question_again(deposit):
    tasks.sweep_deposits(at=deposit.next_ask_at)
    tasks.sweep_deposits(at=deposit.next_ask_at + timedelta(minutes=1))

    assert queued() == [f"config.reactions.react(deposit_doubtful, {deposit.pk})"]


def test_questions_come_after_2_10_and_30_minutes_and_then_hourly(deposit):
    start = deposit.started_at
    moments = []
    at = start
    for _ in range(5):
        deposit = provider.ask_deposit(deposit, at=at)
        at = deposit.next_ask_at
        moments.append(round((at - start).total_seconds() / 60))

    assert moments == [2, 10, 30, 90, 150]


def test_a_page_that_expired_at_the_provider_ends_the_deposit(deposit):
    shopper.expire(deposit.checkout_id, at=timezone.now())

    run_queued()

    assert state(deposit) == "expired"
    assert (kinds(), deposit.next_ask_at) == ([], None)


def test_the_sweep_stops_what_nobody_decided(deposit):
    waiting = situations.waiting_deposit(amount=30_000)

    tasks.sweep_deposits(at=waiting.hard_stop_at)

    assert state(waiting) == "refused"


def test_one_sweep_of_the_minute_runs_all_of_them(deposit):
    sweep()

    assert state(deposit) == "awaiting_payment"


@pytest.mark.parametrize(("kind", "tries"), [("down", 2), ("error", 1)])
def test_a_provider_that_is_away_leaves_the_deposit_open(kind, tries):
    Fault.objects.create(kind=Fault.Kind(kind), where="POST /v1/checkout/sessions", left=tries)
    deposit = situations.started_deposit(amount=20_000)

    deposit = provider.open_checkout(deposit, at=timezone.now())
    again = provider.ask_deposit(deposit, at=timezone.now())

    assert (deposit.state, deposit.checkout_id) == ("awaiting_payment", "")
    assert again.checkout_id.startswith("cs_")


def test_a_page_the_provider_refuses_fails_the_deposit():
    """Far above what the provider takes: it can never be opened."""
    deposit = situations.started_deposit(amount=20_000)
    Deposit.objects.filter(pk=deposit.pk).update(amount=10**9)
    deposit.refresh_from_db()

    deposit = provider.open_checkout(deposit, at=timezone.now())

    assert (deposit.state, deposit.next_ask_at) == ("failed", None)


# Giving up


def test_giving_up_ends_the_page_at_the_provider(deposit):
    given_up = provider.give_up(deposit, at=timezone.now())

    assert given_up.state == "expired"
    with pytest.raises(shopper.PageClosed):
        pay(deposit)


def test_giving_up_a_page_that_was_just_paid_takes_the_money_in(deposit):
    pay(deposit, "never")

    given_up = provider.give_up(deposit, at=timezone.now())

    assert given_up.state == "credited"
    assert kinds() == ["deposit_captured"]


def test_a_declined_try_is_seen_and_the_page_stays_payable(deposit):
    shopper.decline(deposit.checkout_id, shopper.Declined.GENERIC, method="card", at=timezone.now())

    seen = provider.ask_deposit(deposit, at=timezone.now())

    assert (seen.state, seen.declined_at is not None) == ("awaiting_payment", True)
    pay(deposit)
    run_queued()
    assert state(deposit) == "credited"
