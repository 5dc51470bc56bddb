"""The family's pages, from the amount to the answer, through the simulated provider."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import deposits, escrow, limits, refunds
from accounts.gateways.stub.models import CheckoutSession, Fault
from accounts.models import Deposit
from detention.models import Role
from tests import situations
from tests.accounts.money_situations import kinds, standing, trace
from tests.queue import queued, run_queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def link():
    return situations.verified_link()


@pytest.fixture
def family(client, link):
    client.force_login(link.relative.user)
    return client


def press_pay(family, link, yuan="200"):
    """Go from the amount to the provider's page as a person would; return its address."""
    page = family.get(reverse("check_payment", args=[link.public_id]), {"amount": yuan})
    hidden = dict(re.findall(r'name="(amount|once)" value="([^"]+)"', page.content.decode()))
    answer = family.post(reverse("pay", args=[link.public_id]), hidden)
    assert answer.status_code == 302
    return answer["Location"]


def outcome(family, deposit):
    page = family.get(reverse("deposit_result", args=[deposit.public_id])).content.decode()
    return re.search(r'data-outcome="(\w+)"', page)[1]


def test_a_payment_travels_from_the_amount_page_to_the_account(family, link):
    checkout = press_pay(family, link, "２００ 元")

    back = family.post(checkout, {"act": "pay", "method": "alipay"})
    first_seen = outcome(family, deposit := Deposit.objects.get())
    run_queued()

    assert back["Location"].endswith(reverse("deposit_result", args=[deposit.public_id]))
    assert (first_seen, outcome(family, deposit)) == ("unknown", "received")
    assert escrow.balance(link.custody).available == 20_000
    assert standing(link.custody) == {"ESCROW": 20_000, "GATEWAY": -20_000}
    assert kinds() == ["deposit_captured"]
    deposit.refresh_from_db()
    assert deposit.method == "alipay"


def test_the_button_pressed_twice_makes_one_deposit_and_leads_to_the_same_page(family, link):
    page = family.get(reverse("check_payment", args=[link.public_id]), {"amount": "200"})
    hidden = dict(re.findall(r'name="(amount|once)" value="([^"]+)"', page.content.decode()))

    first, second = (family.post(reverse("pay", args=[link.public_id]), hidden) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert (Deposit.objects.count(), CheckoutSession.objects.count()) == (1, 1)


def test_a_stale_form_with_another_amount_is_a_conflict(family, link):
    page = family.get(reverse("check_payment", args=[link.public_id]), {"amount": "200"})
    hidden = dict(re.findall(r'name="(amount|once)" value="([^"]+)"', page.content.decode()))
    family.post(reverse("pay", args=[link.public_id]), hidden)
    before = trace(link.custody)

    answer = family.post(reverse("pay", args=[link.public_id]), {**hidden, "amount": "30000"})

    assert answer.status_code == 409
    assert trace(link.custody) == before


@pytest.mark.parametrize(
    "typed", ["", "0", "-5", "1e3", "abc", "二百", "1.234", "10000000000000", "1,23", "NaN"]
)
def test_a_wrong_amount_comes_back_with_what_was_typed_and_an_example(family, link, typed):
    before = trace(link.custody)

    answer = family.get(reverse("check_payment", args=[link.public_id]), {"amount": typed})

    assert answer.status_code == 422
    assert "200.50" in answer.content.decode()
    assert f'value="{typed}"' in answer.content.decode() or typed == ""
    assert trace(link.custody) == before


@pytest.mark.parametrize(("typed", "says"), [("1000.01", "¥1,000.00"), ("999999999", "¥1,000.00")])
def test_an_amount_above_the_cap_is_refused_with_the_number(family, link, typed, says):
    before = trace(link.custody)

    answer = family.get(reverse("check_payment", args=[link.public_id]), {"amount": typed})

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert trace(link.custody) == before


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"amount": "-1", "once": "0" * 32},
        {"amount": "1.5", "once": "0" * 32},
        {"amount": "20000", "once": "x"},
        {"amount": str(10**30), "once": "0" * 32},
    ],
)
def test_a_broken_pay_form_leads_back_to_the_amount_and_starts_nothing(family, link, sent):
    before = trace(link.custody)

    answer = family.post(reverse("pay", args=[link.public_id]), sent)

    assert answer["Location"] == reverse("send_money", args=[link.public_id])
    assert trace(link.custody) == before


def test_the_room_is_shown_before_anything_is_typed(family, link):
    situations.started_deposit(link, 95_500)

    page = family.get(reverse("send_money", args=[link.public_id])).content.decode()

    assert '<data class="room" value="100000">' in page


@pytest.mark.parametrize("name", ["send_money", "check_payment", "pay", "money_history"])
def test_somebody_elses_link_is_not_found(family, name):
    others = situations.verified_link()
    before = trace(others.custody)

    method = family.post if name == "pay" else family.get
    answer = method(reverse(name, args=[others.public_id]), {"amount": "200"})

    assert answer.status_code == 404
    assert trace(others.custody) == before


@pytest.mark.parametrize("name", ["send_money", "check_payment", "pay", "money_history"])
def test_a_link_that_waits_for_review_is_not_found(client, name):
    waiting = situations.requested_link(situations.held_person())
    client.force_login(waiting.relative.user)

    method = client.post if name == "pay" else client.get

    assert method(reverse(name, args=[waiting.public_id])).status_code == 404


@pytest.mark.parametrize(
    "name",
    ["deposit_result", "deposit_state", "deposit_cancelled", "deposit_receipt", "give_up_deposit"],
)
def test_somebody_elses_deposit_is_not_found(family, name):
    others = situations.credited_deposit()

    method = family.post if name == "give_up_deposit" else family.get

    assert method(reverse(name, args=[others.public_id])).status_code == 404


def test_the_result_page_never_posts_and_asks_at_most_every_few_seconds(family, link):
    press_pay(family, link)
    deposit = Deposit.objects.get()
    run_queued()
    Deposit.objects.update(asked_at=None)

    for _ in range(3):
        family.get(reverse("deposit_result", args=[deposit.public_id]))

    assert queued() == [f"config.reactions.react(deposit_doubtful, {deposit.pk})"]
    assert kinds() == []


def test_coming_back_unpaid_says_that_nothing_was_taken_and_the_page_can_be_paid_yet(family, link):
    checkout = press_pay(family, link)
    back = family.post(checkout, {"act": "cancel", "method": "card"})

    page = family.get(back["Location"], follow=True).content.decode()

    assert 'data-outcome="cancelled"' in page
    assert "没有扣款" in page
    assert checkout in page


def test_a_declined_payment_is_told_as_declined(family, link):
    checkout = press_pay(family, link)
    family.post(checkout, {"act": "decline", "method": "card"})
    deposit = Deposit.objects.get()
    family.get(reverse("deposit_cancelled", args=[deposit.public_id]), follow=True)
    run_queued()

    assert outcome(family, deposit) == "declined"


def test_giving_up_frees_the_room(family, link):
    for _ in range(3):
        situations.started_deposit(link, 10_000)
    press_pay(family, link)
    full = limits.room(link, at=timezone.now())
    deposit = Deposit.objects.latest("pk")

    family.post(reverse("give_up_deposit", args=[deposit.public_id]))

    assert outcome(family, deposit) == "stopped"
    assert (full, limits.room(link, at=timezone.now())) == (0, 100_000)


def test_a_provider_that_is_away_is_told_and_no_money_is_taken(family, link):
    Fault.objects.create(kind=Fault.Kind.DOWN, where="POST /v1/checkout/sessions", left=2)

    where = press_pay(family, link)

    deposit = Deposit.objects.get()
    assert where == reverse("deposit_result", args=[deposit.public_id])
    assert outcome(family, deposit) == "opening"


@pytest.mark.parametrize(
    ("label", "happens", "code", "says"),
    [
        ("credited", lambda d: situations.paid(d), "received", "已扣款"),
        ("one fen less", lambda d: situations.paid(d, amount=19_999), "checking", "已扣款"),
        ("expired", lambda d: deposits.expire(d, at=timezone.now()), "expired", "没有扣款"),
        ("failed", lambda d: deposits.fail(d, at=timezone.now()), "failed", "没有扣款"),
    ],
)
def test_every_answer_says_whether_money_was_taken(family, link, label, happens, code, says):
    deposit = happens(situations.started_deposit(link, 20_000))

    page = family.get(reverse("deposit_result", args=[deposit.public_id])).content.decode()

    assert f'data-outcome="{code}"' in page
    assert says in page


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("requested", "refunding"),
        ("unknown", "refunding"),
        ("succeeded", "refunded"),
        ("failed", "refund_stuck"),
    ],
)
def test_a_refused_deposit_tells_how_its_refund_stands(family, link, state, code):
    deposit = situations.waiting_deposit(link)
    finance = situations.officer(link.custody.facility, Role.FINANCE)
    deposit = deposits.refuse(deposit, reason="金额不符。", by=finance, at=timezone.now())
    refund = deposit.refunds.get()
    if state == "unknown":
        refunds.unknown(refund, at=timezone.now())
    elif state != "requested":
        refunds.result(refund, refund_id="re_1", state=state, at=timezone.now())

    page = family.get(reverse("deposit_result", args=[deposit.public_id])).content.decode()

    assert f'data-outcome="{code}"' in page
    assert "金额不符。" in page


def test_an_open_answer_refreshes_itself_and_a_final_one_does_not(family, link):
    deposit = situations.started_deposit(link)
    address = reverse("deposit_state", args=[deposit.public_id])

    still_open = family.get(address).content.decode()
    situations.paid(deposit)
    final = family.get(address).content.decode()

    assert f'hx-get="{address}"' in still_open
    assert "hx-get" not in final


def test_a_payment_page_in_the_payers_language_names_no_one(family, link):
    press_pay(family, link)

    session = CheckoutSession.objects.get()
    assert session.description == f"存款 {Deposit.objects.get().number}"
    assert link.custody.detainee.name not in session.description
