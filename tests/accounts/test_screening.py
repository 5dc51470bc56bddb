"""The rules as a table: a pure function, no database."""

import pytest

from accounts import screening
from accounts.screening import Action, Facts, Finding, Limits

LIMITS = Limits(
    single_max=100_000,
    month_max=300_000,
    month_times=4,
    balance_max=500_000,
    open_to_strangers=False,
)


def facts(**changes):
    usual = {
        "amount": 20_000,
        "linked": True,
        "held_here": True,
        "deposits_frozen": False,
        "month_total": 0,
        "month_times": 0,
        "balance": 0,
    }
    return Facts(**{**usual, **changes})


def limits(**changes):
    return Limits(**{**vars(LIMITS), **changes})


@pytest.mark.parametrize(
    ("label", "changes", "code", "action", "measured", "limit"),
    [
        ("L01 one fen over", {"amount": 100_001}, "L01", Action.REFUSE, 100_001, 100_000),
        ("L02 sum one fen over", {"month_total": 280_001}, "L02", Action.REFUSE, 300_001, 300_000),
        ("L02 fifth payment", {"month_times": 4}, "L02", Action.REFUSE, 5, 4),
        ("L03 one fen over", {"balance": 480_001}, "L03", Action.REFUSE, 500_001, 500_000),
        ("P01 not linked", {"linked": False}, "P01", Action.REFUSE, None, None),
        ("P02 not held here", {"held_here": False}, "P02", Action.REFUSE, None, None),
        ("P02 frozen", {"deposits_frozen": True}, "P02", Action.REFUSE, None, None),
        ("A01 other amount", {"as_asked": False}, "A01", Action.HOLD, None, None),
        ("A02 too late", {"in_time": False}, "A02", Action.HOLD, None, None),
    ],
)
def test_each_rule_says_what_it_measured(label, changes, code, action, measured, limit):
    (found,) = screening.findings(facts(**changes), LIMITS)

    assert (found.code, found.action, found.measured, found.limit) == (
        code,
        action,
        measured,
        limit,
    )


@pytest.mark.parametrize(
    ("label", "changes"),
    [
        ("an ordinary deposit", {}),
        ("exactly the single cap", {"amount": 100_000}),
        ("exactly the month's sum", {"month_total": 280_000}),
        ("the fourth payment", {"month_times": 3}),
        ("exactly the balance cap", {"balance": 480_000}),
    ],
)
def test_what_is_within_the_rules_passes(label, changes):
    found = screening.findings(facts(**changes), LIMITS)

    assert (found, screening.verdict(found)) == ([], None)


def test_a_stranger_is_held_where_the_facility_allows_strangers():
    (found,) = screening.findings(facts(linked=False), limits(open_to_strangers=True))

    assert (found.code, found.action) == ("P01", Action.HOLD)


def test_the_highest_action_wins():
    found = [
        Finding(code="N", action=Action.NOTE),
        Finding(code="R", action=Action.REFUSE),
        Finding(code="H", action=Action.HOLD),
    ]

    assert screening.verdict(found) == Action.REFUSE
    assert screening.verdict(found[:1]) == Action.NOTE


def test_a_screening_that_failed_holds():
    assert screening.verdict(screening.failed()) == Action.HOLD


@pytest.mark.parametrize(
    ("label", "changes", "fits"),
    [
        ("nothing in the way", {}, 20_000),
        ("the month takes a part", {"month_total": 290_000}, 10_000),
        ("the balance takes less", {"month_total": 290_000, "balance": 497_500}, 2_500),
        ("no payment left", {"month_times": 4}, 0),
        ("the balance is full", {"balance": 500_000}, 0),
        ("the balance is above its cap", {"balance": 600_000}, 0),
        ("above the single cap", {"amount": 150_000}, 100_000),
    ],
)
def test_what_fits_is_the_smallest_of_the_caps(label, changes, fits):
    assert screening.fitting(facts(**changes), LIMITS) == fits


@pytest.mark.parametrize(
    ("label", "changes", "room"),
    [
        ("an empty account", {}, 100_000),
        ("rounded down to ten yuan", {"month_total": 260_101}, 39_000),
        ("the balance decides", {"balance": 499_999}, 0),
        ("no payment left", {"month_times": 4}, 0),
        ("frozen", {"deposits_frozen": True}, 0),
        ("not held here", {"held_here": False}, 0),
    ],
)
def test_the_room_shown_is_one_number_that_does_not_tell_the_balance(label, changes, room):
    assert screening.room(facts(amount=0, **changes), LIMITS) == room


@pytest.mark.parametrize(
    ("label", "changes", "expected"),
    [
        ("only the month", {"month_total": 290_000}, True),
        ("month and balance", {"month_total": 290_000, "balance": 490_000}, True),
        ("also another amount", {"month_total": 290_000, "as_asked": False}, False),
        ("also not linked", {"month_total": 290_000, "linked": False}, False),
        ("nothing", {}, False),
    ],
)
def test_a_part_may_pass_when_nothing_but_the_amount_is_in_the_way(label, changes, expected):
    found = screening.findings(facts(**changes), LIMITS)

    assert screening.only_too_much(found) is expected
