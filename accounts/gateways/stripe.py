"""The adapter to Stripe through its official SDK; the simulator answers this same adapter."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import stripe
from django.conf import settings
from django.db import connections

from accounts.gateways import (
    BadSignature,
    Checkout,
    CheckoutState,
    Event,
    GatewayRefused,
    GatewayUnavailable,
    Method,
    RefundResult,
    RefundState,
    ResultUnknown,
)

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

log = logging.getLogger(__name__)

# The SDK waits 80 seconds unless told otherwise; a person at a phone does not.
TIMEOUT_S = 15
# The SDK repeats with the same idempotency key, so a second try cannot act twice.
RETRIES = 1
# Newest first, so that a lost answer is on the first page; beyond this the search gives up.
LOOK_AT_MOST = 2000

_LOCALES: dict[str, Literal["zh", "en", "auto"]] = {"zh-hans": "zh", "en": "en"}
_OBJECT_TYPES = {"checkout.session": "checkout"}
_EXPAND = ["payment_intent.latest_charge"]
# requires_action: the provider waits for something; no money has come back yet.
_REFUND_STATES: dict[str, RefundState] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
    "pending": "pending",
    "requires_action": "pending",
}


class StripeGateway:
    """Deposits and refunds through Stripe Checkout (card, Alipay)."""

    name = "stripe"

    def __init__(
        self, *, api_key: str, webhook_secret: str, http_client: stripe.HTTPClient | None = None
    ) -> None:
        self._webhook_secret = webhook_secret
        self._client = stripe.StripeClient(
            api_key,
            max_network_retries=RETRIES,
            http_client=http_client or stripe.RequestsClient(timeout=TIMEOUT_S),
        )

    def create_checkout(
        self,
        *,
        reference: str,
        amount: int,
        currency: str,
        methods: Sequence[Method],
        description: str,
        success_url: str,
        cancel_url: str,
        expires_at: datetime,
        locale: str,
        idempotency_key: str,
    ) -> Checkout:
        """Open a hosted payment page; see `Gateway.create_checkout`."""
        page: SessionCreateParams = {
            "mode": "payment",
            "client_reference_id": reference,
            "allowed_payment_method_types": list(methods),
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": currency.lower(),
                        "unit_amount": amount,
                        "product_data": {"name": description},
                    },
                }
            ],
            "payment_intent_data": {"metadata": {"reference": reference}},
            "success_url": success_url,
            "cancel_url": cancel_url,
            "expires_at": int(expires_at.timestamp()),
            "locale": _LOCALES.get(locale, "auto"),
        }
        sessions = self._client.v1.checkout.sessions
        return _checkout(
            _write(lambda: sessions.create(page, {"idempotency_key": idempotency_key}))
        )

    def fetch_checkout(self, id: str) -> Checkout:
        """Return the checkout as it stands now."""
        session = _read(lambda: self._client.v1.checkout.sessions.retrieve(id, {"expand": _EXPAND}))
        return _checkout(session)

    def expire_checkout(self, id: str) -> Checkout:
        """End an open checkout now; see `Gateway.expire_checkout`."""
        session = _write(lambda: self._client.v1.checkout.sessions.expire(id))
        return _checkout(session)

    def find_checkout(self, reference: str, *, since: datetime) -> Checkout | None:
        """Look through the checkouts made since then for our reference.

        Stripe has no search by `client_reference_id`, so the list is walked, newest first.
        """

        def look() -> Checkout | None:
            sessions = self._client.v1.checkout.sessions.list(
                {
                    "created": {"gte": int(since.timestamp())},
                    "limit": 100,
                    "expand": [f"data.{name}" for name in _EXPAND],
                }
            )
            seen = 0
            for session in islice(sessions.auto_paging_iter(), LOOK_AT_MOST):
                if session.client_reference_id == reference:
                    return _checkout(session)
                seen += 1
            if seen == LOOK_AT_MOST:
                raise ResultUnknown(f"more than {LOOK_AT_MOST} checkouts since {since}")
            return None

        return _read(look)

    def refund(
        self, *, payment_id: str, amount: int, reference: str, idempotency_key: str
    ) -> RefundResult:
        """Send money back to where the payment came from; see `Gateway.refund`."""
        refund = _write(
            lambda: self._client.v1.refunds.create(
                {
                    "payment_intent": payment_id,
                    "amount": amount,
                    "metadata": {"reference": reference},
                },
                {"idempotency_key": idempotency_key},
            )
        )
        return _refund(refund)

    def fetch_refund(self, id: str) -> RefundResult:
        """Return the refund as it stands now."""
        return _refund(_read(lambda: self._client.v1.refunds.retrieve(id)))

    def find_refund(self, reference: str, *, payment_id: str) -> RefundResult | None:
        """Look through the refunds of one payment for our reference."""

        def look() -> RefundResult | None:
            refunds = self._client.v1.refunds.list({"payment_intent": payment_id, "limit": 100})
            for refund in refunds.auto_paging_iter():
                if _reference(refund) == reference:
                    return _refund(refund)
            return None

        return _read(look)

    def read_event(self, body: bytes, signature: str) -> Event:
        """Check the signature over the raw body and return the event."""
        try:
            event = self._client.construct_event(body, signature, self._webhook_secret)
            thing = event.data.object
            return Event(
                id=event.id,
                type=event.type,
                object_type=_OBJECT_TYPES.get(thing["object"], thing["object"]),
                object_id=thing["id"],
                created_at=datetime.fromtimestamp(event.created, UTC),
                live=event.livemode,
            )
        # Besides its own error the SDK lets out what decoding and parsing raise.
        except (
            stripe.SignatureVerificationError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            RecursionError,
        ) as error:
            raise BadSignature(str(error)) from error


def configured() -> StripeGateway:
    """Return the adapter that the settings ask for: over the network, or over the simulator."""
    return _made(settings.GATEWAY, settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET)


@functools.cache
def _made(kind: str, api_key: str, webhook_secret: str) -> StripeGateway:
    # Kept, because the SDK's client keeps its connections open.
    client: stripe.HTTPClient | None = None
    if kind == "stub":
        from accounts.gateways.stub.client import SimulatorClient

        client = SimulatorClient()
    return StripeGateway(api_key=api_key, webhook_secret=webhook_secret, http_client=client)


def _checkout(session: stripe.checkout.Session) -> Checkout:
    payment = session.payment_intent if session.payment_status == "paid" else None
    # Asked for expanded; a bare id would hide the amount that really came in.
    assert payment is None or isinstance(payment, stripe.PaymentIntent), "not expanded"
    return Checkout(
        id=session.id,
        url=session.url or "",
        state=_state(session),
        payment_id=payment.id if payment else "",
        amount=payment.amount_received if payment else session.amount_total or 0,
        currency=(payment.currency if payment else session.currency or "").upper(),
        method=_method(payment) if payment else "",
        reference=session.client_reference_id or "",
        declined=_declined(session),
    )


def _state(session: stripe.checkout.Session) -> CheckoutState:
    if session.payment_status == "paid":
        return "paid"
    return "expired" if session.status == "expired" else "open"


def _declined(session: stripe.checkout.Session) -> bool:
    """Tell whether the last try on a page that is still open failed."""
    attempt = session.payment_intent
    if session.status != "open" or not isinstance(attempt, stripe.PaymentIntent):
        return False
    charge = attempt.latest_charge
    return isinstance(charge, stripe.Charge) and charge.status == "failed"


def _method(payment: stripe.PaymentIntent) -> str:
    charge = payment.latest_charge
    if not isinstance(charge, stripe.Charge) or charge.payment_method_details is None:
        return ""
    return charge.payment_method_details.type


def _refund(refund: stripe.Refund) -> RefundResult:
    return RefundResult(
        id=refund.id,
        state=_REFUND_STATES[refund.status or "pending"],
        amount=refund.amount,
        failure=refund.failure_reason or "",
        reference=_reference(refund),
    )


def _reference(refund: stripe.Refund) -> str:
    metadata = refund.metadata
    return metadata["reference"] if metadata and "reference" in metadata else ""


def _read[T](call: Callable[[], T]) -> T:
    """Ask; whatever goes wrong on the way, nothing has changed."""
    _assert_no_transaction()
    try:
        return call()
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        raise _refused(error) from error
    except stripe.StripeError as error:
        log.warning("provider unavailable: %s", error)
        raise GatewayUnavailable(str(error)) from error


def _write[T](call: Callable[[], T]) -> T:
    """Act; an answer that did not arrive leaves open whether it was done."""
    _assert_no_transaction()
    try:
        return call()
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        raise _refused(error) from error
    except stripe.IdempotencyError as error:
        raise GatewayRefused("idempotency_error", str(error.user_message)) from error
    except (
        stripe.RateLimitError,
        stripe.AuthenticationError,
        stripe.PermissionError,
    ) as error:
        log.warning("provider turned the request away: %s", error)
        raise GatewayUnavailable(str(error)) from error
    except stripe.StripeError as error:
        log.warning("no answer from the provider: %s", error)
        raise ResultUnknown(str(error)) from error


def _refused(error: stripe.InvalidRequestError | stripe.CardError) -> GatewayRefused:
    return GatewayRefused(error.code or "invalid_request", str(error.user_message))


def _assert_no_transaction() -> None:
    """No outside call inside a transaction: it would hold locks for as long as it takes."""
    for connection in connections.all(initialized_only=True):
        blocks: list[Any] = connection.atomic_blocks
        # A test's own enclosing block is not the program's; Django marks it for `durable`.
        assert all(block._from_testcase for block in blocks), "outside call in a transaction"
