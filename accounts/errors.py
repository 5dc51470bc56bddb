"""What the ledger refuses, each in one sentence."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts import money
from detention.errors import Refusal


class MoneyRefusal(Refusal):
    """A refusal whose integer facts are amounts in fen."""

    def show(self, value: Any) -> str:
        """Render an amount as yuan; everything else as it is."""
        return money.show(value) if isinstance(value, int) else str(value)


class NotEnoughMoney(MoneyRefusal):
    """The account has less available than was asked for."""

    code = "insufficient_funds"
    message = _("There is not enough money in the account.")
    constraint = "ledger_balance_covers_held"


class SpendingFrozen(MoneyRefusal):
    """Money may not leave this account at present."""

    code = "spending_frozen"
    message = _("Spending from this account is stopped at present.")


class CreditFrozen(MoneyRefusal):
    """Money may not enter this account at present."""

    code = "credit_frozen"
    message = _("This account takes no money at present.")


class HoldUsedUp(MoneyRefusal):
    """The money set aside was already captured or released."""

    code = "hold_used_up"
    message = _("The money set aside for this was already used or given back.")
    constraint = "ledger_hold_within_bounds"


class LotUsedUp(MoneyRefusal):
    """What remains of this credit is less than was asked for."""

    code = "lot_used_up"
    message = _("Part of this money was already spent.")
    constraint = "ledger_lot_within_bounds"


class KeyConflict(MoneyRefusal):
    """The same key came with other contents; somebody should look at it."""

    code = "idempotency_conflict"
    message = _("This was already recorded with other contents.")


class AlreadyReversed(MoneyRefusal):
    """A journal is reversed once at most."""

    code = "already_reversed"
    message = _("This was already reversed.")


class NotReversible(MoneyRefusal):
    """Journals of this kind are corrected by their own counterpart."""

    code = "not_reversible"
    message = _("This cannot be reversed.")


class TwoOfficersNeeded(MoneyRefusal):
    """Two different officers must stand behind this."""

    code = "self_approval"
    status = 403
    message = _("Another officer must approve what you proposed.")
    constraint = "ledger_journal_two_officers"


class ReasonNeeded(MoneyRefusal):
    """This cannot be recorded without saying why."""

    code = "reason_needed"
    status = 422
    message = _("Give a reason.")
    constraint = "ledger_journal_has_reason"
