"""How this app's own documents are told in statements and on the trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import statements
from accounts.models import Deposit, Refund
from accounts.statements import Described
from detention.identity import plain_number
from detention.models import Facility

# How officers read the kinds of the chart.
ACCOUNT_NAMES = {
    "ESCROW": gettext_lazy("owed to detainees"),
    "SUSPENSE": gettext_lazy("deposits not yet credited"),
    "PAYOUT": gettext_lazy("payouts on their way"),
    "UNCLAIMED": gettext_lazy("unclaimed money"),
    "GATEWAY": gettext_lazy("at the payment provider"),
    "BANK": gettext_lazy("at the bank"),
    "CASH": gettext_lazy("in the cash box"),
    "VENDOR": gettext_lazy("owed to vendors"),
    "FACILITY": gettext_lazy("the facility's own share"),
    "DISPUTED": gettext_lazy("disputed payments"),
    "IN_TRANSIT": gettext_lazy("between facilities"),
    "OPENING": gettext_lazy("opening balances"),
}


def register() -> None:
    """Make deposits and refunds known; called at app ready."""
    statements.describer("deposit", _deposits, find=_find_deposits)
    statements.describer("refund", _refunds)


def _deposits(ids: Sequence[int], level: str) -> Mapping[int, Described]:
    return {
        deposit.pk: Described(
            text=_("Deposit"),
            reference=deposit.number,
            url=reverse("desk_deposit", args=[deposit.number]),
        )
        for deposit in Deposit.objects.filter(pk__in=ids)
    }


def _refunds(ids: Sequence[int], level: str) -> Mapping[int, Described]:
    return {
        refund.pk: Described(
            text=_("Sent back to the payer"),
            reference=refund.deposit.number,
            url=reverse("desk_deposit", args=[refund.deposit.number]),
        )
        for refund in Refund.objects.filter(pk__in=ids).select_related("deposit")
    }


def _find_deposits(facility: Facility, text: str) -> Sequence[int]:
    found = Deposit.objects.filter(facility=facility, number=plain_number(text))
    return list(found.values_list("pk", flat=True))
