"""The simulator's rows in Stripe's shapes, held to the SDK's own classes."""

from __future__ import annotations

import typing
from collections.abc import Collection
from datetime import datetime
from typing import Any

import stripe
from django.conf import settings
from django.urls import reverse

from accounts.gateways.stub.models import CheckoutSession, Event, Payment, Refund

NOTHING_EXPANDED: frozenset[str] = frozenset()


def shape(kind: type[stripe.StripeObject], **values: Any) -> dict[str, Any]:
    """Fill one of the SDK's classes: what may be absent is null, what may not must be given.

    A field that the class does not know is a mistake of the simulator, found by its first use.
    """
    required, optional = _fields(kind)
    unknown = values.keys() - required - optional
    missing = required - values.keys()
    assert not unknown, f"{kind.__name__} has no {sorted(unknown)}"
    assert not missing, f"{kind.__name__} needs {sorted(missing)}"
    return dict.fromkeys(sorted(optional)) | values


def _fields(kind: type[stripe.StripeObject]) -> tuple[set[str], set[str]]:
    hints: dict[str, Any] = kind.__annotations__
    fields = {
        name: type(None) in typing.get_args(hint)
        for name, hint in hints.items()
        if typing.get_origin(hint) is not typing.ClassVar
    }
    optional = {name for name, may_be_absent in fields.items() if may_be_absent}
    return fields.keys() - optional, optional


def session(row: CheckoutSession, expand: Collection[str] = NOTHING_EXPANDED) -> dict[str, Any]:
    """expand: "payment_intent", "payment_intent.latest_charge"."""
    attempt = getattr(row, "payment", None)
    paid = row.status == row.Status.COMPLETE
    found: Any = attempt.id if attempt else None
    if attempt and "payment_intent" in expand:
        found = payment(attempt, with_charge="payment_intent.latest_charge" in expand)
    return shape(
        stripe.checkout.Session,
        id=row.id,
        object="checkout.session",
        mode="payment",
        ui_mode="hosted_page",
        livemode=False,
        created=_seconds(row.created_at),
        expires_at=_seconds(row.expires_at),
        status=row.status,
        payment_status="paid" if paid else "unpaid",
        amount_subtotal=row.amount,
        amount_total=row.amount,
        currency=row.currency,
        client_reference_id=row.reference or None,
        metadata=row.metadata,
        payment_intent=found,
        allowed_payment_method_types=row.methods,
        payment_method_types=row.methods,
        success_url=row.success_url,
        cancel_url=row.cancel_url or None,
        locale=row.locale,
        url=address(row) if row.status == row.Status.OPEN else None,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        custom_fields=[],
        custom_text={
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        shipping_options=[],
    )


def address(row: CheckoutSession) -> str:
    """Return where a payer's browser finds the hosted page."""
    return settings.PUBLIC_URL + reverse("gateway_stub:checkout", args=[row.id])


def payment(row: Payment, *, with_charge: bool = False) -> dict[str, Any]:
    return shape(
        stripe.PaymentIntent,
        id=row.id,
        object="payment_intent",
        livemode=False,
        created=_seconds(row.created_at),
        status=row.status,
        amount=row.amount,
        amount_capturable=0,
        capture_method="automatic",
        confirmation_method="automatic",
        amount_received=row.amount_received,
        currency=row.currency,
        metadata=row.session.payment_metadata,
        payment_method_types=row.session.methods,
        latest_charge=charge(row) if with_charge else row.charge_id,
    )


def charge(row: Payment) -> dict[str, Any]:
    succeeded = row.status == row.Status.SUCCEEDED
    refunded = row.refunded()
    return shape(
        stripe.Charge,
        id=row.charge_id,
        object="charge",
        livemode=False,
        created=_seconds(row.created_at),
        status="succeeded" if succeeded else "failed",
        paid=succeeded,
        captured=succeeded,
        amount=row.amount,
        amount_captured=row.amount_received,
        amount_refunded=refunded,
        refunded=succeeded and refunded == row.amount_received,
        disputed=False,
        currency=row.currency,
        metadata={},
        payment_intent=row.id,
        failure_code=row.failure_code or None,
        payment_method_details={"type": row.method, row.method: {}},
        billing_details={
            "address": None,
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
    )


def refund(row: Refund) -> dict[str, Any]:
    return shape(
        stripe.Refund,
        id=row.id,
        object="refund",
        created=_seconds(row.created_at),
        status=row.status,
        amount=row.amount,
        currency=row.payment.currency,
        charge=row.payment.charge_id,
        payment_intent=row.payment_id,
        metadata=row.metadata,
        failure_reason=row.failure_reason or None,
    )


def event(row: Event, thing: dict[str, Any]) -> dict[str, Any]:
    return shape(
        stripe.Event,
        id=row.id,
        object="event",
        api_version=stripe.api_version,
        created=_seconds(row.created_at),
        livemode=False,
        pending_webhooks=1,
        request={"id": None, "idempotency_key": None},
        type=row.type,
        data={"object": thing},
    )


def listing(path: str, rows: list[dict[str, Any]], *, more: bool) -> dict[str, Any]:
    return {"object": "list", "url": path, "has_more": more, "data": rows}


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
