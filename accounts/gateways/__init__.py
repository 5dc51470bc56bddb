"""The port to a payment provider: what deposits and refunds ask of one, and what they hear back.

Amounts are integers in minor units (fen); currencies are ISO codes in capitals ("CNY").
Every call is an outside call: never inside a transaction. `gateway()` gives the provider that
the settings name; the simulator answers the same adapter through the same official SDK.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from django.conf import settings

# What to ask for as a checkout's life. The provider takes no less than 30 minutes, counted from
# when the request reaches it, so that a request which waits in a queue needs some minutes more.
CHECKOUT_LIFE = timedelta(minutes=35)

type Method = Literal["card", "alipay"]
type CheckoutState = Literal["open", "paid", "expired"]
type RefundState = Literal["pending", "succeeded", "failed"]


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """One hosted payment page at the provider, as it stands now.

    state: "open" may still be paid, "paid" is final, "expired" can never be paid.
    payment_id: the provider's payment, "" until paid; what a refund names.
    amount: when paid, what really came in; before, what was asked for.
    method: "card" or "alipay" once paid, else "".
    reference: ours, given at creation.
    declined: the last try to pay an open page was turned down; it may be paid yet.
    """

    id: str
    url: str
    state: CheckoutState
    payment_id: str
    amount: int
    currency: str
    method: str
    reference: str = ""
    declined: bool = False


@dataclass(frozen=True, kw_only=True)
class RefundResult:
    """One refund at the provider, as it stands now; a succeeded one may still fail days later.

    failure: the provider's reason when failed, else "".
    """

    id: str
    state: RefundState
    amount: int
    failure: str
    reference: str = ""


@dataclass(frozen=True, kw_only=True)
class Event:
    """News from the provider with a proven signature; a reason to look, never the truth itself.

    type: the provider's name ("checkout.session.completed").
    object_type: "checkout", "refund" or "dispute"; any other thing by the provider's own name.
    live: False when no real money is meant (test keys, simulator).
    """

    id: str
    type: str
    object_type: str
    object_id: str
    created_at: datetime
    live: bool


class GatewayError(Exception):
    """The provider did not do what was asked."""


class GatewayUnavailable(GatewayError):
    """Nothing happened; the same call may be tried later."""


class ResultUnknown(GatewayError):
    """It may have happened: query, or repeat the identical call with the same key."""


class GatewayRefused(GatewayError):
    """The provider said no; the same call will be refused again. `code` is the provider's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class BadSignature(GatewayError):
    """A message that the provider did not sign, not now, or that is no event."""


class Gateway(Protocol):
    """A payment provider for deposits and their refunds."""

    @property
    def name(self) -> str:
        """The provider's name as stored beside each deposit ("stripe")."""
        ...

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
        """Open a payment page for `amount`.

        reference: ours, at most 200 characters; comes back on the checkout.
        description: what the payer reads; no names of people.
        expires_at: at least 30 minutes after the provider hears of it (see CHECKOUT_LIFE).
        locale: "zh-hans" or "en".
        Errors: GatewayUnavailable, ResultUnknown, GatewayRefused.
        The same key with the same arguments again returns the same checkout for at least 24
        hours; the same key with others is refused.
        """
        ...

    def fetch_checkout(self, id: str) -> Checkout:
        """Return the checkout as it stands now. Errors: GatewayUnavailable, GatewayRefused."""
        ...

    def expire_checkout(self, id: str) -> Checkout:
        """End an open checkout now, so that it can never be paid; returns it as it then stands.

        Errors: GatewayRefused when it is not open any more; GatewayUnavailable, ResultUnknown.
        """
        ...

    def find_checkout(self, reference: str, *, since: datetime) -> Checkout | None:
        """Look for a checkout by our reference among those made at or after `since`.

        For an answer that was lost for longer than the key lives. None: there is none.
        Errors: GatewayUnavailable; ResultUnknown when there were too many to look at.
        """
        ...

    def refund(
        self, *, payment_id: str, amount: int, reference: str, idempotency_key: str
    ) -> RefundResult:
        """Send `amount` back to where the payment came from.

        Errors: GatewayUnavailable, ResultUnknown, GatewayRefused (also: more than is left).
        The same key again returns the same refund for at least 24 hours.
        """
        ...

    def fetch_refund(self, id: str) -> RefundResult:
        """Return the refund as it stands now. Errors: GatewayUnavailable, GatewayRefused."""
        ...

    def find_refund(self, reference: str, *, payment_id: str) -> RefundResult | None:
        """Look for a refund of this payment by our reference; None: there is none."""
        ...

    def read_event(self, body: bytes, signature: str) -> Event:
        """Check the signature over the raw body and return the event.

        signature: the header's value, "" when it is missing. Refuses with BadSignature whatever
        is not signed by the provider within the last five minutes. No outside call.
        """
        ...


def onward(url: str) -> str:
    """Return an address to send a browser to: without host when it is our own.

    Somebody who came by another name of this machine (localhost, a name of the local network)
    stays there, signed in, and the page's own policy lets the form go on.
    """
    ours = f"{settings.PUBLIC_URL}/"
    return url.removeprefix(settings.PUBLIC_URL) if url.startswith(ours) else url


def gateway() -> Gateway:
    """Return the provider that the settings name."""
    from accounts.gateways import stripe

    return stripe.configured()
