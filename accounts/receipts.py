"""Receipts: what anybody may check about a credited deposit, with its number and check code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts.models import Deposit, VerifyTry
from detention.errors import Refusal
from detention.identity import digest, plain_number
from detention.verbs import verb

TRIES = 10
PAUSE = timedelta(hours=1)
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LENGTH = 6


class TooManyChecks(Refusal):
    code = "too_many_tries"
    status = 429
    message = _("Too many wrong check codes for this number. Try again in an hour.")


@dataclass(frozen=True, kw_only=True)
class Genuine:
    """What a genuine receipt certifies; amount in fen."""

    deposit: Deposit
    amount: int
    at: datetime


def check_code(deposit: Deposit) -> str:
    """Return the six characters printed on the receipt; they follow from the deposit alone."""
    text = f"{deposit.public_id}:{deposit.amount_credited}"
    number = int(digest(text, purpose="receipt"), 16)
    letters = []
    for _place in range(_LENGTH):
        number, rest = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[rest])
    return "".join(letters)


@verb
def check(number: str, code: str, *, at: datetime) -> Genuine | None:
    """Tell whether somebody holds a genuine receipt; None for any mismatch, known number or not.

    A wrong try is counted by number, so that no code can be found by trying: after ten in an hour
    the number refuses TooManyChecks (429) even to the right code.
    """
    number = plain_number(number)[:20]
    recent = VerifyTry.objects.filter(number=number, at__gt=at - PAUSE)
    if recent.count() >= TRIES:
        raise TooManyChecks
    deposit = (
        Deposit.objects.with_people().filter(number=number, state=Deposit.State.CREDITED).first()
    )
    if deposit is None or not constant_time_compare(check_code(deposit), plain_number(code)):
        VerifyTry.objects.create(number=number, at=at)
        return None
    assert deposit.captured_at is not None, "credited before it was captured"
    return Genuine(
        deposit=deposit,
        amount=deposit.amount_credited,
        at=deposit.decided_at or deposit.captured_at,
    )
