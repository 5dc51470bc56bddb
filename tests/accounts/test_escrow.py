import datetime as dt
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from accounts import errors, escrow
from accounts.ledger import posting
from accounts.ledger.models import AccountEvent, Book, Hold, Lot
from accounts.ledger.posting import Balance, Line
from tests.accounts.ledger_situations import fresh_key, rows
from tests.situations import held_person, officer

pytestmark = pytest.mark.django_db
VENDOR, BAKER = uuid4(), uuid4()


@pytest.fixture
def person():
    """Return a person in custody with 100 yuan."""
    custody = held_person()
    fund(custody, 100_00)
    return custody


def fund(custody, amount):
    with transaction.atomic():
        account = escrow.account_of(custody)
        lines = (Line(posting.account(account.book, "GATEWAY"), -amount), Line(account, amount))
        return posting.post(
            "deposit_captured",
            book=account.book,
            key=fresh_key(),
            lines=lines,
            at=timezone.now(),
            by=None,
        )


def given(**changes):
    """Return what every move is told besides the money."""
    told = {"key": fresh_key("order"), "doc": ("order", 1), "by": None, "at": timezone.now()}
    return {**told, **changes}


def hold(custody, amount, **changes):
    expires_at = changes.pop("expires_at", timezone.now() + dt.timedelta(days=3))
    with transaction.atomic():
        return escrow.hold(custody, amount, expires_at=expires_at, **given(**changes))


def capture(held, amount, *, vendors=None, **changes):
    with transaction.atomic():
        return escrow.capture(held, amount, vendors=vendors or {VENDOR: amount}, **given(**changes))


def bring_back(journal, amount, *, vendor=VENDOR, **changes):
    with transaction.atomic():
        return escrow.goods_returned(journal, amount, vendor=vendor, **given(**changes))


def vendor_balance(custody, vendor=VENDOR):
    return posting.balance(posting.account(escrow.book_of(custody.facility), "VENDOR", vendor))


def test_a_person_without_deposits_has_nothing_and_looking_writes_nothing():
    custody = held_person()

    assert escrow.balance(custody) == Balance(posted=0, held=0)
    assert not Book.objects.exists()


def test_the_book_of_a_facility_is_opened_once():
    custody = held_person()

    with transaction.atomic():
        first, again = escrow.book_of(custody.facility), escrow.book_of(custody.facility)

    assert first == again
    assert (first.ref, first.code) == (custody.facility.public_id, custody.facility.code)


def test_a_hold_names_its_order_and_the_detainee_who_placed_it(person):
    held = hold(person, 60_00, by=person, doc=("order", 9))

    assert escrow.balance(person) == Balance(posted=100_00, held=60_00)
    assert (held.amount, held.remaining, held.doc_type, held.doc_id) == (
        60_00,
        60_00,
        "order",
        9,
    )
    assert (held.journal.actor_id, held.journal.actor_custody_id) == (None, person.pk)


def test_the_same_hold_again_is_the_first_one(person):
    first = hold(person, 60_00, key="order:1:hold")
    before = rows()

    assert hold(person, 60_00, key="order:1:hold") == first
    assert rows() == before


def test_a_hold_beyond_the_money_is_refused(person):
    before = rows()

    with pytest.raises(errors.NotEnoughMoney) as refused, transaction.atomic():
        hold(person, 100_01)

    assert refused.value.code == "insufficient_funds"
    assert rows() == before


def test_a_signed_hand_over_pays_the_vendor_and_gives_the_rest_back(person):
    guard = officer(person.facility)
    held = hold(person, 60_00)

    journal = capture(held, 45_00, release=15_00, by=guard)

    assert escrow.balance(person) == Balance(posted=55_00, held=0)
    assert vendor_balance(person) == Balance(posted=45_00, held=0)
    assert (journal.kind, journal.actor_id) == ("order_captured", guard.pk)


def test_a_second_capture_of_a_used_up_hold_is_refused(person):
    held = hold(person, 60_00)
    capture(held, 45_00, release=15_00)
    before = rows()

    with pytest.raises(errors.HoldUsedUp), transaction.atomic():
        capture(held, 1)

    assert rows() == before


def test_a_released_hold_is_available_again(person):
    held = hold(person, 60_00)

    with transaction.atomic():
        escrow.release_hold(held, 60_00, **given())

    assert escrow.balance(person) == Balance(posted=100_00, held=0)
    assert Hold.objects.get().remaining == 0


def test_an_expired_hold_gives_back_what_is_left_of_it_once(person):
    past = timezone.now() - dt.timedelta(minutes=1)
    held = hold(person, 60_00, expires_at=past)
    capture(held, 10_00)
    expired = list(Hold.objects.expired(timezone.now()))

    with transaction.atomic():
        first = escrow.expire(held, doc=("order", 1), at=timezone.now())
        again = escrow.expire(held, doc=("order", 1), at=timezone.now())

    assert expired == [held]
    assert first == again
    assert escrow.balance(person) == Balance(posted=90_00, held=0)
    assert list(Hold.objects.expired(timezone.now())) == []


def test_a_hold_that_was_captured_in_time_has_nothing_to_expire(person):
    held = hold(person, 60_00, expires_at=timezone.now() - dt.timedelta(minutes=1))
    capture(held, 60_00)
    before = rows()

    with pytest.raises(errors.HoldUsedUp), transaction.atomic():
        escrow.expire(held, doc=("order", 1), at=timezone.now())

    assert rows() == before


def test_returned_goods_come_back_to_the_lots_they_were_paid_from(person):
    fund(person, 50_00)
    journal = capture(hold(person, 120_00), 120_00)

    first = bring_back(journal, 30_00, key="return:1")
    again = bring_back(journal, 30_00, key="return:1")

    assert first == again
    assert list(Lot.objects.order_by("pk").values_list("remaining", flat=True)) == [10_00, 50_00]
    assert escrow.balance(person) == Balance(posted=60_00, held=0)
    assert vendor_balance(person) == Balance(posted=90_00, held=0)


def test_more_goods_than_were_captured_do_not_come_back(person):
    journal = capture(hold(person, 20_00), 20_00)
    before = rows()

    with pytest.raises(errors.LotUsedUp), transaction.atomic():
        bring_back(journal, 20_01)

    assert rows() == before


def test_one_hand_over_pays_each_vendor_its_part(person):
    journal = capture(hold(person, 60_00), 60_00, vendors={VENDOR: 45_00, BAKER: 15_00})

    assert journal.line_count == 3
    assert (vendor_balance(person).posted, vendor_balance(person, BAKER).posted) == (45_00, 15_00)
    assert escrow.balance(person) == Balance(posted=40_00, held=0)


def test_no_vendor_gives_back_more_than_it_was_paid_in_that_hand_over(person):
    journal = capture(hold(person, 60_00), 60_00, vendors={VENDOR: 45_00, BAKER: 15_00})
    bring_back(journal, 10_00, vendor=BAKER)
    before = rows()

    with pytest.raises(errors.LotUsedUp), transaction.atomic():
        bring_back(journal, 5_01, vendor=BAKER)

    assert rows() == before
    assert vendor_balance(person, BAKER).posted == 5_00


def test_a_freeze_sets_an_amount_aside_until_it_is_lifted(person):
    guard = officer(person.facility)

    with transaction.atomic():
        frozen = escrow.freeze(person, 80_00, reason="court order", **given(by=guard))
    during = escrow.balance(person)
    with transaction.atomic():
        escrow.unfreeze(frozen, 80_00, reason="court order ended", **given(by=guard))

    assert during == Balance(posted=100_00, held=80_00)
    assert escrow.balance(person) == Balance(posted=100_00, held=0)


@pytest.mark.parametrize(
    "move",
    [
        lambda person: escrow.freeze(person, 1, reason="", **given()),
        lambda person: escrow.stop_spending(
            person, reason="", by=officer(person.facility), at=timezone.now()
        ),
    ],
    ids=["freeze", "stop_spending"],
)
def test_nothing_is_frozen_without_a_reason(person, move):
    before = rows()

    with pytest.raises(errors.ReasonNeeded), transaction.atomic():
        move(person)

    assert rows() == before
    assert not AccountEvent.objects.exists()


def test_spending_and_credit_are_stopped_and_allowed_again_on_record(person):
    guard, at = officer(person.facility), timezone.now()

    with transaction.atomic():
        escrow.stop_spending(person, reason="court order", by=guard, at=at)
        escrow.stop_credit(person, reason="closing", by=guard, at=at)
    with pytest.raises(errors.SpendingFrozen), transaction.atomic():
        hold(person, 1)
    with pytest.raises(errors.CreditFrozen), transaction.atomic():
        fund(person, 1)
    with transaction.atomic():
        escrow.allow_again(person, reason="order ended", by=guard, at=at)
    hold(person, 1)
    fund(person, 1)

    assert list(AccountEvent.objects.order_by("pk").values_list("event", "actor_id")) == [
        ("frozen_debit", guard.pk),
        ("frozen_credit", guard.pk),
        ("unfrozen", guard.pk),
    ]
    assert escrow.balance(person) == Balance(posted=100_01, held=1)


def test_a_refusal_about_money_shows_amounts_in_yuan(person):
    with pytest.raises(errors.NotEnoughMoney) as refused, transaction.atomic():
        hold(person, 200_00)

    assert refused.value.facts == {"available": 100_00}
    assert refused.value.show(refused.value.facts["available"]) == "¥100.00"
