"""What officers do on a played day, each at their own desk."""

from __future__ import annotations

import json
from typing import Any

from config.demo import Login
from config.playing.families import Family
from config.playing.person import TIMEOUT_S, Person, Tablet, Unexpected

# A few strokes in the field of 1000 by 400.
SIGNATURE = json.dumps([[[100, 200], [300, 90], [500, 260]], [[520, 120], [860, 240]]])


def admit(guard: Person, family: Family) -> None:
    """Admit the family's person and keep the PIN that the page shows once."""
    # A letter in between: thirteen digits in a row can look like a bank card's by chance.
    born, order = family.identity_number[6:14], family.identity_number[14:17]
    guard.open("/desk/people/admit/")
    cells = guard.browser.page.select("select[name=cell] option[value]:not([value=''])")
    guard.submit(
        "form[data-form=admit]",
        name=family.held_name,
        number=f"P{born}R{order}{family.serial}",
        cell=cells[family.serial % len(cells)]["value"],
    )
    family.number = guard.shown("[data-number]")
    family.pin = guard.shown("[data-pin]")
    family.held_id = guard.links('main a[href^="/desk/people/"]')[-1].strip("/").split("/")[-1]


def enrolled_tablet(guard: Person, name: str) -> Tablet:
    """Register a tablet at the desk and let it enrol with the one-time code."""
    guard.open("/desk/tablets/add/")
    cell = guard.attribute("select[name=cell] option[value]:not([value=''])", "value")
    guard.submit(cell=cell, name=name)
    tablet = Tablet(guard.url)
    tablet.enrol(guard.shown(".secret"))
    return tablet


def review(guard: Person, family: Family) -> None:
    """Verify the family's request to be linked."""
    guard.open("/desk/relatives/")
    rows = guard.browser.page.select("main tbody tr")
    mine = [row for row in rows if family.number in row.get_text()]
    if len(mine) != 1:
        raise Unexpected(f"family {family.serial}: {len(mine)} requests wait at the desk")
    guard.open(str(mine[0].select_one("a")["href"]))
    guard.submit(press="verify")


def refuse_short_payments(finance: Person, deposits: list[str]) -> None:
    """Refuse the deposits that came in short; all of them goes back to the payers."""
    for number in deposits:
        finance.open(f"/office/deposits/{number}/")
        finance.submit("form[data-form=take]")
        finance.open(f"/office/deposits/{number}/")
        finance.submit("form[data-form=refuse]", reason="The amount is not the one asked for.")


def decide(guard: Person, family: Family) -> None:
    """Approve the family's order, in part for every fifth, and reject every seventh."""
    order = family.order
    guard.open("/desk/orders/")
    guard.open(f"/desk/orders/{order.id}/")
    if family.serial % 7 == 3:
        guard.submit('form[action$="/reject/"]', reason="not_permitted")
        guard.submit("main form")
        order.quantities = [0] * len(order.quantities)
        return
    fields = quantity_fields(guard)
    less: dict[str, Any] = {}
    if family.serial % 5 == 1 and order.quantities[0] > 1:
        order.quantities[0] -= 1
        less = {fields[0]: str(order.quantities[0]), "reason": "too_many"}
    guard.submit('form[action$="/approve/"]', **less)
    guard.submit("main form")


def hand_over(guard: Person, witness: Login, family: Family) -> None:
    """Pick the order and hand it over, signed; every fifth gets one piece less, with a witness."""
    order = family.order
    if not any(order.quantities):
        return
    guard.open(f"/desk/orders/{order.id}/pick/")
    guard.submit("main form")
    guard.open(f"/desk/orders/{order.id}/hand-over/")
    fields = quantity_fields(guard)
    filled: dict[str, Any] = {"agreed": True}
    if family.serial % 5 == 2:
        last = max(i for i, quantity in enumerate(order.quantities) if quantity)
        order.quantities[last] -= 1
        reason = fields[last].replace("quantity_", "reason_")
        filled |= {fields[last]: str(order.quantities[last]), reason: "damaged"}
        proof = "paper" if any(order.quantities) else "none"
        filled |= {"proof": proof, "witness": witness.login, "witness_password": witness.password}
    else:
        filled |= {"proof": "screen"}
        guard.write("main form", "signature", SIGNATURE)
    guard.submit("main form", **filled)
    family.spent += order.cost


def refuse_strangers(strangers: list[Person], family: Family) -> None:
    """Let officers of another facility ask for what is the family's; it must not exist for them."""
    stranger = strangers[family.serial % len(strangers)]
    for path in (
        f"/desk/orders/{family.order.id}/",
        f"/desk/people/{family.held_id}/",
        f"/office/trail/people/{family.held_id}/",
    ):
        answer = stranger.browser.open(stranger.url + path, timeout=TIMEOUT_S).status_code
        # 403: this role has no such page at all; 404: the page knows no such thing here.
        if answer not in (403, 404):
            raise Unexpected(f"a stranger was answered {answer} at {path}")


def quantity_fields(person: Person) -> list[str]:
    """Return the names of the quantity fields, in the order of the lines."""
    found = person.browser.page.select('main input[name^="quantity_"]')
    return list(dict.fromkeys(str(field["name"]) for field in found))
