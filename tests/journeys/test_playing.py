"""The day's own arithmetic; the day itself is played by `make run ONCE=1` through real doors."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from config.playing import families
from config.playing.day import Totals
from config.playing.lawyers import differences
from detention import identity


@pytest.mark.parametrize("run", ["1", "zz9", "1g4xk2"])
def test_every_identity_number_of_a_day_fits_its_check_character_and_is_its_own(run):
    made = [families.made(i, run).identity_number for i in range(200)]

    assert [identity.identity_number(number) for number in made] == made
    assert len(set(made)) == 200


def test_a_family_counts_what_must_be_left_and_names_each_door_that_says_otherwise():
    family = families.made(3, "run")
    family.paid, family.refunded, family.spent = 52_000, 12_000, 7_500
    family.shown, family.available = 32_500, 32_499

    assert family.balance == 32_500
    assert family.faults == ["family 3: tablet says 32499, expected 32500"]


def test_totals_since_count_a_kind_that_was_not_there_before():
    before = Totals(paid=10, refunded=1, books={"GATEWAY": -9})
    after = Totals(paid=25, refunded=1, books={"GATEWAY": -24, "VENDOR": 5})

    found = after.since(before)

    assert (found.paid, found.refunded, found.books) == (15, 0, {"GATEWAY": -15, "VENDOR": 5})


def test_a_basket_never_costs_more_than_there_is():
    products = [
        {"sku": str(i), "price": price, "max_per_order": 2, "outside_limit": False}
        for i, price in enumerate([300, 1_200, 450, 2_000, 90])
    ]

    for serial in range(40):
        for most in (0, 89, 500, 15_000):
            lines = families.basket({"products": products}, serial, most)
            assert sum(line["quantity"] * line["shown_price"] for line in lines) <= most
            assert len({line["sku"] for line in lines}) == len(lines)


def test_a_slot_differs_when_the_board_shows_more_or_fewer_visits_than_were_booked():
    eight, nine, ten = (datetime(2027, 6, 21, hour, tzinfo=UTC) for hour in (0, 1, 2))
    booked = Counter({eight: 2, nine: 1})

    assert differences(booked, Counter({eight: 2, nine: 1, ten: 0})) == []
    assert differences(booked, Counter({eight: 2, ten: 1})) == [
        "2027-06-21 09:00: 0 more taken on the board, 1 booked",
        "2027-06-21 10:00: 1 more taken on the board, 0 booked",
    ]
