"""The chart: which accounts a book has, and which journals may move money between them.

Sign: an entry with amount > 0 credits, amount < 0 debits. What the book owes (to a detainee, a
vendor) is therefore naturally positive, what it owns (bank, cash) naturally negative; people see
the internal number times the account kind's normal side.
"""

from __future__ import annotations

from dataclasses import dataclass

DEBIT = -1
CREDIT = 1
# A line that moves no money, only the part of it that is set aside.
ASIDE = 0


@dataclass(frozen=True, kw_only=True)
class AccountKind:
    """live: has a balance row and can refuse. lots: remembers which credits are unspent."""

    code: str
    normal: int
    live: bool = False
    lots: bool = False


ACCOUNT_KINDS = {
    kind.code: kind
    for kind in (
        AccountKind(code="ESCROW", normal=CREDIT, live=True, lots=True),  # one per detainee
        AccountKind(code="SUSPENSE", normal=CREDIT, live=True),  # one per deposit
        AccountKind(code="PAYOUT", normal=CREDIT, live=True),  # one per payout
        AccountKind(code="UNCLAIMED", normal=CREDIT, live=True),  # one per detainee
        AccountKind(code="GATEWAY", normal=DEBIT),  # one per payment provider
        AccountKind(code="BANK", normal=DEBIT),
        AccountKind(code="CASH", normal=DEBIT),
        AccountKind(code="VENDOR", normal=CREDIT),  # one per vendor
        AccountKind(code="FACILITY", normal=CREDIT),
        AccountKind(code="DISPUTED", normal=DEBIT),
        AccountKind(code="IN_TRANSIT", normal=CREDIT),
        AccountKind(code="OPENING", normal=CREDIT),
    )
}
EVERY_ACCOUNT = tuple(ACCOUNT_KINDS)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One line that a journal of some kind may or must have.

    side: DEBIT, CREDIT or ASIDE. held: what happens to money set aside: 1 it grows by a new hold,
    -1 it shrinks, 0 it is not touched. many: more than one line may play this part.
    """

    side: int
    kinds: tuple[str, ...]
    held: int = 0
    optional: bool = False
    many: bool = False

    def fits(self, kind: str, amount: int, held: int) -> bool:
        """Tell whether a line of `amount` and `held` fen on an account of `kind` is this part."""
        return kind in self.kinds and _sign(amount) == self.side and _sign(held) == self.held


@dataclass(frozen=True, kw_only=True)
class JournalKind:
    """One kind of business event. patterns: alternatives, one of which its lines must follow.

    gives_back: its credit to an account with lots goes back to the lots that the money came from
    instead of opening a new one.
    """

    code: str
    patterns: tuple[tuple[Part, ...], ...]
    two_officers: bool = False
    needs_reason: bool = False
    reversible: bool = False
    gives_back: bool = False

    def admits(self, lines: list[tuple[str, int, int]]) -> bool:
        """Tell whether these (account kind, amount, held) lines follow one of the patterns."""
        return any(_follows(pattern, lines) for pattern in self.patterns)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _follows(pattern: tuple[Part, ...], lines: list[tuple[str, int, int]]) -> bool:
    played = [0] * len(pattern)
    for kind, amount, held in lines:
        for index, part in enumerate(pattern):
            if part.fits(kind, amount, held) and (part.many or not played[index]):
                played[index] += 1
                break
        else:
            return False
    return all(count or part.optional for count, part in zip(played, pattern, strict=True))


def _debit(*kinds: str, held: int = 0, optional: bool = False, many: bool = False) -> Part:
    return Part(side=DEBIT, kinds=kinds, held=held, optional=optional, many=many)


def _credit(*kinds: str, optional: bool = False, many: bool = False) -> Part:
    return Part(side=CREDIT, kinds=kinds, optional=optional, many=many)


def _kind(
    code: str,
    *parts: Part,
    two_officers: bool = False,
    needs_reason: bool = False,
    reversible: bool = False,
    gives_back: bool = False,
) -> JournalKind:
    return JournalKind(
        code=code,
        patterns=(parts,),
        two_officers=two_officers,
        needs_reason=needs_reason,
        reversible=reversible,
        gives_back=gives_back,
    )


_PLACED = Part(side=ASIDE, kinds=("ESCROW",), held=1)
_LET_GO = Part(side=ASIDE, kinds=("ESCROW",), held=-1)
_ANY_DEBIT = _debit(*EVERY_ACCOUNT, many=True)
_ANY_CREDIT = _credit(*EVERY_ACCOUNT, many=True)

JOURNAL_KINDS = {
    kind.code: kind
    for kind in (
        # Deposits. Captured first, then screened: only what passed goes to the detainee at once.
        _kind("deposit_captured", _debit("GATEWAY"), _credit("ESCROW", "SUSPENSE")),
        _kind("deposit_accepted", _debit("SUSPENSE"), _credit("ESCROW")),
        _kind("refund_requested", _debit("ESCROW"), _credit("SUSPENSE")),
        _kind("refund_paid", _debit("SUSPENSE"), _credit("GATEWAY")),
        _kind("refund_failed", _debit("GATEWAY"), _credit("SUSPENSE")),
        _kind(
            "gateway_settled",
            _debit("BANK"),
            _debit("FACILITY", optional=True),  # the provider's fee
            _credit("GATEWAY"),
            reversible=True,
        ),
        _kind("facility_funded", _debit("BANK"), _credit("FACILITY"), reversible=True),
        _kind(
            "cash_in",
            _debit("CASH"),
            _credit("ESCROW", "SUSPENSE"),
            two_officers=True,
            reversible=True,
        ),
        _kind("cash_out", _debit("ESCROW"), _credit("CASH"), two_officers=True, reversible=True),
        # Orders and freezes.
        _kind("order_held", _PLACED),
        _kind("order_released", _LET_GO),
        _kind("frozen", _PLACED, needs_reason=True),
        _kind("unfrozen", _LET_GO, needs_reason=True),
        _kind("order_captured", _debit("ESCROW", held=-1), _credit("VENDOR", many=True)),
        _kind("goods_returned", _debit("VENDOR"), _credit("ESCROW", "PAYOUT"), gives_back=True),
        _kind("vendor_paid", _debit("VENDOR"), _credit("BANK"), reversible=True),
        # Between the facility and the detainee.
        _kind("allowance", _debit("FACILITY"), _credit("ESCROW"), reversible=True),
        _kind(
            "goodwill", _debit("FACILITY"), _credit("ESCROW"), needs_reason=True, reversible=True
        ),
        _kind(
            "damage_recovered",
            _debit("ESCROW"),
            _credit("FACILITY"),
            needs_reason=True,
            reversible=True,
        ),
        # The end of a custody.
        _kind("payout_planned", _debit("ESCROW"), _credit("PAYOUT")),
        _kind("payout_paid", _debit("PAYOUT"), _credit("BANK")),
        _kind("payout_returned", _debit("BANK"), _credit("PAYOUT")),
        _kind("transfer_out", _debit("ESCROW"), _credit("IN_TRANSIT")),
        _kind("transfer_in", _debit("IN_TRANSIT"), _credit("ESCROW")),
        JournalKind(
            code="transfer_settled",
            patterns=(
                (_debit("IN_TRANSIT"), _credit("BANK")),  # in the book the money left
                (_debit("BANK"), _credit("IN_TRANSIT")),  # in the book it came to
            ),
        ),
        _kind("unclaimed", _debit("PAYOUT"), _credit("UNCLAIMED")),
        _kind("unclaimed_claimed", _debit("UNCLAIMED"), _credit("PAYOUT")),
        # Disputes: only the unspent part of that deposit's own lot, the facility bears the rest.
        _kind(
            "dispute_opened",
            _debit("DISPUTED"),
            _debit("FACILITY", optional=True),  # the provider's fee
            _credit("GATEWAY"),
        ),
        _kind("dispute_won", _debit("GATEWAY"), _credit("DISPUTED")),
        _kind(
            "dispute_lost",
            _debit("ESCROW", optional=True),
            _debit("FACILITY", optional=True),
            _credit("DISPUTED"),
        ),
        # Corrections.
        _kind(
            "adjustment",
            _ANY_DEBIT,
            _ANY_CREDIT,
            two_officers=True,
            needs_reason=True,
            reversible=True,
        ),
        JournalKind(
            code="opening",
            patterns=(
                (_debit("OPENING"), _ANY_CREDIT),
                (_ANY_DEBIT, _credit("OPENING")),
            ),
            two_officers=True,
            needs_reason=True,
            reversible=True,
        ),
        _kind(
            "reversal",
            _ANY_DEBIT,
            _ANY_CREDIT,
            two_officers=True,
            needs_reason=True,
            gives_back=True,
        ),
    )
}

LIVE_KINDS = tuple(code for code, kind in ACCOUNT_KINDS.items() if kind.live)
DEFERRED_KINDS = tuple(code for code, kind in ACCOUNT_KINDS.items() if not kind.live)
LOT_KINDS = tuple(code for code, kind in ACCOUNT_KINDS.items() if kind.lots)
TWO_OFFICER_KINDS = tuple(code for code, kind in JOURNAL_KINDS.items() if kind.two_officers)
REASON_KINDS = tuple(code for code, kind in JOURNAL_KINDS.items() if kind.needs_reason)
