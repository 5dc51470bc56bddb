from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.gateways import CHECKOUT_LIFE, Checkout, gateway
from tests.accounts.gateways import mailbox as address


@pytest.fixture
def order() -> dict[str, Any]:
    """One request for a payment page, with keys of its own."""
    return {
        "reference": str(uuid.uuid4()),
        "amount": 20_000,
        "currency": "CNY",
        "methods": ["card", "alipay"],
        "description": "Deposit",
        "success_url": "https://example.org/paid?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://example.org/back",
        "expires_at": timezone.now() + CHECKOUT_LIFE,
        "locale": "zh-hans",
        "idempotency_key": str(uuid.uuid4()),
    }


@pytest.fixture
def open_checkout(order: dict[str, Any]) -> Callable[..., Checkout]:
    """Open a payment page; keywords change the request."""

    def make(**changes: Any) -> Checkout:
        keys = {"reference": str(uuid.uuid4()), "idempotency_key": str(uuid.uuid4())}
        return gateway().create_checkout(**order | keys | changes)

    return make


@pytest.fixture
def mailbox(settings: Any) -> Iterator[address.Mailbox]:
    """The merchant's address, empty; letters reach it when the queue is run."""
    settings.ROOT_URLCONF = "tests.accounts.gateways.mailbox"
    address.box.__init__()
    yield address.box
    address.box.__init__()
