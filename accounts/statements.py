"""Statements: what happened on a detainee's account, told at the level the reader may see.

The apps above register how their documents are told; this app knows only its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from detention.models import Facility

# What officers see: everything. Relatives see what `Custody.Visible` says.
EVERYTHING = "everything"


@dataclass(frozen=True, kw_only=True)
class Described:
    """One document told to a reader.

    text: one line ("Purchase", "Fruit, stationery"). details: further lines (products).
    reference: its human number. url: the officers' page of it, "" if there is none.
    """

    text: str
    details: tuple[str, ...] = ()
    reference: str = ""
    url: str = ""


# Takes document ids and the level (a Custody.Visible value or EVERYTHING); must leave out what the
# level does not show, and mask medical items on every level but EVERYTHING.
type Describe = Callable[[Sequence[int], str], Mapping[int, Described]]
# Takes what an officer typed into the trail's search; returns ids of documents of the facility.
type Find = Callable[[Facility, str], Sequence[int]]


@dataclass(frozen=True)
class Describer:
    describe: Describe
    find: Find | None = None


DESCRIBERS: dict[str, Describer] = {}


def describer(doc_type: str, describe: Describe, *, find: Find | None = None) -> None:
    """Make known how documents of `doc_type` are told and found; called at app ready."""
    DESCRIBERS[doc_type] = Describer(describe, find)


def describe(documents: Sequence[tuple[str, int]], level: str) -> dict[tuple[str, int], Described]:
    """Tell many documents at once: one call to each describer, whatever the number of rows."""
    by_type: dict[str, list[int]] = {}
    for doc_type, doc_id in documents:
        by_type.setdefault(doc_type, []).append(doc_id)
    told: dict[tuple[str, int], Described] = {}
    for doc_type, ids in by_type.items():
        known = DESCRIBERS.get(doc_type)
        if known is not None:
            found = known.describe(ids, level)
            told.update({(doc_type, doc_id): text for doc_id, text in found.items()})
    return told
