"""The pass a lawyer shows at the gate: signed, so that an invented one is found out."""

from __future__ import annotations

from uuid import UUID

from django.core import signing
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from detention import qr
from visits.models import Booking

_SALT = "visits.pass"


def token(booking: Booking) -> str:
    """Return the signed text in the QR code: the booking's public id, nothing about people."""
    return signing.Signer(salt=_SALT, sep=".").sign(booking.public_id.hex)


def read(text: str) -> UUID | None:
    """Return the public id that a scanned text carries, or None when it is not a pass of ours."""
    try:
        return UUID(hex=signing.Signer(salt=_SALT, sep=".").unsign(text.strip()))
    except (signing.BadSignature, ValueError):
        return None


def picture(booking: Booking) -> SafeString:
    """Draw the pass as a square code."""
    return qr.svg(token(booking), label=_("Pass to be scanned at the gate"))
