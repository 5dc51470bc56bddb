"""JSON for programs of finance and auditors: deposits and statements, read only.

Opened by an access token; its officer's roles and facility decide. No names of people.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from accounts import escrow, statements
from accounts.models import Deposit
from detention.errors import NotFound
from detention.identity import plain_number
from detention.models import Custody, Facility, Role
from detention.tokens import Grant

router = Router(tags=["accounts"])

PAGE = 50


class DepositOut(Schema):
    """One deposit; amounts in fen, moments with their offset."""

    number: str
    id: UUID
    custody: str
    state: str
    currency: str
    amount: int
    amount_received: int | None
    amount_credited: int
    method: str
    findings: list[str]
    started_at: datetime
    captured_at: datetime | None
    decide_by: datetime | None
    decided_at: datetime | None


class DepositsOut(Schema):
    """A page, newest first; `before` of the next page is `more`, null on the last."""

    deposits: list[DepositOut]
    more: int | None


class LineOut(Schema):
    """One line of a statement; amount and balance in fen."""

    seq: int
    at: datetime
    kind: str
    amount: int
    balance_after: int
    text: str
    reference: str


class StatementOut(Schema):
    custody: str
    posted: int
    held: int
    available: int
    lines: list[LineOut]
    more: int | None


class PageIn(Schema):
    """Where a page begins."""

    before: int | None = Field(None, ge=1, le=2**53)


@router.get("/deposits", response=DepositsOut)
def api_deposits(
    request: HttpRequest, page: Query[PageIn], state: Deposit.State | None = None
) -> DepositsOut:
    """List the facility's deposits, newest first."""
    found = Deposit.objects.filter(facility=_facility(request))
    if state is not None:
        found = found.filter(state=state)
    if page.before is not None:
        found = found.filter(pk__lt=page.before)
    rows = list(
        found.select_related("custody").prefetch_related("findings").order_by("-pk")[: PAGE + 1]
    )
    more = rows[PAGE - 1].pk if len(rows) > PAGE else None
    return DepositsOut(deposits=[_shown(row) for row in rows[:PAGE]], more=more)


@router.get("/deposits/{number}", response=DepositOut)
def api_deposit(request: HttpRequest, number: str) -> DepositOut:
    """Return one deposit by its number. Refuses NotFound."""
    found = Deposit.objects.filter(facility=_facility(request), number=plain_number(number))
    deposit = found.select_related("custody").first()
    if deposit is None:
        raise NotFound
    return _shown(deposit)


@router.get("/statements/{custody_number}", response=StatementOut)
def api_statement(request: HttpRequest, custody_number: str, page: Query[PageIn]) -> StatementOut:
    """Return a page of one person's account by custody number. Refuses NotFound."""
    held = (
        Custody.objects.filter(facility=_facility(request), number=plain_number(custody_number))
        .select_related("detainee", "facility")
        .first()
    )
    if held is None:
        raise NotFound
    told = statements.whole(held, before=page.before)
    balance = escrow.balance(held)
    lines = [
        LineOut(
            seq=row.seq,
            at=row.at,
            kind=row.kind,
            amount=row.amount,
            balance_after=row.posted_after,
            text=row.described.text,
            reference=row.described.reference,
        )
        for row in told.rows
    ]
    return StatementOut(
        custody=held.number,
        posted=balance.posted,
        held=balance.held,
        available=balance.available,
        lines=lines,
        more=told.more,
    )


def _facility(request: HttpRequest) -> Facility:
    granted: Grant = request.auth  # type: ignore[attr-defined]
    return granted.demand(Role.FINANCE, Role.AUDITOR)


def _shown(deposit: Deposit) -> DepositOut:
    return DepositOut(
        number=deposit.number,
        id=deposit.public_id,
        custody=deposit.custody.number,
        state=deposit.state,
        currency=deposit.currency_received or deposit.currency,
        amount=deposit.amount,
        amount_received=deposit.amount_received,
        amount_credited=deposit.amount_credited,
        method=deposit.method,
        findings=sorted(finding.code for finding in deposit.findings.all()),
        started_at=deposit.started_at,
        captured_at=deposit.captured_at,
        decide_by=deposit.decide_by,
        decided_at=deposit.decided_at,
    )
