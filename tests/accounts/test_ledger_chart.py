"""A worked example for every kind of journal: what it debits and credits, and what is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from accounts.chart import JOURNAL_KINDS
from accounts.ledger import lots, posting, proofs
from accounts.ledger.models import Account, Hold, Journal
from accounts.ledger.posting import Balance, Line, NewHold
from tests.accounts.ledger_situations import AT, open_book, post

pytestmark = pytest.mark.django_db


@dataclass
class Step:
    """One journal: amounts in fen by account kind, and the change of what ESCROW has aside."""

    kind: str
    amounts: dict[str, int]
    held: int = 0


@dataclass
class Example:
    """after: posted fen by account kind; held: what ESCROW has aside at the end."""

    step: Step
    after: dict[str, int]
    before: list[Step] = field(default_factory=list)
    held: int = 0


DEPOSIT = Step("deposit_captured", {"GATEWAY": -100_00, "ESCROW": 100_00})
WAITING = Step("deposit_captured", {"GATEWAY": -100_00, "SUSPENSE": 100_00})
ASKED_BACK = Step("refund_requested", {"ESCROW": -40_00, "SUSPENSE": 40_00})
HELD = Step("order_held", {}, held=60_00)
CAPTURED = Step("order_captured", {"ESCROW": -45_00, "VENDOR": 45_00}, held=-60_00)
FROZEN = Step("frozen", {}, held=30_00)
SETTLED = Step("gateway_settled", {"BANK": -99_40, "FACILITY": -60, "GATEWAY": 100_00})
PLANNED = Step("payout_planned", {"ESCROW": -100_00, "PAYOUT": 100_00})
PAID_OUT = Step("payout_paid", {"PAYOUT": -100_00, "BANK": 100_00})
LEFT = Step("transfer_out", {"ESCROW": -100_00, "IN_TRANSIT": 100_00})
UNCLAIMED = Step("unclaimed", {"PAYOUT": -100_00, "UNCLAIMED": 100_00})
DISPUTED = Step("dispute_opened", {"DISPUTED": -100_00, "FACILITY": -15_00, "GATEWAY": 115_00})

EXAMPLES = [
    Example(DEPOSIT, {"GATEWAY": -100_00, "ESCROW": 100_00}),
    Example(
        Step("deposit_accepted", {"SUSPENSE": -80_00, "ESCROW": 80_00}),
        {"GATEWAY": -100_00, "SUSPENSE": 20_00, "ESCROW": 80_00},
        before=[WAITING],
    ),
    Example(
        ASKED_BACK,
        {"GATEWAY": -100_00, "ESCROW": 60_00, "SUSPENSE": 40_00},
        before=[DEPOSIT],
    ),
    Example(
        Step("refund_paid", {"SUSPENSE": -40_00, "GATEWAY": 40_00}),
        {"GATEWAY": -60_00, "ESCROW": 60_00, "SUSPENSE": 0},
        before=[DEPOSIT, ASKED_BACK],
    ),
    Example(
        Step("refund_failed", {"GATEWAY": -40_00, "SUSPENSE": 40_00}),
        {"GATEWAY": -100_00, "ESCROW": 60_00, "SUSPENSE": 40_00},
        before=[DEPOSIT, ASKED_BACK, Step("refund_paid", {"SUSPENSE": -40_00, "GATEWAY": 40_00})],
    ),
    Example(
        SETTLED,
        {"GATEWAY": 0, "BANK": -99_40, "FACILITY": -60, "ESCROW": 100_00},
        before=[DEPOSIT],
    ),
    Example(
        Step("facility_funded", {"BANK": -60, "FACILITY": 60}),
        {"GATEWAY": 0, "BANK": -100_00, "FACILITY": 0, "ESCROW": 100_00},
        before=[DEPOSIT, SETTLED],
    ),
    Example(
        Step("cash_in", {"CASH": -50_00, "ESCROW": 50_00}),
        {"CASH": -50_00, "ESCROW": 50_00},
    ),
    Example(
        Step("cash_out", {"ESCROW": -20_00, "CASH": 20_00}),
        {"CASH": -30_00, "ESCROW": 30_00},
        before=[Step("cash_in", {"CASH": -50_00, "ESCROW": 50_00})],
    ),
    Example(HELD, {"GATEWAY": -100_00, "ESCROW": 100_00}, before=[DEPOSIT], held=60_00),
    Example(
        Step("order_released", {}, held=-60_00),
        {"GATEWAY": -100_00, "ESCROW": 100_00},
        before=[DEPOSIT, HELD],
    ),
    Example(FROZEN, {"GATEWAY": -100_00, "ESCROW": 100_00}, before=[DEPOSIT], held=30_00),
    Example(
        Step("unfrozen", {}, held=-10_00),
        {"GATEWAY": -100_00, "ESCROW": 100_00},
        before=[DEPOSIT, FROZEN],
        held=20_00,
    ),
    Example(
        CAPTURED,
        {"GATEWAY": -100_00, "ESCROW": 55_00, "VENDOR": 45_00},
        before=[DEPOSIT, HELD],
    ),
    Example(
        Step("goods_returned", {"VENDOR": -5_00, "ESCROW": 5_00}),
        {"GATEWAY": -100_00, "ESCROW": 60_00, "VENDOR": 40_00},
        before=[DEPOSIT, HELD, CAPTURED],
    ),
    Example(
        Step("vendor_paid", {"VENDOR": -45_00, "BANK": 45_00}),
        {"GATEWAY": -100_00, "ESCROW": 55_00, "VENDOR": 0, "BANK": 45_00},
        before=[DEPOSIT, HELD, CAPTURED],
    ),
    Example(
        Step("allowance", {"FACILITY": -30_00, "ESCROW": 30_00}),
        {"FACILITY": -30_00, "ESCROW": 30_00},
    ),
    Example(
        Step("goodwill", {"FACILITY": -5_00, "ESCROW": 5_00}),
        {"FACILITY": -5_00, "ESCROW": 5_00},
    ),
    Example(
        Step("damage_recovered", {"ESCROW": -20_00, "FACILITY": 20_00}),
        {"GATEWAY": -100_00, "ESCROW": 80_00, "FACILITY": 20_00},
        before=[DEPOSIT],
    ),
    Example(PLANNED, {"GATEWAY": -100_00, "ESCROW": 0, "PAYOUT": 100_00}, before=[DEPOSIT]),
    Example(
        PAID_OUT,
        {"GATEWAY": -100_00, "ESCROW": 0, "PAYOUT": 0, "BANK": 100_00},
        before=[DEPOSIT, PLANNED],
    ),
    Example(
        Step("payout_returned", {"BANK": -100_00, "PAYOUT": 100_00}),
        {"GATEWAY": -100_00, "ESCROW": 0, "PAYOUT": 100_00, "BANK": 0},
        before=[DEPOSIT, PLANNED, PAID_OUT],
    ),
    Example(LEFT, {"GATEWAY": -100_00, "ESCROW": 0, "IN_TRANSIT": 100_00}, before=[DEPOSIT]),
    Example(
        Step("transfer_in", {"IN_TRANSIT": -100_00, "ESCROW": 100_00}),
        {"IN_TRANSIT": -100_00, "ESCROW": 100_00},
    ),
    Example(
        Step("transfer_settled", {"IN_TRANSIT": -100_00, "BANK": 100_00}),
        {"GATEWAY": -100_00, "ESCROW": 0, "IN_TRANSIT": 0, "BANK": 100_00},
        before=[DEPOSIT, LEFT],
    ),
    Example(
        UNCLAIMED,
        {"GATEWAY": -100_00, "ESCROW": 0, "PAYOUT": 0, "UNCLAIMED": 100_00},
        before=[DEPOSIT, PLANNED],
    ),
    Example(
        Step("unclaimed_claimed", {"UNCLAIMED": -100_00, "PAYOUT": 100_00}),
        {"GATEWAY": -100_00, "ESCROW": 0, "PAYOUT": 100_00, "UNCLAIMED": 0},
        before=[DEPOSIT, PLANNED, UNCLAIMED],
    ),
    Example(
        DISPUTED,
        {"GATEWAY": 15_00, "ESCROW": 100_00, "DISPUTED": -100_00, "FACILITY": -15_00},
        before=[DEPOSIT],
    ),
    Example(
        Step("dispute_won", {"GATEWAY": -100_00, "DISPUTED": 100_00}),
        {"GATEWAY": -85_00, "ESCROW": 100_00, "DISPUTED": 0, "FACILITY": -15_00},
        before=[DEPOSIT, DISPUTED],
    ),
    Example(
        Step("dispute_lost", {"ESCROW": -70_00, "FACILITY": -30_00, "DISPUTED": 100_00}),
        {"GATEWAY": 15_00, "ESCROW": 30_00, "DISPUTED": 0, "FACILITY": -45_00},
        before=[DEPOSIT, DISPUTED],
    ),
    Example(
        Step("adjustment", {"FACILITY": -1_00, "VENDOR": 1_00}),
        {"FACILITY": -1_00, "VENDOR": 1_00},
    ),
    Example(
        Step("opening", {"OPENING": -80_00, "ESCROW": 80_00}),
        {"OPENING": -80_00, "ESCROW": 80_00},
    ),
    Example(
        Step("reversal", {"FACILITY": 30_00, "ESCROW": -30_00}),
        {"FACILITY": 0, "ESCROW": 0},
        before=[Step("allowance", {"FACILITY": -30_00, "ESCROW": 30_00})],
    ),
]


class Play:
    """One book in which steps happen one after the other."""

    def __init__(self) -> None:
        self.book = open_book()
        self.accounts: dict[str, Account] = {}

    def account(self, kind: str) -> Account:
        if kind not in self.accounts:
            self.accounts[kind] = posting.account(self.book, kind, uuid4())
        return self.accounts[kind]

    def happen(self, step: Step) -> Journal:
        if step.kind == "reversal":
            return posting.reverse(
                Journal.objects.get(), key="r", at=AT, by=1, approved_by=2, reason="typed twice"
            )
        amounts = {"ESCROW": 0, **step.amounts} if step.held else step.amounts
        return post(step.kind, *[self.line(step, kind, amounts[kind]) for kind in amounts])

    def line(self, step: Step, kind: str, amount: int) -> Line:
        if kind != "ESCROW":
            return Line(self.account(kind), amount)
        hold = NewHold() if step.held > 0 else Hold.objects.last() if step.held else None
        parts = None
        if step.kind == "goods_returned":
            captured = Journal.objects.get(kind="order_captured")
            parts = lots.given_back(captured, self.account(kind), amount)
        return Line(self.account(kind), amount, held=step.held, hold=hold, lots=parts)

    def balances(self) -> dict[str, Balance]:
        return {kind: posting.balance(account) for kind, account in self.accounts.items()}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.step.kind)
def test_each_kind_of_journal_moves_money_as_its_example_says(example):
    play = Play()
    for step in example.before:
        play.happen(step)

    journal = play.happen(example.step)

    assert journal.kind == example.step.kind
    assert play.balances() == {
        kind: Balance(posted, example.held if kind == "ESCROW" else 0)
        for kind, posted in example.after.items()
    }
    assert sum(example.after.values()) == 0
    assert proofs.run(at=AT).ok


def test_every_kind_of_journal_has_its_example():
    assert [example.step.kind for example in EXAMPLES] == list(JOURNAL_KINDS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.step.kind)
def test_no_kind_of_journal_takes_a_line_that_is_not_its_own(example):
    rule = JOURNAL_KINDS[example.step.kind]
    shape = [(kind, amount, 0) for kind, amount in example.step.amounts.items()]
    shape = [
        (kind, amount, example.step.held if kind == "ESCROW" else 0) for kind, amount, _ in shape
    ] or [("ESCROW", 0, example.step.held)]

    assert rule.admits(shape)
    assert not rule.admits([*shape, ("NOWHERE", 1, 0)])
    assert not rule.admits([*shape, ("ESCROW", 0, 1)])
    assert not rule.admits([])
