"""The families of a played day: who they are, and what the day expects of their money."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from config.playing.person import Person, Unexpected

SURNAMES = "王李张刘陈杨黄赵吴周"
GIVEN = ("伟", "芳", "娜", "敏", "静", "强", "磊", "军", "洋", "勇")


@dataclass(kw_only=True)
class Order:
    """What was ordered: its address, and for each line the unit price (fen) and the quantity.

    quantities: lowered by the day whenever somebody allows or hands over less.
    """

    id: str
    prices: list[int]
    quantities: list[int]

    @property
    def cost(self) -> int:
        """Return what the goods cost, in fen."""
        return sum(p * q for p, q in zip(self.prices, self.quantities, strict=True))


@dataclass(kw_only=True)
class Family:
    """One relative and one person in custody; amounts in fen, as the day counts them itself."""

    serial: int
    login: str
    password: str
    relative_name: str
    identity_number: str
    held_name: str
    number: str = ""
    held_id: str = ""
    pin: str = ""
    paid: int = 0
    refunded: int = 0
    spent: int = 0
    shown: int = 0  # what the statement adds up to
    available: int = 0  # what the tablet says
    short: list[str] = field(default_factory=list)  # deposits that came in short
    person: Person | None = None
    _order: Order | None = None

    @property
    def balance(self) -> int:
        """Return what must stand on the account."""
        return self.paid - self.refunded - self.spent

    @property
    def browser(self) -> Person:
        """Return the relative's browser, once registered."""
        if self.person is None:
            raise Unexpected(f"family {self.serial} has not come in yet")
        return self.person

    @property
    def order(self) -> Order:
        """Return what the family's person ordered."""
        if self._order is None:
            raise Unexpected(f"family {self.serial} has not ordered yet")
        return self._order

    @order.setter
    def order(self, placed: Order) -> None:
        self._order = placed

    @property
    def faults(self) -> list[str]:
        """Return what differs between the day's own count and what the doors say."""
        seen = {"statement": self.shown, "tablet": self.available}
        return [
            f"family {self.serial}: {name} says {value}, expected {self.balance}"
            for name, value in seen.items()
            if value != self.balance
        ]


@dataclass(frozen=True, kw_only=True)
class Payment:
    """One payment of the plan. act and notice: what the simulated provider does.

    end: the outcome that the result page must reach.
    """

    fen: int
    act: str = "pay"
    method: str = "card"
    notice: str = "now"
    end: str = "received"


# What each family does, in turn: the good ways and the ways in which a provider goes wrong.
PLANS: tuple[tuple[Payment, ...], ...] = (
    (Payment(fen=20_000),),
    (Payment(fen=30_050, method="alipay", notice="twice"),),
    (Payment(fen=15_000, notice="never"),),
    (Payment(fen=40_000, act="decline"), Payment(fen=40_000, method="alipay", notice="ten")),
    (Payment(fen=12_000, notice="short", end="checking"), Payment(fen=8_000)),
)


def made(serial: int, run: str) -> Family:
    """Return family number `serial` of a run; nothing of it was used by another run."""
    surname, given = SURNAMES[serial % 10], GIVEN[serial // 10 % 10]
    return Family(
        serial=serial,
        login=f"family-{run}-{serial}@example.org",
        password=f"a quiet day {run} {serial}",
        relative_name=f"{surname}建{given}",
        identity_number=identity_number(int(run, 36) * 1000 + serial),
        held_name=f"{surname}小{given}",
    )


def identity_number(serial: int) -> str:
    """Return a resident identity number that fits its check character (GB 11643-1999)."""
    year, rest = divmod(serial, 28 * 12 * 1000)
    day, order = divmod(rest, 1000)
    body = f"150202{1950 + year % 50}{day % 12 + 1:02d}{day // 12 + 1:02d}{order:03d}"
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def basket(shelf: dict[str, Any], serial: int, most: int) -> list[dict[str, Any]]:
    """Choose two or three products that together cost at most `most` fen."""
    products = [p for p in shelf["products"] if not p["outside_limit"]]
    lines: list[dict[str, Any]] = []
    left = most
    for step in range(len(products)):
        product = products[(serial * 3 + step * 5) % len(products)]
        quantity = min(1 + (serial + step) % 2, product["max_per_order"])
        cost = quantity * product["price"]
        if cost <= left and all(line["sku"] != product["sku"] for line in lines):
            wish = {"sku": product["sku"], "quantity": quantity, "shown_price": product["price"]}
            lines.append(wish)
            left -= cost
        if len(lines) == 2 + serial % 2:
            break
    return lines
