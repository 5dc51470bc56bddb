"""The desk's pages: who sees what, and that each page calls its verb once."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from commissary import fulfilment, orders
from commissary.models import HandOver, Order
from detention.models import AuditRecord, Role
from tests import situations
from tests.commissary import shop
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

SIGNED = json.dumps(shop.SIGNED.strokes)


@pytest.fixture
def guard(client):
    """A guard who is signed in, in a facility with a shop and a person who has ¥500."""
    held, goods = shop.shopper()
    user = situations.officer(held.facility)
    client.force_login(user)
    user.held, user.goods = held, goods
    return user


def _act(client, name, order, data):
    return client.post(reverse(name, args=[order.public_id]), data)


def _quantities(order, **changed):
    return {
        f"quantity_{line.pk}": changed.get(sku, line.quantity)
        for sku, line in shop.lines(order).items()
    }


def _page(answer):
    return answer.content.decode()


def test_waiting_orders_come_oldest_first_with_cell_masked_name_and_total(client, guard):
    older = shop.place(guard.held, guard.goods, soap=2, noodles=3)
    newer = shop.place(guard.held, guard.goods, ointment=1)
    elsewhere = shop.placed()

    page = _page(client.get(reverse("orders")))

    assert page.index(older.number) < page.index(newer.number)
    assert "¥18.00" in page
    assert guard.held.cell.code in page
    assert "王*明" in page
    assert "王小明" not in page
    assert "医药" in page
    assert elsewhere.number not in page


def test_the_list_is_narrowed_to_one_cell(client, guard):
    here = shop.place(guard.held, guard.goods, soap=1)
    neighbour = situations.funded(situations.held_person(guard.held.facility), 100_00)
    there = shop.place(neighbour, guard.goods, soap=1)

    page = _page(client.get(reverse("orders"), {"cell": neighbour.cell.code}))

    assert there.number in page
    assert here.number not in page


def test_the_list_asks_the_same_number_of_questions_however_long_it_is(client, guard):
    shop.place(guard.held, guard.goods, soap=1)
    client.get(reverse("orders"))
    with _counted() as one:
        client.get(reverse("orders"))
    for _ in range(3):
        shop.place(guard.held, guard.goods, soap=1, milk=1)
    with _counted() as four:
        client.get(reverse("orders"))

    assert len(four) == len(one)


def _counted():
    return CaptureQueriesContext(connection)


def test_approving_asks_once_more_and_then_approves(client, guard):
    order = shop.place(guard.held, guard.goods, soap=2)

    asked = _act(client, "approve_order", order, _quantities(order))
    assert asked.status_code == 200
    assert "¥9.00" in _page(asked)
    assert Order.objects.get().state == "placed"
    done = _act(client, "approve_order", order, {**_quantities(order), "confirmed": "on"})

    assert (done.status_code, done.url) == (302, reverse("orders"))
    assert Order.objects.get().approved_by == guard


def test_approving_a_part_needs_its_reason_at_the_field(client, guard):
    order = shop.place(guard.held, guard.goods, soap=2)
    less = {**_quantities(order, soap=1), "confirmed": "on"}

    refused = _act(client, "approve_order", order, less)
    done = _act(client, "approve_order", order, {**less, "reason": "too_many"})

    assert refused.status_code == 422
    assert "请选择原因。" in _page(refused)
    assert done.status_code == 302
    assert Order.objects.get().state == "part_approved"
    assert shop.money(guard.held) == (500_00, 4_50)


@pytest.mark.parametrize("quantity", ["3", "-1", "", "one", "1.5", "9" * 30])
def test_a_quantity_that_cannot_be_is_told_at_its_field(client, guard, quantity):
    order = shop.place(guard.held, guard.goods, soap=2)

    refused = _act(
        client, "approve_order", order, {**_quantities(order, soap=quantity), "confirmed": "on"}
    )

    assert refused.status_code == 422
    assert Order.objects.get().state == "placed"
    assert shop.money(guard.held) == (500_00, 9_00)


def _tick(client, *ticked, **more):
    ids = [str(order.public_id) for order in ticked]
    return client.post(reverse("approve_orders"), {"order": ids, **more})


def test_clean_orders_are_approved_together_after_asking_once_more(client, guard):
    first, second = (shop.place(guard.held, guard.goods, soap=n) for n in (1, 2))

    asked = _tick(client, first, second)
    assert "¥13.50" in _page(asked)
    assert set(Order.objects.values_list("state", flat=True)) == {"placed"}
    done = _tick(client, first, second, confirmed="on")

    assert (done.status_code, done.url) == (302, reverse("orders"))
    assert set(Order.objects.values_list("state", flat=True)) == {"approved"}


def test_a_ticked_order_that_changed_meanwhile_is_left_out_and_told(client, guard):
    first, second = (shop.place(guard.held, guard.goods, soap=n) for n in (1, 2))
    faster = situations.officer(first.facility)
    orders.reject(first, reason="too_many", by=faster, at=timezone.now())

    page = _page(
        client.post(
            reverse("approve_orders"),
            {"order": [first.public_id, second.public_id], "confirmed": "on"},
            follow=True,
        )
    )

    assert f"订单 {first.number} 未批准：{faster.name} 已经处理过" in page
    assert "已批准 1 张订单。" in page
    assert Order.objects.get(pk=first.pk).state == "rejected"


def test_flagged_strange_and_spoilt_orders_cannot_be_ticked(client, guard):
    medical = shop.place(guard.held, guard.goods, ointment=1)
    elsewhere = shop.placed()

    page = _page(client.get(reverse("orders")))
    for ticked in ([medical], [elsewhere], []):
        assert _tick(client, *ticked, confirmed="on").url == reverse("orders")
    client.post(reverse("approve_orders"), {"order": ["1", "' or 1"], "confirmed": "on"})

    assert str(medical.public_id) in page
    assert f'value="{medical.public_id}"' not in page
    assert set(Order.objects.values_list("state", flat=True)) == {"placed"}


def test_own_recorded_order_shows_why_instead_of_buttons_and_a_post_by_hand_is_refused_and_kept(
    client, guard
):
    order = orders.place(
        guard.held, shop.envelope(guard.goods, soap=1), by=guard, at=timezone.now()
    )

    page = _page(client.get(reverse("order", args=[order.public_id])))
    approve = _act(client, "approve_order", order, {**_quantities(order), "confirmed": "on"})
    reject = _act(client, "reject_order", order, {"reason": "too_many", "confirmed": "on"})

    assert "这张订单是您本人录入的。" in page
    assert reverse("approve_order", args=[order.public_id]) not in page
    assert (approve.status_code, reject.status_code) == (403, 403)
    assert Order.objects.get().state == "placed"
    assert AuditRecord.objects.filter(action="order.self_approval_refused").count() == 2


def test_the_second_guard_reads_who_was_faster(client, guard):
    order = shop.place(guard.held, guard.goods, soap=1)
    faster = situations.officer(order.facility)
    stale = _quantities(order)
    orders.approve(order, by=faster, at=timezone.now())

    answer = _act(client, "approve_order", order, {**stale, "confirmed": "on"})

    assert answer.status_code == 422
    assert f"{faster.name} 已经处理过" in _page(answer)
    assert Order.objects.get().approved_by == faster


def test_rejecting_asks_once_more_and_gives_the_money_back(client, guard):
    order = shop.place(guard.held, guard.goods, soap=1)

    none = _act(client, "reject_order", order, {})
    asked = _act(client, "reject_order", order, {"reason": "medical"})
    done = _act(client, "reject_order", order, {"reason": "medical", "confirmed": "on"})

    assert (none.status_code, asked.status_code, done.status_code) == (422, 200, 302)
    assert Order.objects.get().reason == "medical"
    assert shop.money(guard.held) == (500_00, 0)


def test_a_guard_cancels_what_cannot_be_delivered(client, guard):
    order = shop.place(guard.held, guard.goods, soap=1)

    done = _act(client, "cancel_order", order, {"reason": "not_wanted"})

    assert done.status_code == 302
    assert Order.objects.get().state == "cancelled"
    assert shop.money(guard.held) == (500_00, 0)


def test_an_order_of_another_facility_does_not_exist_here(client, guard):
    order = shop.placed()

    for name in ("order", "approve_order", "reject_order", "pick_order", "hand_over"):
        answer = client.post(
            reverse(name, args=[order.public_id]), {**_quantities(order), "confirmed": "on"}
        )
        assert answer.status_code == 404

    assert Order.objects.get().state == "placed"


def _paper(guard, **changes):
    prices = {f"shown_{sku}": str(fen) for sku, (_s, _v, fen, _m) in shop.GOODS.items()}
    return {
        "number": guard.held.number.lower(),
        "client_id": "6f1c7a52-8d5c-4f8e-9a51-0d8f6e2b7c11",
        "version": "1",
        "quantity_soap": "2",
        "quantity_milk": "1",
        **prices,
        **changes,
    }


def test_a_paper_order_is_shown_once_more_and_recorded_once(client, guard):
    asked = client.post(reverse("paper_order"), _paper(guard))
    assert asked.status_code == 200
    assert "¥15.00" in _page(asked)
    assert Order.objects.count() == 0

    answers = [client.post(reverse("paper_order"), _paper(guard, confirmed="on")) for _ in range(2)]

    order = Order.objects.get()
    assert [answer.url for answer in answers] == [reverse("order", args=[order.public_id])] * 2
    assert (order.recorded_by, order.device) == (guard, None)
    assert shop.money(guard.held) == (500_00, 15_00)


def test_a_paper_order_can_be_changed_before_it_is_recorded(client, guard):
    answer = client.post(reverse("paper_order"), _paper(guard, back="on"))

    assert 'name="quantity_soap" value="2"' in _page(answer)
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("nobody", {"number": "X999"}),
        ("nothing wanted", {"quantity_soap": "", "quantity_milk": "0"}),
        ("too many", {"quantity_soap": "100"}),
        ("no number", {"quantity_soap": "two"}),
        ("spoilt id", {"client_id": "1"}),
        ("more than one order may hold", {"quantity_soap": "4"}),
        ("more than there is", {"quantity_book": "5", "quantity_milk": "5", "number": "poor"}),
        ("a card number", {"number": "4242 4242 4242 4242"}),
    ],
)
def test_a_paper_order_that_cannot_be_is_refused_and_moves_nothing(client, guard, case, changes):
    if changes.get("number") == "poor":
        poor = situations.funded(situations.held_person(guard.held.facility), 10_00)
        changes = {**changes, "number": poor.number}
    before = shop.moved()

    answer = client.post(reverse("paper_order"), _paper(guard, confirmed="on", **changes))

    assert answer.status_code == 422, case
    assert shop.moved() == before


def test_a_person_of_another_facility_has_no_number_here(client, guard):
    elsewhere = situations.funded(situations.held_person(), 100_00)

    answer = client.post(
        reverse("paper_order"), _paper(guard, number=elsewhere.number, confirmed="on")
    )

    assert answer.status_code == 422
    assert Order.objects.count() == 0


def test_a_paper_order_at_an_old_price_asks_again_at_the_new_one(client, guard):
    shop.reprice(guard.goods["soap"], 5_00)

    refused = client.post(reverse("paper_order"), _paper(guard, confirmed="on"))
    page = _page(refused)

    assert refused.status_code == 422
    assert 'name="shown_soap" value="500"' in page
    assert Order.objects.count() == 0


def test_picking_and_hand_over_lists_show_what_is_due_by_cell(client, guard):
    to_pick = orders.approve(
        shop.place(guard.held, guard.goods, soap=1), by=guard, at=timezone.now()
    )
    on_its_way = fulfilment.pick(
        orders.approve(shop.place(guard.held, guard.goods, milk=1), by=guard, at=timezone.now()),
        by=guard,
        at=timezone.now(),
    )

    picking, hand_overs = (_page(client.get(reverse(n))) for n in ("picking", "hand_overs"))

    assert (to_pick.number in picking, on_its_way.number in picking) == (True, False)
    assert (to_pick.number in hand_overs, on_its_way.number in hand_overs) == (False, True)
    assert "王小明" not in picking + hand_overs


def test_picking_less_releases_the_rest(client, guard):
    order = orders.approve(shop.place(guard.held, guard.goods, soap=2), by=guard, at=timezone.now())

    done = _act(client, "pick_order", order, _quantities(order, soap=1))

    assert (done.status_code, done.url) == (302, reverse("picking"))
    assert shop.money(guard.held) == (500_00, 4_50)


@pytest.fixture
def parcel(guard):
    """An order of two soaps and a milk on its way."""
    order = orders.approve(
        shop.place(guard.held, guard.goods, soap=2, milk=1), by=guard, at=timezone.now()
    )
    return fulfilment.pick(order, by=guard, at=timezone.now())


def _hand_over(client, order, *, short=None, **changes):
    data = {**_quantities(order, **(short or {})), "proof": "screen", "agreed": "on", **changes}
    return _act(client, "hand_over", order, data)


def test_a_signature_on_the_screen_finishes_the_hand_over(client, guard, parcel):
    done = _hand_over(client, parcel, signature=SIGNED)

    assert (done.status_code, done.url) == (
        302,
        reverse("order_receipt", args=[parcel.public_id]),
    )
    assert HandOver.objects.get().strokes == shop.SIGNED.strokes
    assert shop.money(guard.held) == (485_00, 0)
    receipt = _page(client.get(done.url))
    assert "壹拾伍元整" in receipt
    assert '<polyline points="100,200 180,120 260,240"/>' in receipt


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("unsigned", {}),
        ("no JSON", {"signature": "scribble"}),
        ("a dot", {"signature": "[[[1,1],[2,2]]]"}),
        ("too deep", {"signature": "[" * 100_000}),
        ("not agreed", {"signature": SIGNED, "agreed": ""}),
        ("unknown proof", {"signature": SIGNED, "proof": "promise"}),
        ("short without reason", {"signature": SIGNED, "short": {"soap": 1}}),
        ("too many", {"signature": SIGNED, "short": {"soap": 3}}),
        ("paper without witness", {"proof": "paper"}),
        ("witness who is nobody", {"proof": "paper", "witness": "x", "witness_password": "y"}),
    ],
)
def test_an_unproven_hand_over_is_refused_and_pays_nobody(client, guard, parcel, case, changes):
    refused = _hand_over(client, parcel, **changes)

    assert refused.status_code == 422, case
    assert HandOver.objects.count() == 0
    assert shop.money(guard.held) == (500_00, 15_00)
    assert shop.owed(parcel.facility) == {}


def test_a_witness_stands_for_the_paper_copy_with_their_own_password(client, guard, parcel):
    witness = situations.officer(parcel.facility, Role.ADMINISTRATOR)
    named = {"proof": "paper", "witness": witness.login}

    wrong = _hand_over(client, parcel, **named, witness_password="guessed")
    done = _hand_over(client, parcel, **named, witness_password=PASSWORD)

    assert (wrong.status_code, done.status_code) == (422, 302)
    assert HandOver.objects.get().witness == witness


def test_the_officer_is_no_witness_for_themselves(client, guard, parcel):
    answer = _hand_over(
        client, parcel, proof="paper", witness=guard.login, witness_password=PASSWORD
    )

    assert answer.status_code == 403
    assert HandOver.objects.count() == 0


def test_nothing_handed_over_is_witnessed_and_costs_nothing(client, guard, parcel):
    witness = situations.officer(parcel.facility)
    reasons = {f"reason_{line.pk}": "absent" for line in shop.lines(parcel).values()}

    done = _hand_over(
        client,
        parcel,
        proof="none",
        witness=witness.login,
        witness_password=PASSWORD,
        **reasons,
    )

    assert done.status_code == 302
    assert Order.objects.get().state == "undelivered"
    assert shop.money(guard.held) == (500_00, 0)


def test_a_witness_stays_a_witness_and_is_not_signed_in(client, guard, parcel):
    witness = situations.officer(parcel.facility)

    _hand_over(client, parcel, proof="paper", witness=witness.login, witness_password=PASSWORD)

    assert client.session["_auth_user_id"] == str(guard.pk)


@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR])
def test_other_officers_read_an_order_but_find_no_buttons(client, role):
    order = shop.placed()
    client.force_login(situations.officer(order.facility, role))

    page = _page(client.get(reverse("order", args=[order.public_id])))

    assert order.number in page
    for name in ("approve_order", "reject_order", "cancel_order", "pick_order", "hand_over"):
        assert reverse(name, args=[order.public_id]) not in page
