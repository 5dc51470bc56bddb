"""The SDK's HTTP client, answered by the simulator in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe
from django.db import OperationalError, transaction
from django.utils import timezone

from accounts.gateways.stub import server
from accounts.gateways.stub.models import Fault


class SimulatorClient(stripe.HTTPClient):
    """Carries the SDK's requests to the simulator instead of the network.

    The SDK keeps everything else: encoding, retries, idempotency keys, parsing, errors.
    """

    name = "simulator"

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        **_unused: Any,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Answer one request, unless a fault was ordered for it."""
        parts = urlsplit(url)
        given = headers or {}
        asked = server.Request(
            method=method.upper(),
            path=parts.path,
            text=post_data or parts.query,
            authorization=given.get("Authorization", ""),
            idempotency_key=given.get("Idempotency-Key", ""),
            at=timezone.now(),
        )
        fault = _fault(f"{asked.method} {asked.path}")
        if fault == Fault.Kind.DOWN:
            raise _no_answer("Connection refused")
        if fault == Fault.Kind.ERROR:
            # As the real one says, so that the SDK does not smooth it over at once.
            error = '{"error": {"type": "api_error", "message": "An unknown error occurred"}}'
            return error, 500, {"stripe-should-retry": "false"}
        try:
            answer = server.answer(asked)
        except OperationalError as error:
            # A database that is busy for too long is a provider that does not answer.
            raise _no_answer(str(error)) from error
        if fault == Fault.Kind.LOST:
            raise _no_answer("Read timed out")
        return answer.body, answer.status, answer.headers

    def _sleep_time_seconds(self, num_retries: int) -> float:
        # Nothing recovers in between when the provider is in this process.
        return 0

    def close(self) -> None:
        """There is nothing to close."""


def _fault(request: str) -> str | None:
    """Use up one ordered fault that fits this request, oldest first."""
    if not Fault.objects.exists():
        return None
    with transaction.atomic():
        for fault in Fault.objects.select_for_update().order_by("pk"):
            if request.startswith(fault.where):
                fault.left -= 1
                if fault.left:
                    fault.save(update_fields=["left"])
                else:
                    fault.delete()
                return fault.kind
    return None


def _no_answer(why: str) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(why, should_retry=True)  # type: ignore[no-untyped-call]
