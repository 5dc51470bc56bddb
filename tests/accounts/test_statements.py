"""Statements: what a relative may see, what officers see, and what a page costs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import escrow, statements
from accounts.statements import Described
from detention import access
from detention.models import Custody, Role
from tests import situations
from tests.commissary import shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def link():
    return situations.verified_link()


def told(page):
    return [(row.kind, row.amount, row.described.reference) for row in page.rows]


def test_a_relative_sees_own_deposits_and_not_those_of_others(link):
    mine = situations.credited_deposit(link, 20_000)
    situations.credited_deposit(situations.verified_link(link.custody), 30_000)

    page = statements.for_relative(link)

    assert told(page) == [("deposit_captured", 20_000, mine.number)]


def test_officers_see_everything_with_the_balance_after_each_line(link):
    first = situations.credited_deposit(link, 20_000)
    second = situations.credited_deposit(situations.verified_link(link.custody), 30_000)

    page = statements.whole(link.custody)

    assert [(r.described.reference, r.posted_after) for r in page.rows] == [
        (second.number, 50_000),
        (first.number, 20_000),
    ]


def test_a_purchase_is_shown_and_money_only_set_aside_is_not():
    done = shop.handed_over(soap=1)
    held = done.order.custody
    link = situations.verified_link(held)

    page = statements.for_relative(link)

    assert [row.kind for row in page.rows] == ["order_captured"]
    assert page.rows[0].amount < 0


@pytest.mark.parametrize("level", list(Custody.Visible))
def test_describers_are_asked_at_the_level_the_detainee_consented_to(link, monkeypatch, level):
    situations.credited_deposit(link, 20_000)
    Custody.objects.filter(pk=link.custody_id).update(visible=level)
    link.custody.refresh_from_db()
    asked = []

    def describe(ids, level):
        asked.append((list(ids), level))
        return {pk: Described(text="x") for pk in ids}

    monkeypatch.setitem(statements.DESCRIBERS, "deposit", statements.Describer(describe))
    statements.for_relative(link)

    assert [level for _ids, level in asked] == [str(level)]


def test_pages_follow_each_other_without_gap_or_repeat(link):
    for _ in range(4):
        situations.credited_deposit(link, 1_000)

    first = statements.for_relative(link, limit=3)
    second = statements.for_relative(link, before=first.more, limit=3)

    assert [row.seq for row in first.rows + second.rows] == [4, 3, 2, 1]
    assert (first.more, second.more) == (2, None)


@pytest.mark.parametrize("deposits", [1, 3])
def test_a_page_costs_the_same_however_many_lines_it_has(link, deposits):
    for _ in range(deposits):
        situations.credited_deposit(link, 1_000)
    link = access.verified_relationship(link.relative, link.public_id)

    with CaptureQueriesContext(connection) as relative:
        statements.for_relative(link)
    with CaptureQueriesContext(connection) as officer:
        statements.whole(link.custody)

    # own deposits, account, entries, one describer; officers need no list of own deposits
    assert (len(relative), len(officer)) == (4, 3)


def test_an_empty_account_has_an_empty_statement_and_opens_nothing(link):
    page = statements.for_relative(link)

    assert (page.rows, page.more) == ([], None)
    assert escrow.balance(link.custody).posted == 0


def test_the_history_page_groups_by_month_and_hides_the_balance(client, link):
    situations.credited_deposit(link, 20_000)
    situations.credited_deposit(situations.verified_link(link.custody), 33_300)
    client.force_login(link.relative.user)

    page = client.get(reverse("money_history", args=[link.public_id])).content.decode()

    assert "+¥200.00" in page
    assert "333.00" not in page
    assert "533.00" not in page


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "１２"])
def test_a_page_address_that_is_no_number_begins_at_the_top(client, link, before):
    situations.credited_deposit(link, 20_000)
    client.force_login(link.relative.user)

    page = client.get(reverse("money_history", args=[link.public_id]), {"before": before})

    assert (page.status_code, "¥200.00" in page.content.decode()) == (200, True)


def test_the_persons_page_shows_balance_to_finance_of_the_facility_only(client, link):
    situations.credited_deposit(link, 20_000)
    elsewhere = situations.held_person().facility
    address = reverse("trail_person", args=[link.custody.public_id])

    client.force_login(situations.officer(link.custody.facility, Role.FINANCE))
    mine = client.get(address)
    client.force_login(situations.officer(elsewhere, Role.FINANCE))
    theirs = client.get(address)

    assert 'data-balance="available" value="20000"' in mine.content.decode()
    assert theirs.status_code == 404
