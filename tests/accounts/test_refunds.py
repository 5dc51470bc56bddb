"""Refunds at the verbs: intention first, result once, unknown is a state."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import deposits, provider, refunds
from accounts.gateways import gateway
from accounts.gateways.stub import shopper
from accounts.gateways.stub.models import Fault, StoredAnswer
from accounts.gateways.stub.models import Refund as TheirRefund
from detention.errors import NotAllowed
from detention.models import Role
from tests import situations
from tests.accounts.money_situations import kinds, standing, trace
from tests.queue import run_queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def refused():
    """Return a refused deposit of 200 yuan that was really paid at the simulated provider."""
    return paid_and_refused()


def paid_and_refused():
    now = timezone.now()
    deposit = situations.started_deposit(amount=20_000)
    deposit = provider.open_checkout(deposit, at=now)
    shopper.pay(deposit.checkout_id, method="card", at=now, notice=shopper.Notice.SHORT)
    deposit = provider.ask_deposit(deposit, at=now)
    return deposits.refuse(
        deposit,
        reason="No.",
        by=situations.officer(deposit.facility, Role.FINANCE),
        at=now,
    )


def fault(kind, where, left=1):
    Fault.objects.create(kind=kind, where=where, left=left)


def test_a_refund_is_sent_by_the_worker_and_posted_once(refused):
    run_queued()

    refused.refresh_from_db()
    refund = refused.refunds.get()
    assert (refund.state, refused.state) == ("succeeded", "refunded")
    assert standing(refused.custody) == {}
    assert kinds() == ["deposit_captured", "refund_paid"]
    assert TheirRefund.objects.get().amount == 19_999


def test_sending_again_changes_nothing(refused):
    run_queued()
    before = trace(refused.custody)

    provider.send_refund(refused.refunds.get(), at=timezone.now())

    assert trace(refused.custody) == before
    assert TheirRefund.objects.count() == 1


def test_a_lost_answer_is_unknown_and_the_repeat_sends_nothing_twice(refused):
    # Both tries of the SDK lose their answer; the refund was made at the first.
    fault(Fault.Kind.LOST, "POST /v1/refunds", left=2)
    refund = provider.send_refund(refused.refunds.get(), at=timezone.now())
    assert (refund.state, standing(refused.custody)["SUSPENSE"]) == ("unknown", 19_999)

    provider.send_refund(refund, at=timezone.now())

    refused.refresh_from_db()
    assert (refused.refunds.get().state, refused.state) == ("succeeded", "refunded")
    assert TheirRefund.objects.count() == 1
    assert kinds() == ["deposit_captured", "refund_paid"]


def test_the_providers_message_settles_a_refund_whose_answer_was_lost(refused):
    fault(Fault.Kind.LOST, "POST /v1/refunds", left=2)

    run_queued()

    refused.refresh_from_db()
    assert (refused.refunds.get().state, refused.state) == ("succeeded", "refunded")
    assert kinds() == ["deposit_captured", "refund_paid"]


def test_an_answer_lost_for_longer_than_the_key_lives_is_searched_first(refused):
    fault(Fault.Kind.LOST, "POST /v1/refunds", left=2)
    refund = provider.send_refund(refused.refunds.get(), at=timezone.now())

    StoredAnswer.objects.all().delete()  # the provider has forgotten the key
    provider.send_refund(refund, at=timezone.now() + timedelta(hours=30))

    assert refused.refunds.get().state == "succeeded"
    assert TheirRefund.objects.count() == 1


def test_a_provider_that_is_down_leaves_the_refund_to_the_clock(refused):
    fault(Fault.Kind.DOWN, "POST /v1/refunds", left=2)
    run_queued()

    refund = refused.refunds.get()
    assert refund.state == "unknown"
    assert refund.next_ask_at > timezone.now()
    assert kinds() == ["deposit_captured"]


def test_a_refund_the_provider_refuses_waits_for_a_person(refused):
    # Somebody has already sent the money back at the provider's own console.
    gateway().refund(
        payment_id=refused.payment_id, amount=19_999, reference="other", idempotency_key="other"
    )
    run_queued()

    refused.refresh_from_db()
    refund = refused.refunds.get()
    assert (refund.state, refused.state) == ("failed", "refused")
    assert refund.failure != ""
    assert standing(refused.custody) == {"SUSPENSE": 19_999, "GATEWAY": -19_999}


def test_a_refund_that_comes_back_days_later_is_owed_again(refused):
    run_queued()

    shopper.fail_refund(TheirRefund.objects.get().id, at=timezone.now())
    run_queued()

    refused.refresh_from_db()
    refund = refused.refunds.get()
    assert (refund.state, refused.state) == ("failed", "refused")
    assert refund.failure == "expired_or_canceled_card"
    assert standing(refused.custody) == {"SUSPENSE": 19_999, "GATEWAY": -19_999}
    assert kinds() == ["deposit_captured", "refund_paid", "refund_failed"]


def test_a_failed_refund_is_tried_again_as_one_of_its_own(refused):
    run_queued()
    shopper.fail_refund(TheirRefund.objects.get().id, at=timezone.now())
    run_queued()
    failed = refused.refunds.get()
    officer = situations.officer(refused.facility, Role.FINANCE)

    fresh = refunds.again(failed, by=officer, at=timezone.now())
    same = refunds.again(failed, by=officer, at=timezone.now())
    run_queued()

    refused.refresh_from_db()
    assert same == fresh
    assert list(refused.refunds.order_by("pk").values_list("state", flat=True)) == [
        "replaced",
        "succeeded",
    ]
    assert refused.state == "refunded"
    assert standing(refused.custody) == {}


@pytest.mark.parametrize("act", ["again", "take"])
def test_only_finance_of_the_facility_looks_after_refunds(refused, act):
    refund = refused.refunds.get()
    guard = situations.officer(refused.facility, Role.GUARD)
    before = trace(refused.custody)

    with pytest.raises(NotAllowed):
        getattr(refunds, act)(refund, by=guard, at=timezone.now())

    assert trace(refused.custody) == before


def test_a_refund_that_has_not_failed_cannot_be_repeated(refused):
    officer = situations.officer(refused.facility, Role.FINANCE)
    before = trace(refused.custody)

    with pytest.raises(refunds.NothingToRepeat):
        refunds.again(refused.refunds.get(), by=officer, at=timezone.now())

    assert trace(refused.custody) == before


def test_a_late_pending_after_success_changes_nothing(refused):
    run_queued()
    refund = refused.refunds.get()
    before = trace(refused.custody)

    refunds.result(refund, refund_id=refund.refund_id, state="pending", at=timezone.now())

    assert trace(refused.custody) == before
