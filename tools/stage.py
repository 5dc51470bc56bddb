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


def lawyer() -> tuple[str, str]:
    """Make another lawyer whose papers are accepted, with a client; return log-in and password."""
    from io import BytesIO

    from django.db.models import Count
    from django.utils import timezone

    from detention.models import Custody, User
    from visits import credentials, files, mandates
    from visits.models import Credential, Slot

    now, today = timezone.now(), timezone.localdate()
    held = (
        Custody.objects.open()
        .filter(facility__in=Slot.objects.values("facility"), facility__code="donghe")
        .annotate(defenders=Count("mandates"))
        .order_by("defenders", "pk")[0]
    )
    guard = User.objects.get(login=officer("guard")[0])
    serial = f"{held.pk}{now:%H%M%S%f}"
    login, password = f"lawyer-{serial}@example.org", f"lawyer-{serial}"
    made = credentials.register(
        login=login,
        password=password,
        name="钱律师",
        licence_number=serial,
        firm_name="青城律师事务所",
        firm_licence="31150000D1",
        at=now,
    )
    papers = {}
    for kind in (
        Credential.Kind.PRACTISING,
        Credential.Kind.FIRM_LETTER,
        Credential.Kind.LEGAL_AID,
    ):
        paper = credentials.submit(
            made,
            kind=kind,
            number=f"{serial}-{kind}",
            issuer="内蒙古自治区司法厅",
            valid_from=today,
            valid_until=today.replace(year=today.year + 1),
            paper=files.read(BytesIO(b"%PDF-1.4\n%%EOF\n")),
            at=now,
        )
        papers[kind] = credentials.accept(paper, facility=held.facility, by=guard, at=now)
    mandate = mandates.ask(
        made,
        number=held.number,
        name=held.detainee.name,
        firm_letter=papers[Credential.Kind.FIRM_LETTER],
        authority=papers[Credential.Kind.LEGAL_AID],
        at=now,
    )
    mandates.review(mandate, at=now)
    return login, password


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
