"""Who may reach which visit: the lawyer who is asking, and what is theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from detention.access import signed_in
from detention.errors import NotFound
from detention.identity import plain_number
from detention.models import Custody, Facility
from visits.models import Lawyer

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def lawyer_of(request: HttpRequest) -> Lawyer:
    """Return the lawyer who is asking. Errors: PermissionDenied (403) for everyone else."""
    found = Lawyer.objects.filter(user=signed_in(request)).select_related("user", "firm").first()
    if found is None:
        raise PermissionDenied
    return found


def lawyers[**P](view: View[P]) -> View[P]:
    """Open a page to lawyers; everyone else is answered 403."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        lawyer_of(request)
        return view(request, *args, **kwargs)

    return guarded


def held_by_number(facility: Facility, number: str) -> Custody:
    """Return the open custody with this number in the officer's own facility. Refuses NotFound."""
    found = Custody.objects.open().filter(facility=facility, number=plain_number(number)).first()
    if found is None:
        raise NotFound(field="number")
    return found
