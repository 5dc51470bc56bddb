"""The trial balance: what stands in the facility's book, and whether the last proof held."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import escrow
from accounts.described import ACCOUNT_NAMES
from accounts.ledger import totals
from accounts.ledger.models import ProofRun
from detention import access
from detention.models import Role


@access.officers(Role.FINANCE, Role.AUDITOR)
def books(request: HttpRequest) -> HttpResponse:
    """Show every kind of account with its total; all together are zero."""
    book = escrow.find_book(access.desk(request))
    rows = totals.by_kind(book) if book else []
    context = {
        "rows": [(total, ACCOUNT_NAMES[total.kind]) for total in rows],
        "difference": sum(total.posted for total in rows),
        "proof": ProofRun.objects.order_by("pk").last(),
    }
    return render(request, "accounts/books.html", context)
