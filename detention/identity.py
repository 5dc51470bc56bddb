"""Names, numbers and log-ins as people type them, made into what is stored."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from detention.errors import Refusal


class BadIdentityNumber(Refusal):
    code = "bad_identity_number"
    status = 422
    message = _("Check the identity number: it has 18 characters and the last one must fit.")


class BadLogin(Refusal):
    code = "bad_login"
    status = 422
    message = _("Enter a mobile phone number such as 139 1234 5678, or an e-mail address.")


def folded(text: str) -> str:
    """Return `text` in one width and without outer blanks: full-width digits become plain."""
    return unicodedata.normalize("NFKC", text).strip()


def plain_name(text: str) -> str:
    """Fold a person's name so that the same name typed twice compares equal."""
    return re.sub(r"[\s·.•]+", "", folded(text)).casefold()


def plain_number(text: str) -> str:
    """Fold a custody number: blanks and hyphens do not count, letters are capital."""
    return re.sub(r"[\s-]+", "", folded(text)).upper()


def login_name(text: str) -> str:
    """Turn a typed phone number or e-mail address into the stored log-in name.

    Returns E.164 for a phone (a bare number is Chinese) or the address in lower case.
    Refuses BadLogin (bad_login).
    """
    text = folded(text)
    if "@" in text:
        try:
            validate_email(text)
        except ValidationError as error:
            raise BadLogin(field="login") from error
        return text.lower()
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException as error:
        raise BadLogin(field="login") from error
    if not phonenumbers.is_valid_number(number):
        raise BadLogin(field="login")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def identity_number(text: str) -> str:
    """Check an 18-character resident identity number and return it folded.

    Refuses BadIdentityNumber. Source of the check character: GB 11643-1999 (ISO 7064 MOD 11-2).
    """
    number = re.sub(r"[\s-]+", "", folded(text)).upper()
    if not re.fullmatch(r"[1-9]\d{16}[\dX]", number):
        raise BadIdentityNumber(field="identity_number")
    weighted = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
    if "10X98765432"[weighted % 11] != number[17]:
        raise BadIdentityNumber(field="identity_number")
    return number


def masked_identity(number: str) -> str:
    """Show an identity number as its first three and last four characters."""
    return f"{number[:3]}{'*' * 11}{number[-4:]}"


def masked_name(name: str) -> str:
    """Hide the middle of a person's name: 王小明 → 王*明, 王明 → 王*, 欧阳小明 → 欧**明."""
    name = name.strip()
    if len(name) < 3:
        return name[:1] + "*" * (len(name) - 1)
    return name[0] + "*" * (len(name) - 2) + name[-1]


def digest(text: str, *, purpose: str) -> str:
    """Return a keyed digest: equal texts are found, none can be read back."""
    key = f"{purpose}:{settings.SECRET_KEY}".encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def fresh_token() -> str:
    """Return a new unguessable token for a device, a session or a link."""
    return secrets.token_urlsafe(32)


def fresh_code(length: int = 8) -> str:
    """Return a short code for people to type: no letter that looks like another."""
    return "".join(secrets.choice("23456789ABCDEFGHJKMNPQRSTUVWXYZ") for _ in range(length))
