"""Money on its way in: deposits, what screening found, refunds, the provider's news."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.money import FenField
from detention.lifecycle import Moves
from detention.models import Custody, Facility, Relationship, Relative, User


class DepositQuerySet(models.QuerySet["Deposit"]):
    def locked(self) -> DepositQuerySet:
        """Lock the rows; always after the custody they belong to."""
        return self.select_for_update(of=("self",), no_key=True)

    def with_people(self) -> DepositQuerySet:
        return self.select_related(
            "custody__detainee", "custody__facility", "payer__user", "facility"
        )

    def in_flight(self) -> DepositQuerySet:
        """Started and perhaps being paid at this moment."""
        return self.filter(state=Deposit.State.AWAITING_PAYMENT)

    def waiting(self) -> DepositQuerySet:
        """Money that came in and waits in SUSPENSE for a person's decision."""
        return self.filter(state=Deposit.State.AWAITING_DECISION)


class Deposit(models.Model):
    """One payment of a relative for one person in custody; one checkout, at most one payment.

    Created by `deposits.start` before the provider is asked; changes only along `moves`, through
    the verbs of `deposits`. All amounts in fen.
    """

    class State(models.TextChoices):
        AWAITING_PAYMENT = "awaiting_payment", _("waiting for payment")
        AWAITING_DECISION = "awaiting_decision", _("being checked")
        CREDITED = "credited", _("received")
        REFUSED = "refused", _("refused, money goes back")
        REFUNDED = "refunded", _("money sent back")
        EXPIRED = "expired", _("not paid in time")
        FAILED = "failed", _("payment page could not be opened")

    # Money that arrives although the checkout had ended is taken in and waits: it is not lost.
    moves: ClassVar[Moves] = {
        State.AWAITING_PAYMENT: {
            State.AWAITING_DECISION,
            State.CREDITED,
            State.REFUSED,
            State.EXPIRED,
            State.FAILED,
        },
        State.EXPIRED: {State.AWAITING_DECISION, State.REFUSED},
        State.FAILED: {State.AWAITING_DECISION, State.REFUSED},
        State.AWAITING_DECISION: {State.CREDITED, State.REFUSED},
        State.REFUSED: {State.REFUNDED},
        # The provider may report days later that a refund did not arrive.
        State.REFUNDED: {State.REFUSED},
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=12)  # what people read out: D7K2M9QX
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="deposits")
    custody = models.ForeignKey(Custody, models.PROTECT, related_name="deposits")
    relationship = models.ForeignKey(Relationship, models.PROTECT, related_name="deposits")
    payer = models.ForeignKey(Relative, models.PROTECT, related_name="deposits")
    # Made by the form, so that a repeated submit finds the same deposit.
    once = models.UUIDField()
    amount = FenField()  # asked for
    currency = models.CharField(max_length=3, default="CNY")
    state = models.CharField(max_length=20, choices=State, default=State.AWAITING_PAYMENT)
    language = models.CharField(max_length=10, default="zh-hans")

    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()  # when the checkout ends
    cancelled_at = models.DateTimeField(null=True, blank=True)  # the payer came back unpaid
    declined_at = models.DateTimeField(null=True, blank=True)  # the provider refused a try
    provider = models.CharField(max_length=20)
    checkout_id = models.CharField(max_length=200, blank=True)
    checkout_url = models.TextField(blank=True)
    payment_id = models.CharField(max_length=200, blank=True)
    method = models.CharField(max_length=20, blank=True)

    captured_at = models.DateTimeField(null=True, blank=True)
    amount_received = FenField(null=True, blank=True)  # what really came, in currency_received
    currency_received = models.CharField(max_length=3, blank=True)
    amount_credited = FenField(default=0)  # what went to the detainee's account
    decide_by = models.DateTimeField(null=True, blank=True)
    hard_stop_at = models.DateTimeField(null=True, blank=True)
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    # Nobody set on a decided deposit means that the rules decided.
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)  # the payer reads it

    asked_at = models.DateTimeField(null=True, blank=True)  # last question to the provider
    next_ask_at = models.DateTimeField(null=True, blank=True)  # null: nothing left to ask

    objects = DepositQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number"], name="deposit_number_once"),
            models.UniqueConstraint(fields=["payer", "once"], name="deposit_start_once"),
            models.UniqueConstraint(
                fields=["provider", "checkout_id"],
                condition=~Q(checkout_id=""),
                name="deposit_checkout_unique",
            ),
            models.UniqueConstraint(
                fields=["provider", "payment_id"],
                condition=~Q(payment_id=""),
                name="deposit_payment_unique",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="deposit_amount_positive"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "awaiting_payment",
                        "awaiting_decision",
                        "credited",
                        "refused",
                        "refunded",
                        "expired",
                        "failed",
                    ]
                ),
                name="deposit_state_known",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state__in=["awaiting_payment", "expired", "failed"])
                    & Q(payment_id="", captured_at=None, amount_received=None, amount_credited=0)
                )
                | (
                    ~Q(state__in=["awaiting_payment", "expired", "failed"])
                    & ~Q(payment_id="")
                    & Q(captured_at__isnull=False, amount_received__gt=0)
                ),
                name="deposit_paid_has_payment",
            ),
            models.CheckConstraint(
                condition=Q(amount_credited=0)
                | Q(
                    state="credited",
                    amount_credited__gt=0,
                    amount_credited__lte=F("amount_received"),
                ),
                name="deposit_credits_what_came",
            ),
            models.CheckConstraint(
                condition=~Q(state="awaiting_decision")
                | Q(decide_by__isnull=False, hard_stop_at__isnull=False),
                name="deposit_waits_with_a_clock",
            ),
        ]
        indexes = [
            models.Index(fields=["custody", "captured_at"], name="deposit_custody_captured"),
            models.Index(fields=["payer", "-started_at"], name="deposit_payer_started"),
            models.Index(
                fields=["next_ask_at"],
                condition=Q(next_ask_at__isnull=False),
                name="deposit_to_ask",
            ),
            models.Index(
                fields=["facility", "hard_stop_at"],
                condition=Q(state="awaiting_decision"),
                name="deposit_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_captured(self) -> bool:
        return self.payment_id != ""

    def is_overdue(self, at: datetime) -> bool:
        """Tell whether a decision is late."""
        return self.decide_by is not None and at > self.decide_by


class ScreeningFinding(models.Model):
    """What one rule said about one deposit when its money came in; never changes.

    measured, limit: in `unit` (fen or times); null where nothing is measured.
    """

    class Action(models.TextChoices):
        NOTE = "note", _("note")
        HOLD = "hold", _("hold")
        REFUSE = "refuse", _("refuse")

    deposit = models.ForeignKey(Deposit, models.PROTECT, related_name="findings")
    code = models.CharField(max_length=4)
    measured = models.BigIntegerField(null=True, blank=True)
    limit = models.BigIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=5, blank=True)
    action = models.CharField(max_length=6, choices=Action)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deposit", "code"], name="finding_deposit_code_unique")
        ]

    def __str__(self) -> str:
        return f"{self.deposit_id} {self.code} {self.action}"


class RefundQuerySet(models.QuerySet["Refund"]):
    def locked(self) -> RefundQuerySet:
        """Lock the rows; always after the custody and the deposit they belong to."""
        return self.select_for_update(of=("self",), no_key=True)

    def open(self) -> RefundQuerySet:
        """On their way, or stuck and waiting for a person."""
        return self.exclude(state=Refund.State.SUCCEEDED)


class Refund(models.Model):
    """One intention to send money of one deposit back to where it came from.

    Written before the provider is asked; its public id is the idempotency key. The money stands
    in the deposit's SUSPENSE account until the provider says that it went. amount: fen.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("to be sent")
        PENDING = "pending", _("on its way back")
        UNKNOWN = "unknown", _("result not known yet")
        SUCCEEDED = "succeeded", _("sent back")
        FAILED = "failed", _("could not be sent, needs a person")
        # Another refund took its place; kept because it happened.
        REPLACED = "replaced", _("tried again")

    moves: ClassVar[Moves] = {
        State.REQUESTED: {State.PENDING, State.UNKNOWN, State.SUCCEEDED, State.FAILED},
        State.UNKNOWN: {State.PENDING, State.SUCCEEDED, State.FAILED},
        State.PENDING: {State.SUCCEEDED, State.FAILED},
        State.SUCCEEDED: {State.FAILED},
        State.FAILED: {State.REPLACED},
    }

    class Cause(models.TextChoices):
        REFUSED = "refused", _("the centre refused it")
        RULES = "rules", _("the rules do not allow it")
        EXCESS = "excess", _("more than may be received")
        HARD_STOP = "hard_stop", _("no decision in time")
        ASKED = "asked", _("asked back")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    deposit = models.ForeignKey(Deposit, models.PROTECT, related_name="refunds")
    # What this refund is for ("refused", "excess", "again:7"): the same wish is written once.
    key = models.CharField(max_length=40)
    cause = models.CharField(max_length=10, choices=Cause)
    amount = FenField()
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    refund_id = models.CharField(max_length=200, blank=True)
    failure = models.CharField(max_length=200, blank=True)  # the provider's word
    requested_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    requested_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)  # first try that may have reached them
    settled_at = models.DateTimeField(null=True, blank=True)
    next_ask_at = models.DateTimeField(null=True, blank=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deposit", "key"], name="refund_key_once"),
            models.UniqueConstraint(
                fields=["refund_id"], condition=~Q(refund_id=""), name="refund_id_unique"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "requested",
                        "pending",
                        "unknown",
                        "succeeded",
                        "failed",
                        "replaced",
                    ]
                ),
                name="refund_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_ask_at"],
                condition=Q(next_ask_at__isnull=False),
                name="refund_to_ask",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deposit_id} {self.key} {self.state}"


class GatewayEvent(models.Model):
    """One signed message of the provider, stored before anything is done about it.

    The body is kept as proof of what was said and is never believed: processing fetches the
    object from the provider.
    """

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=200)
    type = models.CharField(max_length=100)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=200)
    body = models.BinaryField()
    live = models.BooleanField()
    created_at = models.DateTimeField()  # by the provider's clock
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)  # when the sweep took it up again
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="gatewayevent_id_once")
        ]
        indexes = [
            models.Index(
                fields=["received_at"],
                condition=Q(processed_at=None),
                name="gatewayevent_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id} {self.type}"


class VerifyTry(models.Model):
    """A wrong check code typed for a receipt number; counted so that none can be guessed."""

    number = models.CharField(max_length=20)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["number", "at"], name="verifytry_number_at")]

    def __str__(self) -> str:
        return f"{self.number} {self.at:%F %T}"
