"""Only what the provider signed just now is an event."""

from __future__ import annotations

import json
import time

import pytest
import stripe
from django.utils import timezone

from accounts.gateways import BadSignature, gateway
from accounts.gateways.stub import letters
from accounts.gateways.stub.models import Delivery

EVENT = json.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "type": "refund.failed",
        "created": 1_800_000_000,
        "livemode": False,
        "data": {"object": {"id": "re_1", "object": "refund"}},
    }
)


def sign(body=EVENT, secret="whsec_simulator", moment=None):
    return stripe.WebhookSignature.generate_signature_header(body, secret, moment)


def test_a_signed_event_is_read():
    event = gateway().read_event(EVENT.encode(), sign())

    assert (event.id, event.type) == ("evt_1", "refund.failed")
    assert (event.object_type, event.object_id) == ("refund", "re_1")
    assert event.created_at.timestamp() == 1_800_000_000
    assert event.live is False


def test_one_true_signature_among_several_is_enough():
    old_key = sign(secret="whsec_before").split(",")[1]

    assert gateway().read_event(EVENT.encode(), f"{sign()},{old_key}").id == "evt_1"


NOT_UTF8 = b"\xff\xfe"
NOT_JSON = "{not json"
LIST = "[1, 2]"
NO_DATA = '{"id": "evt_1", "object": "event", "type": "x", "created": 1, "livemode": false}'
BARE = '{"object": "event"}'
DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (EVENT.replace("re_1", "re_2"), sign()),
        (EVENT, sign(secret="whsec_somebody_else")),
        (EVENT, sign(moment=int(time.time()) - 301)),
        (EVENT, sign().replace("t=1", "t=2")),
        (EVENT, ""),
        (EVENT, "garbage"),
        (EVENT, "t=,v1="),
        (EVENT, "t=1795000000"),
        (EVENT, sign().replace("v1=", "v0=")),
        (EVENT, sign()[:-1] + "é"),
        (NOT_UTF8, sign()),
        ("", ""),
        (NOT_JSON, sign(NOT_JSON)),
        (LIST, sign(LIST)),
        (NO_DATA, sign(NO_DATA)),
        (BARE, sign(BARE)),
        (DEEP, sign(DEEP)),
        ("null", sign("null")),
    ],
    ids=[
        "altered body",
        "wrong secret",
        "older than five minutes",
        "another time than was signed",
        "no signature",
        "garbage signature",
        "empty parts",
        "time without signature",
        "another scheme",
        "signature not in ASCII",
        "body not in UTF-8",
        "nothing at all",
        "signed, not JSON",
        "signed, a list",
        "signed, no object",
        "signed, nearly empty",
        "signed, endlessly nested",
        "signed, null",
    ],
)
def test_anything_else_is_refused(body, signature):
    raw = body if isinstance(body, bytes) else body.encode()

    with pytest.raises(BadSignature):
        gateway().read_event(raw, signature)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["wrong", "old"])
def test_the_simulators_bad_letters_are_bad(open_checkout, kind):
    event = letters.write("checkout.session.completed", {"id": "cs_1"}, at=timezone.now())
    body, signature = letters.signed(Delivery(event=event, signature=kind), at=timezone.now())

    with pytest.raises(BadSignature):
        gateway().read_event(body, signature)
