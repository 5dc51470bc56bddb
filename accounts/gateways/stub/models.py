"""What the simulated provider remembers: Stripe's objects, its idempotency keys and its letters.

Nothing of ours refers to these rows, as nothing of ours could refer to rows at a real provider.
Amounts are integers in minor units; currencies are in small letters, as Stripe writes them.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import models
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _


def new_id(prefix: str) -> str:
    """Make an identifier that looks like the provider's."""
    return f"{prefix}_{secrets.token_hex(12)}"


def _session_id() -> str:
    return new_id("cs_test")


def _payment_id() -> str:
    return new_id("pi")


def _charge_id() -> str:
    return new_id("ch")


def _refund_id() -> str:
    return new_id("re")


def _event_id() -> str:
    return new_id("evt")


class CheckoutSession(models.Model):
    """One hosted payment page. The merchant creates it; it is paid once or expires."""

    class Status(models.TextChoices):
        OPEN = "open", _("not yet paid")
        COMPLETE = "complete", _("paid")
        EXPIRED = "expired", _("its time ran out")

    id = models.CharField(max_length=60, primary_key=True, default=_session_id)
    reference = models.CharField(max_length=200, blank=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    methods = models.JSONField()
    description = models.CharField(max_length=250)
    success_url = models.TextField()
    cancel_url = models.TextField(blank=True)
    locale = models.CharField(max_length=10, default="auto")
    metadata = models.JSONField(default=dict)
    payment_metadata = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()  # end is exclusive

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="stub_session_amount_positive"),
        ]

    def __str__(self) -> str:
        return self.id

    def is_open(self, at: datetime) -> bool:
        return self.status == self.Status.OPEN and at < self.expires_at


class Payment(models.Model):
    """Stripe's PaymentIntent with its latest Charge; made when a payer first tries to pay."""

    class Status(models.TextChoices):
        FAILED = "requires_payment_method"
        SUCCEEDED = "succeeded"

    id = models.CharField(max_length=60, primary_key=True, default=_payment_id)
    charge_id = models.CharField(max_length=60, unique=True, default=_charge_id)
    session = models.OneToOneField(CheckoutSession, models.CASCADE, related_name="payment")
    status = models.CharField(max_length=30, choices=Status)
    amount = models.BigIntegerField()
    amount_received = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    method = models.CharField(max_length=10)
    failure_code = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.id

    def refunded(self) -> int:
        """Return what went back or is on its way back, in minor units."""
        alive = self.refunds.exclude(status=Refund.Status.FAILED)
        total: int | None = alive.aggregate(total=Sum("amount"))["total"]
        return total or 0


class Refund(models.Model):
    """Money sent back for one payment; a succeeded one may still fail later."""

    class Status(models.TextChoices):
        PENDING = "pending", _("refund on its way")
        SUCCEEDED = "succeeded", _("refunded")
        FAILED = "failed", _("came back")

    id = models.CharField(max_length=60, primary_key=True, default=_refund_id)
    payment = models.ForeignKey(Payment, models.CASCADE, related_name="refunds")
    amount = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.SUCCEEDED)
    failure_reason = models.CharField(max_length=60, blank=True)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="stub_refund_amount_positive"),
        ]

    def __str__(self) -> str:
        return self.id


class Event(models.Model):
    """Something happened: the letter's text as it was then."""

    id = models.CharField(max_length=60, primary_key=True, default=_event_id)
    type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60, db_index=True)
    body = models.TextField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Delivery(models.Model):
    """One letter on its way to the merchant's address, carried by the worker until accepted."""

    class Signature(models.TextChoices):
        TRUE = "true", _("true signature")
        WRONG = "wrong", _("wrong signature")
        OLD = "old", _("old signature")

    class State(models.TextChoices):
        WAITING = "waiting", _("letter on its way")
        ACCEPTED = "accepted", _("letter accepted")
        GIVEN_UP = "given_up", _("letter given up")

    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries")
    signature = models.CharField(max_length=10, choices=Signature, default=Signature.TRUE)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    answer = models.CharField(max_length=200, blank=True)  # of the last attempt
    due_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.event_id} {self.state}"


class StoredAnswer(models.Model):
    """What was answered to one idempotency key; repeated for a day."""

    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], name="stub_answer_key_once"),
        ]

    def __str__(self) -> str:
        return self.key


class Fault(models.Model):
    """Bad weather ordered for the next requests: which, what happens, how many times."""

    class Kind(models.TextChoices):
        DOWN = "down"  # no connection, nothing is done
        LOST = "lost"  # it is done, but the answer is lost
        ERROR = "error"  # the provider answers with an error, nothing is done

    kind = models.CharField(max_length=10, choices=Kind)
    # Beginning of "METHOD /path"; "" is every request.
    where = models.CharField(max_length=120, blank=True)
    left = models.PositiveSmallIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.kind} {self.where} ×{self.left}"
