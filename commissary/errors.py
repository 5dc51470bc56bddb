"""What the shop refuses, each in one sentence."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from detention.errors import Refusal


class BadOrder(Refusal):
    """The order is empty, too long, or asks for a number that nobody can carry."""

    code = "bad_order"
    status = 422
    message = _("An order has 1 to 50 different products, 1 to 99 of each.")


class OrderConflict(Refusal):
    """The same envelope came with other contents; somebody should look at the tablet."""

    code = "idempotency_conflict"
    message = _("An order with this number was already received with other contents.")


class NeedsConfirmation(Refusal):
    """A price has risen, or a product is gone: nobody is ever charged more than they saw."""

    code = "needs_confirmation"
    message = _("Prices have changed or something is gone. Look again and order again.")


class SelfApproval(Refusal):
    """The officer who recorded an order may not decide it."""

    code = "self_approval"
    status = 403
    message = _("You recorded this order. Another officer must decide it.")
    constraint = "order_not_self_approved"


class AlreadyDecided(Refusal):
    """Another officer was faster."""

    code = "already_decided"
    message = _("Already decided by %(officer)s: %(state)s.")


class OrderExpired(Refusal):
    """Nobody decided in time; the money goes back by itself."""

    code = "order_expired"
    message = _("This order has expired. The money is available again.")


class BadQuantity(Refusal):
    """A quantity may only become smaller on the way, and never negative."""

    code = "bad_quantity"
    status = 422
    message = _("%(product)s: a number from 0 to %(limit)s.")


class NothingLeft(Refusal):
    """A decision that leaves nothing is a rejection, and needs its reason."""

    code = "nothing_left"
    status = 422
    message = _("Nothing is left of this order. Reject or cancel it and give the reason.")


class ReasonMissing(Refusal):
    """Whoever gets less than they asked for is told why."""

    code = "reason_needed"
    status = 422
    message = _("Choose the reason.")
    constraint = "order_rejected_has_reason"


class BadSignature(Refusal):
    """What came is not a drawn signature."""

    code = "bad_signature"
    status = 422
    message = _("The signature is empty or cannot be read. Sign again.")


class WitnessNeeded(Refusal):
    """Without a signature on the screen another officer must have seen the hand-over."""

    code = "witness_needed"
    status = 422
    message = _("Without a signature on the screen another officer must witness.")
    constraint = "handover_proven"


class WitnessIsSelf(Refusal):
    """Nobody witnesses what they did themselves."""

    code = "witness_is_self"
    status = 403
    message = _("The witness must be another officer.")
    constraint = "handover_witness_is_another"
