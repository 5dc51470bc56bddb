"""A second, much simpler ledger beside the real one: whatever happens, both say the same."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.errors import MoneyRefusal
from accounts.ledger import lots, posting, proofs
from accounts.ledger.models import Hold, Journal, Lot
from accounts.ledger.posting import Line, NewHold
from tests.accounts.ledger_situations import AT, account, fresh_key, open_book, post

pytestmark = pytest.mark.django_db

FEN = st.integers(min_value=1, max_value=200)
WHICH = st.integers(min_value=0, max_value=3)
EVENTS = st.one_of(
    st.tuples(st.just("deposit"), FEN),
    st.tuples(st.just("hold"), FEN),
    st.tuples(st.just("capture"), WHICH, FEN, st.integers(min_value=0, max_value=200)),
    st.tuples(st.just("release"), WHICH, FEN),
    st.tuples(st.just("give back"), WHICH, FEN),
    st.tuples(st.just("refund"), WHICH, FEN),
    st.tuples(st.just("pay out"), FEN),
    st.tuples(st.just("allow"), FEN),
    st.tuples(st.just("reverse"), WHICH),
)


# Every story begins with three lots and goods paid from two of them, so that order matters.
BEGINNING = [
    ("deposit", 10),
    ("deposit", 20),
    ("deposit", 300),
    ("hold", 120),
    ("capture", 0, 25, 5),
]


class Refused(Exception):
    """The simple ledger refuses too."""


def need(condition: bool) -> None:
    """Refuse unless the condition holds."""
    if not condition:
        raise Refused


@dataclass
class Simple:
    """One detainee's money in plain Python: lots oldest first, holds, captures, allowances."""

    lots: list[int] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)
    captures: list[list[tuple[int, int]]] = field(default_factory=list)
    allowances: list[int | None] = field(default_factory=list)

    @property
    def available(self) -> int:
        return sum(self.lots) - sum(self.holds)

    def spend(self, fen: int) -> list[tuple[int, int]]:
        """Take from the oldest lots; return (lot, fen) for each."""
        taken = []
        for index, left in enumerate(self.lots):
            part = min(left, fen)
            if part:
                self.lots[index] -= part
                fen -= part
                taken.append((index, part))
        return taken

    def deposit(self, fen: int) -> None:
        self.lots.append(fen)

    def hold(self, fen: int) -> None:
        need(fen <= self.available)
        self.holds.append(fen)

    def capture(self, which: int, fen: int, release: int) -> None:
        need(fen + release <= self.holds[which])
        self.holds[which] -= fen + release
        self.captures.append(self.spend(fen))

    def release(self, which: int, fen: int) -> None:
        need(fen <= self.holds[which])
        self.holds[which] -= fen

    def give_back(self, which: int, fen: int) -> None:
        need(fen <= sum(part for _, part in self.captures[which]))
        kept = []
        for index, part in reversed(self.captures[which]):
            back = min(part, fen)
            fen -= back
            self.lots[index] += back
            kept.insert(0, (index, part - back))
        self.captures[which] = kept

    def refund(self, which: int, fen: int) -> None:
        need(fen <= self.available)
        need(fen <= self.lots[which])
        self.lots[which] -= fen

    def pay_out(self, fen: int) -> None:
        need(fen <= self.available)
        self.spend(fen)

    def allow(self, fen: int) -> None:
        self.allowances.append(len(self.lots))
        self.lots.append(fen)

    def reverse(self, which: int, fen: int) -> None:
        lot = self.allowances[which]
        need(lot is not None)
        need(fen <= self.available)
        need(self.lots[lot] == fen)
        self.lots[lot] = 0
        self.allowances[which] = None


class Real:
    """The same events through the ledger."""

    def __init__(self) -> None:
        self.purse = account(open_book())
        self.house = {
            kind: posting.account(self.purse.book, kind)
            for kind in ("GATEWAY", "VENDOR", "FACILITY", "SUSPENSE", "PAYOUT")
        }

    def of(self, model, **which):
        return list(model.objects.filter(**which).order_by("pk"))

    def journals(self, kind: str) -> list[Journal]:
        return self.of(Journal, book=self.purse.book, kind=kind)

    def move(self, kind, house, fen, **more):
        return post(kind, Line(self.house[house], -fen), Line(self.purse, fen, **more))

    def deposit(self, fen):
        self.move("deposit_captured", "GATEWAY", fen)

    def hold(self, fen):
        post("order_held", Line(self.purse, 0, held=fen, hold=NewHold()))

    def capture(self, which, fen, release):
        hold = self.of(Hold, account=self.purse)[which]
        self.move("order_captured", "VENDOR", -fen, held=-(fen + release), hold=hold)

    def release(self, which, fen):
        hold = self.of(Hold, account=self.purse)[which]
        post("order_released", Line(self.purse, 0, held=-fen, hold=hold))

    def give_back(self, which, fen):
        parts = lots.given_back(self.journals("order_captured")[which], self.purse, fen)
        self.move("goods_returned", "VENDOR", fen, lots=parts)

    def refund(self, which, fen):
        lot = self.of(Lot, account=self.purse)[which]
        self.move("refund_requested", "SUSPENSE", -fen, lots=lots.of_one(lot, fen))

    def pay_out(self, fen):
        self.move("payout_planned", "PAYOUT", -fen)

    def allow(self, fen):
        self.move("allowance", "FACILITY", fen)

    def reverse(self, which):
        journal = self.journals("allowance")[which]
        posting.reverse(
            journal, key=fresh_key("r"), at=AT, by=1, approved_by=2, reason="typed twice"
        )


def happen(simple: Simple, real: Real, event: tuple) -> None:
    """Let one event happen in both; they must agree whether it may."""
    name, *told = event
    act = name.replace(" ", "_")
    pool = {
        "capture": simple.holds,
        "release": simple.holds,
        "give_back": simple.captures,
        "refund": simple.lots,
        "reverse": simple.allowances,
    }.get(act)
    if pool is not None:
        if not pool:
            return
        told[0] %= len(pool)
    expected = [*told]
    if act == "reverse":
        expected.append(real.journals("allowance")[told[0]].entries.get(line=2).amount)
    try:
        getattr(simple, act)(*expected)
    except Refused:
        with pytest.raises(MoneyRefusal), transaction.atomic():
            getattr(real, act)(*told)
    else:
        getattr(real, act)(*told)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(EVENTS, min_size=5, max_size=15))
def test_whatever_happens_the_ledger_says_what_a_simple_one_says(events):
    simple = Simple()
    with transaction.atomic():
        real = Real()
        for event in [*BEGINNING, *events]:
            happen(simple, real, event)

        stands = posting.balance(real.purse)
        assert (stands.posted, stands.held) == (sum(simple.lots), sum(simple.holds))
        assert [lot.remaining for lot in real.of(Lot, account=real.purse)] == simple.lots
        assert [hold.remaining for hold in real.of(Hold, account=real.purse)] == simple.holds
        assert proofs.run(at=AT).ok
        transaction.set_rollback(True)
