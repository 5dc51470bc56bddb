import pytest
from django.urls import reverse

from accounts import escrow
from accounts.ledger import totals
from detention.models import Role
from tests import situations

pytestmark = pytest.mark.django_db


def test_the_totals_of_a_book_are_zero_together_and_know_no_other_book():
    link = situations.verified_link()
    situations.credited_deposit(link, 20_000)
    situations.waiting_deposit(link, 10_000)
    situations.credited_deposit(amount=77_700)
    book = escrow.book_of(link.custody.facility)

    rows = totals.by_kind(book)

    assert [(t.kind, t.accounts, t.posted, t.shown, t.held) for t in rows] == [
        ("ESCROW", 1, 20_000, 20_000, 0),
        ("SUSPENSE", 1, 9_999, 9_999, 0),
        ("GATEWAY", 1, -29_999, 29_999, 0),
    ]


def test_the_books_are_read_with_a_fixed_number_of_statements(django_assert_num_queries):
    link = situations.verified_link()
    situations.credited_deposit(link, 20_000)
    book = escrow.book_of(link.custody.facility)

    with django_assert_num_queries(3):
        totals.by_kind(book)


@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR])
def test_the_page_shows_each_kind_on_its_normal_side(client, role):
    link = situations.verified_link()
    situations.credited_deposit(link, 20_000)
    client.force_login(situations.officer(link.custody.facility, role))

    page = client.get(reverse("books")).content.decode()

    assert '<data value="-20000" data-kind="GATEWAY">¥200.00</data>' in page
    assert '<data value="20000" data-kind="ESCROW">¥200.00</data>' in page


def test_a_guard_does_not_see_the_books(client):
    held = situations.held_person()
    client.force_login(situations.officer(held.facility, Role.GUARD))

    assert client.get(reverse("books")).status_code == 403


def test_the_page_of_a_facility_without_money_opens_no_book(client):
    held = situations.held_person()
    client.force_login(situations.officer(held.facility, Role.AUDITOR))

    answer = client.get(reverse("books"))

    assert (answer.status_code, escrow.find_book(held.facility)) == (200, None)
