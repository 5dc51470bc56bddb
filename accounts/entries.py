"""The journals of deposits and refunds: which accounts, which keys. Moves; money moves last."""

from __future__ import annotations

import uuid
from datetime import datetime

from accounts import escrow
from accounts.ledger import posting
from accounts.ledger.models import Account, Journal
from accounts.models import Deposit, Refund

# Providers have no row of their own; each has its own GATEWAY account in every book.
_PROVIDERS = uuid.UUID("6a2f7c1e-0b7d-4a53-9d3c-2f5a1c9f4e10")


def gateway_account(deposit: Deposit) -> Account:
    """Return the account of what the provider owes us, in the currency that came."""
    return posting.account(
        escrow.book_of(deposit.facility),
        "GATEWAY",
        owner=provider_ref(deposit.provider),
        currency=deposit.currency_received,
    )


def provider_ref(name: str) -> uuid.UUID:
    """Return the owner by which the ledger knows a payment provider."""
    return uuid.uuid5(_PROVIDERS, name)


def suspense_account(deposit: Deposit) -> Account:
    """Return the deposit's own waiting account, in the currency that came."""
    return posting.account(
        escrow.book_of(deposit.facility),
        "SUSPENSE",
        owner=deposit.public_id,
        currency=deposit.currency_received,
    )


def captured(deposit: Deposit, *, to_escrow: bool, at: datetime) -> Journal:
    """Post what came in: GATEWAY to ESCROW when everything passed, else to SUSPENSE."""
    target = escrow.account_of(deposit.custody) if to_escrow else suspense_account(deposit)
    amount = _received(deposit)
    return posting.post(
        "deposit_captured",
        book=escrow.book_of(deposit.facility),
        key=f"deposit:{deposit.public_id}:captured",
        lines=[
            posting.Line(gateway_account(deposit), -amount),
            posting.Line(target, amount),
        ],
        at=at,
        by=None,
        doc=("deposit", deposit.pk),
        source="webhook",
    )


def accepted(deposit: Deposit, amount: int, *, by: int | None, at: datetime) -> Journal:
    """Post SUSPENSE to ESCROW for what was accepted, in full or up to the cap."""
    return posting.post(
        "deposit_accepted",
        book=escrow.book_of(deposit.facility),
        key=f"deposit:{deposit.public_id}:accepted",
        lines=[
            posting.Line(suspense_account(deposit), -amount),
            posting.Line(escrow.account_of(deposit.custody), amount),
        ],
        at=at,
        by=by,
        doc=("deposit", deposit.pk),
        source="web" if by else "task",
    )


def refund_paid(refund: Refund, *, at: datetime) -> Journal:
    """Post SUSPENSE to GATEWAY: the provider sent the money back."""
    return _refund("refund_paid", "paid", refund, at=at)


def refund_failed(refund: Refund, *, at: datetime) -> Journal:
    """Post GATEWAY to SUSPENSE: the provider got the money back, it is owed again."""
    return _refund("refund_failed", "failed", refund, at=at)


def _refund(kind: str, step: str, refund: Refund, *, at: datetime) -> Journal:
    deposit = refund.deposit
    # Debits first: the lines are read by people.
    out = -refund.amount if kind == "refund_paid" else refund.amount
    return posting.post(
        kind,
        book=escrow.book_of(deposit.facility),
        key=f"refund:{refund.public_id}:{step}",
        lines=[
            posting.Line(suspense_account(deposit), out),
            posting.Line(gateway_account(deposit), -out),
        ],
        at=at,
        by=refund.requested_by_id,
        doc=("refund", refund.pk),
        source="task",
    )


def _received(deposit: Deposit) -> int:
    assert deposit.amount_received is not None, "posted before it was captured"
    return int(deposit.amount_received)
