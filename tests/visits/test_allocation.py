from datetime import timedelta

import pytest

from visits import allocation
from visits.allocation import FreeRoom, FreeSlot, Place


def _slot(pk, rooms=1, escorts=(1, 2), pool="general"):
    return FreeSlot(
        slot=pk,
        rooms=[FreeRoom(room=10 * pk + n, pool=pool, kind="lawyer") for n in range(rooms)],
        escorts=list(escorts),
    )


@pytest.mark.parametrize(
    ("label", "facts", "pools"),
    [
        ("ordinary, tomorrow", {}, ["general"]),
        ("ordinary, in three hours", {"begins_in": 3}, ["general", "reserve"]),
        ("ordinary, in a little more", {"begins_in": 3.1}, ["general"]),
        ("green, tomorrow", {"is_green": True}, ["general", "reserve"]),
        (
            "green with consent",
            {"is_green": True, "has_consented": True},
            ["general", "reserve", "borrowed"],
        ),
        ("consent alone borrows nothing", {"has_consented": True}, ["general"]),
        (
            "green, soon",
            {"is_green": True, "begins_in": 1},
            ["general", "reserve", "walk_in"],
        ),
        (
            "walk-in, now",
            {"is_walk_in": True, "begins_in": 0},
            ["general", "reserve", "walk_in"],
        ),
    ],
)
def test_pools_for(label, facts, pools):
    usual = {"begins_in": 24, "is_green": False, "is_walk_in": False, "has_consented": False}
    given = {**usual, **facts}
    given["begins_in"] = timedelta(hours=given["begins_in"])

    assert allocation.pools_for(**given) == pools


def test_ranked_follows_the_wish_before_everything():
    slots = [_slot(1, rooms=3), _slot(2, rooms=1)]

    places = allocation.ranked(slots, pools={1: ["general"], 2: ["general"]}, wish=[2, 1], salt=1)

    assert [place.slot for place in places] == [2, 1, 1, 1]


def test_ranked_without_wish_prefers_the_slot_with_most_room_left():
    slots = [_slot(1, rooms=1), _slot(2, rooms=2)]

    places = allocation.ranked(slots, pools={1: ["general"], 2: ["general"]}, wish=[], salt=1)

    assert [place.slot for place in places] == [2, 2, 1]


def test_ranked_leaves_out_rooms_of_other_pools_and_slots_without_escort():
    slots = [_slot(1, pool="reserve"), _slot(2, escorts=())]

    places = allocation.ranked(slots, pools={1: ["general"], 2: ["general"]}, wish=[], salt=1)

    assert places == []


def test_ranked_takes_the_escort_with_most_free_slots():
    slots = [_slot(1, escorts=(1, 2)), _slot(2, escorts=(2,))]

    places = allocation.ranked(slots, pools={1: ["general"], 2: ["general"]}, wish=[1], salt=1)

    assert places == [Place(slot=1, room=10, escort=2, is_borrowed=False)]


def test_ranked_spreads_those_who_ask_at_once():
    slots = [_slot(1, rooms=6, escorts=range(6))]

    firsts = {
        allocation.ranked(slots, pools={1: ["general"]}, wish=[1], salt=salt)[0].room
        for salt in range(40)
    }

    assert len(firsts) == 6
