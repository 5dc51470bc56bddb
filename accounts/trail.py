"""The trail: from a deposit to journals, lots, what they paid for, and back. Reads only.

Everything is read within one facility's book; what belongs to another facility is not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import statements
from accounts.ledger.models import Entry, Journal, Lot, LotUse
from accounts.models import Deposit
from accounts.statements import EVERYTHING, Described
from detention.errors import NotFound
from detention.identity import folded, plain_number
from detention.models import Custody, Facility

SHOWN = 20

type Doc = tuple[str, int]
type Told = Mapping[Doc, Described]

JOURNAL_TEXTS = {
    **statements.KIND_TEXTS,
    "deposit_captured": _("Money came in"),
    "deposit_accepted": _("Accepted for the account"),
    "refund_requested": _("Taken back from the account"),
    "refund_paid": _("Sent back to the payer"),
    "refund_failed": _("Refund came back"),
    "order_held": _("Set aside for an order"),
    "order_released": _("Given back from an order"),
    "order_captured": _("Paid for goods"),
}


@dataclass(frozen=True, kw_only=True)
class Use:
    """Part of a lot that a journal spent (amount above 0, fen) or gave back (below 0)."""

    amount: int
    lot: Lot
    journal: Journal
    text: object
    document: Described | None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One journal with its lines, what it opened and spent, and what it is about."""

    journal: Journal
    text: object
    entries: list[Entry]
    document: Described | None
    opened: list[Lot]
    spent_later: list[Use]
    paid_from: list[Use]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search brought; documents are those that the apps above can find."""

    deposits: list[Deposit]
    documents: list[tuple[Doc, Described]]
    people: list[Custody]

    @property
    def is_empty(self) -> bool:
        return not (self.deposits or self.documents or self.people)


def search(facility: Facility, text: str) -> Found:
    """Find deposits and documents by number, people by custody number or name."""
    text = folded(text)[:60]
    number = plain_number(text)
    if not number:
        return Found(deposits=[], documents=[], people=[])
    people = Custody.objects.filter(facility=facility).select_related("detainee", "cell")
    by_name = people.filter(Q(number=number) | Q(detainee__name__contains=text))
    deposits = Deposit.objects.filter(facility=facility, number=number).with_people()
    return Found(
        deposits=list(deposits[:SHOWN]),
        documents=_documents(facility, text),
        people=list(by_name.order_by("number")[:SHOWN]),
    )


def _documents(facility: Facility, text: str) -> list[tuple[Doc, Described]]:
    found: list[tuple[Doc, Described]] = []
    for doc_type, describer in statements.DESCRIBERS.items():
        if doc_type == "deposit" or describer.find is None:
            continue
        ids = list(describer.find(facility, text))[:SHOWN]
        told = describer.describe(ids, EVERYTHING)
        found += [((doc_type, doc_id), told[doc_id]) for doc_id in ids if doc_id in told]
    return found


def journal(facility: Facility, pk: int) -> Step:
    """Return one journal of the facility's book. Refuses NotFound."""
    steps = _steps(Journal.objects.filter(book__ref=facility.public_id, pk=pk))
    if not steps:
        raise NotFound
    return steps[0]


def of_document(facility: Facility, doc_type: str, doc_id: int) -> list[Step]:
    """Return the journals about one document, oldest first. Refuses NotFound when there is none."""
    steps = of_documents(facility, [(doc_type, doc_id)])
    if not steps:
        raise NotFound
    return steps


def of_documents(facility: Facility, documents: Sequence[Doc]) -> list[Step]:
    """Return the journals about these documents, oldest first."""
    about = Q(pk=None)
    for doc_type, doc_id in documents:
        about |= Q(doc_type=doc_type, doc_id=doc_id)
    return _steps(Journal.objects.filter(about, book__ref=facility.public_id))


def of_deposit(deposit: Deposit) -> list[Step]:
    """Return everything that was posted about a deposit and its refunds, oldest first."""
    sent_back = deposit.refunds.values_list("pk", flat=True)
    documents: list[Doc] = [("deposit", deposit.pk), *(("refund", pk) for pk in sent_back)]
    return of_documents(deposit.facility, documents)


def person(facility: Facility, public_id: UUID) -> Custody:
    """Return a custody of the facility, held now or before. Refuses NotFound."""
    found = (
        Custody.objects.filter(facility=facility, public_id=public_id)
        .select_related("detainee", "facility", "cell")
        .first()
    )
    if found is None:
        raise NotFound
    return found


def _steps(journals: Iterable[Journal]) -> list[Step]:
    """Read lines, lots and uses of all these journals in a fixed number of statements."""
    rows = sorted(journals, key=lambda journal: journal.pk)
    ids = [journal.pk for journal in rows]
    entries = list(
        Entry.objects.filter(journal__in=ids).select_related("account").order_by("journal", "line")
    )
    lots = list(Lot.objects.filter(journal__in=ids).order_by("pk"))
    uses = list(
        LotUse.objects.filter(Q(lot__in=lots) | Q(journal__in=ids))
        .select_related("journal", "lot__journal")
        .order_by("pk")
    )
    told = _tell([*rows, *(u.journal for u in uses), *(u.lot.journal for u in uses)])
    opened = {lot.pk for lot in lots}
    return [
        Step(
            journal=row,
            text=JOURNAL_TEXTS.get(row.kind, row.kind),
            entries=[entry for entry in entries if entry.journal_id == row.pk],
            document=told.get(_doc(row)),
            opened=[lot for lot in lots if lot.journal_id == row.pk],
            spent_later=[
                _use(use, use.journal, told)
                for use in uses
                if use.lot_id in opened and use.lot.journal_id == row.pk
            ],
            paid_from=[
                _use(use, use.lot.journal, told) for use in uses if use.journal_id == row.pk
            ],
        )
        for row in rows
    ]


def _use(use: LotUse, other_end: Journal, told: Told) -> Use:
    return Use(
        amount=use.amount,
        lot=use.lot,
        journal=other_end,
        text=JOURNAL_TEXTS.get(other_end.kind, other_end.kind),
        document=told.get(_doc(other_end)),
    )


def _doc(journal: Journal) -> Doc:
    return journal.doc_type, journal.doc_id or 0


def _tell(journals: Iterable[Journal]) -> Told:
    documents = sorted({_doc(journal) for journal in journals if journal.doc_id is not None})
    return statements.describe(documents, EVERYTHING)
