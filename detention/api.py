"""Who is asking at the JSON doors: a tablet, a detainee on a tablet, or a program."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from detention import devices, tokens
from detention.models import Device, TabletSession

SESSION_HEADER = "X-Tablet-Session"


class DeviceToken(HttpBearer):
    """An enrolled tablet; `request.auth` is its Device. Refuses DeviceUnknown (401)."""

    def authenticate(self, request: HttpRequest, token: str) -> Device:
        return devices.by_token(token)


class AccessToken(HttpBearer):
    """A program that acts for one officer; `request.auth` is its Grant. Refuses with 401."""

    def authenticate(self, request: HttpRequest, token: str) -> tokens.Grant | None:
        return tokens.grant(token, at=timezone.now())


def signed_in_detainee(request: HttpRequest) -> TabletSession:
    """Return the detainee's sign-in on the asking tablet. Refuses SignInNeeded (401)."""
    device: Device = request.auth  # type: ignore[attr-defined]
    token = request.headers.get(SESSION_HEADER, "")
    return devices.session_by_token(device, token, at=timezone.now())
