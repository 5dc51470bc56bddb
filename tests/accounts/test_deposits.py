"""The life of a deposit at the verbs: what is refused, what is posted, what happens twice."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import deposits, escrow, limits, tasks
from accounts.errors import KeyConflict
from accounts.ledger.models import Journal
from accounts.models import Deposit, Refund
from detention import custody, policy, relatives
from detention.errors import NotAllowed, WrongMove
from detention.lifecycle import move
from detention.models import AuditRecord, Custody, Role
from detention.relatives import ReasonMissing
from tests import situations
from tests.accounts.money_situations import kinds, standing, trace
from tests.queue import queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def link():
    return situations.verified_link()


def finance(deposit):
    return situations.officer(deposit.facility, Role.FINANCE)


def close(link):
    administrator = situations.officer(link.custody.facility, Role.ADMINISTRATOR)
    custody.close(link.custody, reason=Custody.Reason.RELEASED, by=administrator, at=timezone.now())


def codes(deposit):
    return sorted(deposit.findings.values_list("code", flat=True))


# Start


def test_a_started_deposit_moves_no_money(link):
    deposit = situations.started_deposit(link, 20_000)

    assert deposit.state == "awaiting_payment"
    assert deposit.expires_at > timezone.now() + timedelta(minutes=30)
    assert kinds() == []
    assert escrow.balance(link.custody).posted == 0


def test_the_same_start_again_returns_the_same_deposit(link):
    once = uuid4()
    first = situations.started_deposit(link, 20_000, once=once)

    again = situations.started_deposit(link, 20_000, once=once)

    assert again == first
    assert Deposit.objects.count() == 1


def test_the_same_key_for_another_amount_is_a_conflict(link):
    once = uuid4()
    situations.started_deposit(link, 20_000, once=once)
    before = trace(link.custody)

    with pytest.raises(KeyConflict):
        situations.started_deposit(link, 30_000, once=once)

    assert trace(link.custody) == before


def _unlinked(link):
    relatives.revoke(
        link, reason="x", by=situations.officer(link.custody.facility), at=timezone.now()
    )


def _frozen(link):
    Custody.objects.filter(pk=link.custody_id).update(deposits_frozen=True)


def _nothing(link):
    pass


def _four_in_flight(link):
    for _ in range(4):
        situations.started_deposit(link, 10_000)


def _almost_full_month(link):
    for _ in range(3):
        situations.started_deposit(link, 99_000)


@pytest.mark.parametrize(
    ("label", "prepare", "amount", "refusal"),
    [
        ("P01 link ended", _unlinked, 20_000, deposits.NotLinked),
        ("P02 custody closing", close, 20_000, deposits.DepositsClosed),
        ("P02 frozen", _frozen, 20_000, deposits.DepositsClosed),
        ("L01 over the single cap", _nothing, 100_001, deposits.OverSingleMax),
        ("L02 fifth payment of the month", _four_in_flight, 20_000, deposits.NoRoom),
        ("L02 sum of the month", _almost_full_month, 3_001, deposits.NoRoom),
        ("beyond any number", _nothing, 10**12, deposits.OverSingleMax),
    ],
)
def test_start_refuses_before_payment_and_moves_nothing(link, label, prepare, amount, refusal):
    prepare(link)
    before = trace(link.custody)

    with pytest.raises(refusal):
        situations.started_deposit(link, amount)

    assert trace(link.custody) == before


def test_start_refuses_a_relative_who_uses_somebody_elses_link(link):
    stranger = situations.registered_relative()
    before = trace(link.custody)

    with pytest.raises(deposits.NotLinked):
        situations.started_deposit(link, 20_000, by=stranger)

    assert trace(link.custody) == before


def test_what_is_in_flight_counts_towards_the_room(link):
    situations.started_deposit(link, 95_000)
    situations.started_deposit(link, 95_000)
    situations.started_deposit(link, 95_500)

    assert limits.room(link, at=timezone.now()) == 14_000


def test_an_expired_payment_gives_its_room_back(link):
    now = timezone.now()
    for _ in range(4):
        deposits.expire(situations.started_deposit(link, 50_000), at=now)

    assert limits.room(link, at=now) == 100_000


# Capture


def test_a_paid_deposit_that_passes_stands_on_the_account_at_once(link):
    deposit = situations.credited_deposit(link, 20_000)

    assert (deposit.state, deposit.amount_credited, codes(deposit)) == ("credited", 20_000, [])
    assert escrow.balance(link.custody).available == 20_000
    assert standing(link.custody) == {"ESCROW": 20_000, "GATEWAY": -20_000}
    assert kinds() == ["deposit_captured"]


def test_the_same_payment_again_changes_nothing(link):
    deposit = situations.credited_deposit(link, 20_000)
    before = trace(link.custody)

    again = situations.paid(deposit)

    assert again.state == "credited"
    assert trace(link.custody) == before


def test_one_fen_less_than_asked_for_waits_in_suspense(link):
    deposit = situations.waiting_deposit(link, 20_000)

    assert (deposit.state, codes(deposit)) == ("awaiting_decision", ["A01"])
    assert standing(link.custody) == {"SUSPENSE": 19_999, "GATEWAY": -19_999}
    assert escrow.balance(link.custody).posted == 0
    assert deposit.decide_by - deposit.captured_at == timedelta(hours=24)
    assert deposit.hard_stop_at - deposit.captured_at == timedelta(hours=72)


def test_another_currency_waits_in_suspense_and_cannot_be_accepted(link):
    deposit = situations.paid(situations.started_deposit(link, 20_000), currency="USD")
    before = trace(link.custody)

    with pytest.raises(deposits.OtherCurrency):
        deposits.accept(deposit, by=finance(deposit), at=timezone.now())

    assert (deposit.state, codes(deposit)) == ("awaiting_decision", ["A01"])
    assert trace(link.custody) == before


def test_money_that_comes_after_the_end_waits_in_suspense(link):
    deposit = deposits.expire(situations.started_deposit(link, 20_000), at=timezone.now())

    deposit = situations.paid(deposit)

    assert (deposit.state, codes(deposit)) == ("awaiting_decision", ["A02"])
    assert standing(link.custody) == {"SUSPENSE": 20_000, "GATEWAY": -20_000}


@pytest.mark.parametrize(
    ("label", "happens", "code"),
    [("custody closed", close, "P02"), ("link ended", _unlinked, "P01")],
)
def test_what_may_not_come_in_any_more_is_refused_and_queued_to_go_back(link, label, happens, code):
    deposit = situations.started_deposit(link, 20_000)
    happens(link)

    deposit = situations.paid(deposit)

    refund = deposit.refunds.get()
    assert (deposit.state, codes(deposit)) == ("refused", [code])
    assert standing(link.custody) == {"SUSPENSE": 20_000, "GATEWAY": -20_000}
    assert (refund.amount, refund.cause, refund.state) == (20_000, "rules", "requested")
    assert f"config.reactions.react(refund_requested, {refund.pk})" in queued()


def test_the_part_above_the_cap_goes_back(link):
    deposit = situations.started_deposit(link, 100_000)
    _cap(link, "deposit_month_max", 60_000)

    deposit = situations.paid(deposit)

    refund = deposit.refunds.get()
    assert (deposit.state, deposit.amount_credited, codes(deposit)) == ("credited", 60_000, ["L02"])
    assert (refund.amount, refund.cause) == (40_000, "excess")
    assert standing(link.custody) == {"ESCROW": 60_000, "SUSPENSE": 40_000, "GATEWAY": -100_000}
    assert kinds() == ["deposit_captured", "deposit_accepted"]


def test_what_others_have_only_started_does_not_turn_away_money_that_is_here(link):
    deposits_in_flight = [situations.started_deposit(link, 70_000) for _ in range(4)]
    _cap(link, "deposit_month_max", 70_000)

    deposit = situations.paid(deposits_in_flight[0])

    assert (deposit.state, deposit.amount_credited) == ("credited", 70_000)


def test_a_deposit_for_which_nothing_is_left_is_refused_whole(link):
    deposit = situations.started_deposit(link, 50_000)
    situations.credited_deposit(situations.verified_link(link.custody), 50_000)
    _cap(link, "deposit_month_max", 50_000)

    deposit = situations.paid(deposit)

    assert (deposit.state, codes(deposit)) == ("refused", ["L02"])
    assert deposit.refunds.get().amount == 50_000


def _cap(link, code, value):
    facility, now = link.custody.facility, timezone.now()
    proposed = policy.propose(
        facility,
        code,
        value,
        effective_at=now,
        by=situations.officer(facility, Role.ADMINISTRATOR),
        at=now,
    )
    policy.approve(proposed, by=situations.officer(facility, Role.ADMINISTRATOR), at=now)


@pytest.mark.parametrize("broken", ["in_force", "facts"])
def test_screening_that_fails_leaves_the_money_in_suspense(link, monkeypatch, broken):
    deposit = situations.started_deposit(link, 20_000)

    def breaks(*args, **kwargs):
        # A failing statement, so that without a savepoint the whole transaction would be lost.
        Deposit.objects.extra(where=["no_such_column = 1"]).count()

    monkeypatch.setattr(limits, broken, breaks)
    deposit = situations.paid(deposit)

    assert (deposit.state, codes(deposit)) == ("awaiting_decision", ["X01"])
    assert standing(link.custody) == {"SUSPENSE": 20_000, "GATEWAY": -20_000}
    assert escrow.balance(link.custody).posted == 0


# Decision


def test_accept_credits_what_came(link):
    deposit = situations.waiting_deposit(link, 20_000)
    officer = finance(deposit)

    deposit = deposits.accept(deposit, by=officer, at=timezone.now())

    assert (deposit.state, deposit.amount_credited) == ("credited", 19_999)
    assert (deposit.owner, deposit.decided_by) == (officer, officer)
    assert standing(link.custody) == {"ESCROW": 19_999, "GATEWAY": -19_999}


def test_accept_binds_the_officer_to_the_caps_too(link):
    deposit = situations.waiting_deposit(link, 20_000)
    _cap(link, "deposit_month_max", 15_000)

    deposit = deposits.accept(deposit, by=finance(deposit), at=timezone.now())

    assert (deposit.amount_credited, deposit.refunds.get().amount) == (15_000, 4_999)
    assert standing(link.custody) == {"ESCROW": 15_000, "SUSPENSE": 4_999, "GATEWAY": -19_999}


def test_refuse_sends_all_of_it_back_and_posts_nothing_yet(link):
    deposit = situations.waiting_deposit(link, 20_000)

    deposit = deposits.refuse(
        deposit, reason="The amount differs.", by=finance(deposit), at=timezone.now()
    )

    refund = deposit.refunds.get()
    assert (deposit.state, refund.amount, refund.cause) == ("refused", 19_999, "refused")
    assert kinds() == ["deposit_captured"]


@pytest.mark.parametrize("act", ["accept", "refuse"])
def test_the_same_decision_by_a_second_officer_changes_nothing(link, act):
    deposit = situations.waiting_deposit(link, 20_000)
    decide = _decision(act)
    first = finance(deposit)
    decide(deposit, by=first, at=timezone.now())
    before = trace(link.custody)

    again = decide(deposit, by=finance(deposit), at=timezone.now())

    assert again.decided_by == first
    assert trace(link.custody) == before


@pytest.mark.parametrize(("first", "second"), [("accept", "refuse"), ("refuse", "accept")])
def test_the_opposite_decision_is_refused(link, first, second):
    deposit = situations.waiting_deposit(link, 20_000)
    _decision(first)(deposit, by=finance(deposit), at=timezone.now())
    before = trace(link.custody)

    with pytest.raises(deposits.AlreadyDecided):
        _decision(second)(deposit, by=finance(deposit), at=timezone.now())

    assert trace(link.custody) == before


def _decision(name):
    if name == "accept":
        return deposits.accept
    return lambda deposit, **more: deposits.refuse(deposit, reason="No.", **more)


@pytest.mark.parametrize("act", ["accept", "refuse"])
@pytest.mark.parametrize("role", [Role.GUARD, Role.AUDITOR, Role.ADMINISTRATOR, None])
def test_nobody_but_finance_of_the_facility_decides(link, act, role):
    deposit = situations.waiting_deposit(link, 20_000)
    elsewhere = situations.held_person().facility
    officer = (
        situations.officer(link.custody.facility, role)
        if role
        else situations.officer(elsewhere, Role.FINANCE)
    )
    before = trace(link.custody)

    with pytest.raises(NotAllowed):
        _decision(act)(deposit, by=officer, at=timezone.now())

    assert trace(link.custody) == before


def test_refuse_needs_a_reason(link):
    deposit = situations.waiting_deposit(link, 20_000)
    before = trace(link.custody)

    with pytest.raises(ReasonMissing):
        deposits.refuse(deposit, reason=" ", by=finance(deposit), at=timezone.now())

    assert trace(link.custody) == before


def test_a_deposit_that_the_rules_credited_cannot_be_decided(link):
    deposit = situations.credited_deposit(link)
    before = trace(link.custody)

    with pytest.raises(deposits.NotWaiting):
        deposits.accept(deposit, by=finance(deposit), at=timezone.now())

    assert trace(link.custody) == before


def test_accept_is_refused_once_the_custody_has_ended(link):
    deposit = situations.waiting_deposit(link, 20_000)
    close(link)
    before = trace(link.custody)

    with pytest.raises(deposits.DepositsClosed):
        deposits.accept(deposit, by=finance(deposit), at=timezone.now())

    assert trace(link.custody) == before


def test_the_hard_stop_sends_back_what_nobody_decided(link):
    deposit = situations.waiting_deposit(link, 20_000)

    too_early = deposits.stop(deposit, at=deposit.hard_stop_at - timedelta(seconds=1))
    stopped = deposits.stop(deposit, at=deposit.hard_stop_at)

    assert (too_early.state, stopped.state) == ("awaiting_decision", "refused")
    assert stopped.refunds.get().cause == "hard_stop"
    assert stopped.decided_by is None


def test_the_hard_stop_changes_nothing_after_a_decision(link):
    deposit = situations.waiting_deposit(link, 20_000)
    deposits.accept(deposit, by=finance(deposit), at=timezone.now())
    before = trace(link.custody)

    deposits.stop(deposit, at=deposit.hard_stop_at)

    assert trace(link.custody) == before


def test_taking_over_says_who_looks_after_it(link):
    deposit = situations.waiting_deposit(link, 20_000)
    first, second = finance(deposit), finance(deposit)

    deposits.take(deposit, by=first, at=timezone.now())
    deposits.take(deposit, by=first, at=timezone.now())
    taken = deposits.take(deposit, by=second, at=timezone.now())

    assert taken.owner == second
    assert AuditRecord.objects.filter(action="deposit.taken").count() == 2


# What must never be stored


def test_the_database_refuses_a_credit_above_what_came(link):
    deposit = situations.credited_deposit(link)

    with pytest.raises(IntegrityError, match="deposit_credits_what_came"):
        Deposit.objects.filter(pk=deposit.pk).update(amount_credited=20_001)


def test_the_database_refuses_a_credited_deposit_without_payment(link):
    deposit = situations.started_deposit(link)

    with pytest.raises(IntegrityError, match="deposit_paid_has_payment"):
        Deposit.objects.filter(pk=deposit.pk).update(state="credited")


def test_a_decided_deposit_cannot_be_moved_back():
    deposit = situations.credited_deposit()

    with pytest.raises(WrongMove):
        move(deposit, Deposit.State.AWAITING_DECISION)


def test_every_journal_of_a_deposit_names_it(link):
    deposit = situations.waiting_deposit(link, 20_000)
    deposits.accept(deposit, by=finance(deposit), at=timezone.now())

    documents = set(Journal.objects.values_list("doc_type", "doc_id"))

    assert documents == {("deposit", deposit.pk)}
    assert Refund.objects.count() == 0


# The end of a custody, and stops


def test_what_waits_when_the_custody_ends_goes_back(link):
    deposit = situations.waiting_deposit(link, 20_000)
    close(link)

    tasks.turn_back(link.custody_id, at=timezone.now())
    tasks.turn_back(link.custody_id, at=timezone.now())

    deposit.refresh_from_db()
    assert (deposit.state, deposit.refunds.get().amount) == ("refused", 19_999)


def test_nothing_is_turned_back_while_the_custody_is_open(link):
    deposit = situations.waiting_deposit(link, 20_000)
    before = trace(link.custody)

    deposits.turn_back(deposit, at=timezone.now())

    assert trace(link.custody) == before


def test_an_account_stopped_for_credit_refuses_before_and_after_payment(link):
    deposit = situations.started_deposit(link, 20_000)
    administrator = situations.officer(link.custody.facility, Role.ADMINISTRATOR)
    with transaction.atomic():
        escrow.stop_credit(link.custody, reason="court order", by=administrator, at=timezone.now())

    deposit = situations.paid(deposit)

    assert (deposit.state, codes(deposit)) == ("refused", ["P02"])
    with pytest.raises(deposits.DepositsClosed):
        situations.started_deposit(link, 20_000)
