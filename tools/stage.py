"""What the contact sheets need beside the played day: who signs in, and what they look for.

Works on the demo's own database; Django is set up only after this module is imported.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

# One entry for each family that has signed in so far.
_turns: list[int] = []


def officer(role: str) -> tuple[str, str]:
    """Return log-in and password of the first demo officer with this role."""
    from config import demo

    one = next(one for one in demo.logins() if one.role == role)
    return one.login, one.password


def relative() -> tuple[str, str]:
    """Return log-in and password of the next family, since each may pay only so often a day."""
    from config.playing import families

    _turns.append(len(_turns))
    login = _link().relative.user.login
    _, run, serial = login.split("@")[0].split("-")
    return login, families.made(int(serial), run).password


def _link() -> Any:
    """Return the verified link of the family whose turn it is."""
    from detention.models import Custody, Relationship

    links = Relationship.objects.verified().filter(
        relative__user__login__startswith="family-", custody__state=Custody.State.OPEN
    )
    return list(links.order_by("pk"))[len(_turns) % links.count()]


def ask_for_another(page: Page) -> None:
    """Fill in the request to be linked with one more person, and send it."""
    from detention.models import Custody, Relationship

    linked = Relationship.objects.filter(relative=_link().relative).values("custody")
    other = Custody.objects.open().exclude(pk__in=linked).order_by("-pk").first()
    page.locator("[name=number]").fill(other.number)
    page.locator("[name=name]").fill(other.detainee.name)
    page.locator("[name=kind][value=other]").check()
    page.locator("main form button").first.click()


def search_the_trail(page: Page) -> None:
    """Look for the first payment of a family."""
    from accounts.models import Deposit

    number = Deposit.objects.filter(custody=_link().custody).order_by("pk").first().number
    page.locator("form[data-form=trail] input:not([type=hidden])").first.fill(number)
    page.locator("form[data-form=trail] .button").click()
