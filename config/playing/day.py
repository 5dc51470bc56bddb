"""The day itself: admission, links, deposits, orders, hand-overs, and the count at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
from tqdm import tqdm

from config.demo import Login
from config.playing import desk, families
from config.playing.families import Family, Order, Payment
from config.playing.person import TIMEOUT_S, Person, Tablet, Unexpected

AT_ONCE = 4
# A tablet lets twenty people a minute sign in, and one address enrols ten tablets a minute.
PEOPLE_A_TABLET = 8
MOST_TABLETS = 9
PATIENCE_S = 60


@dataclass(kw_only=True)
class Totals:
    """What stands where, in fen: at the provider and in the facility's books."""

    paid: int
    refunded: int
    books: dict[str, int]

    def since(self, before: Totals) -> Totals:
        """Return what changed."""
        kinds = self.books.keys() | before.books.keys()
        books = {kind: self.books.get(kind, 0) - before.books.get(kind, 0) for kind in kinds}
        return Totals(
            paid=self.paid - before.paid, refunded=self.refunded - before.refunded, books=books
        )


@dataclass(kw_only=True)
class Day:
    """One day at one facility, played through the doors of a running server.

    run: makes names unique, so that a day can be played again on the same data.
    """

    url: str
    officers: dict[str, Login]
    strangers: dict[str, Login]  # officers of another facility, by the same names
    run: str
    relatives: int
    families: list[Family] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def play(self) -> None:
        """Play the whole day. Errors: Unexpected when a door answers otherwise than it should."""
        self.families = [families.made(i, self.run) for i in range(self.relatives)]
        guard, second = self._officer("guard-1"), self._officer("guard-2")
        finance = self._officer("finance-1")
        strangers = [self._signed_in(login) for login in self.strangers.values()]
        witness = self.officers["guard-1"]
        before = self._totals()
        tablets = [
            desk.enrolled_tablet(guard, f"Day {self.run} {cell}")
            for cell in range(min((self.relatives - 1) // PEOPLE_A_TABLET + 1, MOST_TABLETS))
        ]
        steps = (
            ("admitted", self._one_by_one(lambda f: desk.admit(guard, f))),
            ("asked for their link", self._together(self._come_in)),
            ("links reviewed", self._one_by_one(lambda f: desk.review(second, f))),
            ("paid", self._together(self._pay)),
            ("ordered", self._one_by_one(lambda f: self._order(_tablet(tablets, f), f))),
            ("orders decided", self._one_by_one(lambda f: desk.decide(guard, f))),
            ("handed over", self._one_by_one(lambda f: desk.hand_over(second, witness, f))),
            ("statements read", self._together(self._read_statement)),
            ("strangers refused", self._one_by_one(lambda f: desk.refuse_strangers(strangers, f))),
            (
                "balances read",
                self._one_by_one(lambda f: self._read_balance(_tablet(tablets, f), f)),
            ),
        )
        with tqdm(total=len(steps) * self.relatives, unit="step", leave=False, disable=None) as bar:
            for name, step in steps:
                bar.set_description(name)
                for _ in step:
                    bar.update()
                if name == "paid":
                    short = [number for f in self.families for number in f.short]
                    desk.refuse_short_payments(finance, short)
        self._count(before)

    def _one_by_one(self, act: Callable[[Family], object]) -> Iterable[object]:
        return (act(family) for family in self.families)

    def _together(self, act: Callable[[Family], object]) -> Iterable[object]:
        def several() -> Iterable[object]:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                yield from pool.map(act, self.families)

        return several()

    def _officer(self, name: str) -> Person:
        return self._signed_in(self.officers[name])

    def _signed_in(self, login: Login) -> Person:
        officer = Person(self.url)
        officer.sign_in(login.login, login.password)
        return officer

    def _come_in(self, family: Family) -> None:
        """Register, mistype the name once, then ask for the link."""
        family.person = relative = Person(self.url)
        relative.open("/register/")
        relative.submit(
            name=family.relative_name,
            identity_number=family.identity_number,
            login=family.login,
            password=family.password,
        )
        relative.open("/people/add/")
        try:
            relative.submit(number=family.number, name="某某某", kind="parent")
        except Unexpected:
            pass
        else:
            raise Unexpected(f"family {family.serial}: a wrong name was accepted")
        relative.submit(number=family.number, name=family.held_name, kind="parent")

    def _pay(self, family: Family) -> None:
        for payment in families.PLANS[family.serial % len(families.PLANS)]:
            self._pay_once(family, payment)

    def _pay_once(self, family: Family, payment: Payment) -> None:
        relative = family.browser
        relative.open("/people/")
        relative.open(relative.links("a[data-send]")[0])
        room = relative.value(".room")
        if room < payment.fen:
            raise Unexpected(f"family {family.serial}: only {room} fen may be sent")
        relative.submit(
            "form[data-form=amount]", amount=f"{payment.fen // 100}.{payment.fen % 100:02d}"
        )
        relative.submit("form[data-form=pay]")
        relative.open(f"{relative.browser.url.split('?')[0]}?method={payment.method}")
        if payment.act == "decline":
            relative.submit("main form.panel", press="decline")
            relative.submit("main form.panel", press="cancel")
            return
        relative.submit("main form.panel", press="pay", notice=payment.notice)
        self._await(relative, payment.end)
        if payment.end == "received":
            family.paid += payment.fen
        else:
            # One fen less came; finance sends all of it back.
            family.paid += payment.fen - 1
            family.refunded += payment.fen - 1
            family.short.append(relative.attribute("#outcome", "data-number"))

    def _await(self, relative: Person, outcome: str) -> None:
        address = relative.browser.url
        until = time.monotonic() + PATIENCE_S
        while (found := relative.attribute("#outcome", "data-outcome")) != outcome:
            if time.monotonic() > until:
                raise Unexpected(f"{address}: {found} instead of {outcome}: {relative.said()}")
            time.sleep(0.3)
            relative.open(address)

    def _order(self, tablet: Tablet, family: Family) -> None:
        tablet.sign_in(family.number, family.pin)
        available = tablet.me()["balance"]
        if available != family.balance:
            self.faults.append(
                f"family {family.serial}: {available} on the tablet, {family.balance} came in"
            )
        shelf = tablet.shelf()
        lines = families.basket(shelf, family.serial, min(available, 15_000))
        order = tablet.order(shelf["catalogue_version"], lines)
        family.order = Order(
            id=order["id"],
            prices=[line["price"] for line in order["lines"]],
            quantities=[line["ordered"] for line in order["lines"]],
        )

    def _read_statement(self, family: Family) -> None:
        relative = family.browser
        relative.open("/people/")
        relative.open(relative.links("a[data-history]")[0])
        while True:
            amounts = relative.browser.page.select("main td data[value]")
            family.shown += sum(int(amount["value"]) for amount in amounts)
            older = relative.links("main a[rel=next]")
            if not older:
                return
            relative.open(relative.browser.absolute_url(older[0]))

    def _read_balance(self, tablet: Tablet, family: Family) -> None:
        tablet.sign_in(family.number, family.pin)
        family.available = tablet.me()["balance"]

    def _totals(self) -> Totals:
        """Read both sides until the letters on their way have arrived."""
        auditor = self._officer("auditor-1")
        auditor.open("/office/books/")
        cells = auditor.browser.page.select("data[data-kind]")
        simulator: dict[str, Any] = requests.get(
            f"{self.url}/gateway/simulator/totals", timeout=TIMEOUT_S
        ).json()
        yuan = simulator.get("CNY", {"paid": 0, "refunded": 0})
        return Totals(
            paid=yuan["paid"],
            refunded=yuan["refunded"],
            books={str(cell["data-kind"]): int(cell["value"]) for cell in cells},
        )

    def _count(self, before: Totals) -> None:
        """Compare the day's own count with the provider's, the books' and each statement's."""
        want = {
            "GATEWAY": -sum(f.paid - f.refunded for f in self.families),
            "VENDOR": sum(f.spent for f in self.families),
            "ESCROW": sum(f.balance for f in self.families),
            "SUSPENSE": 0,
        }
        until = time.monotonic() + PATIENCE_S
        while True:
            found = self._totals().since(before)
            seen = {kind: found.books.get(kind, 0) for kind in want}
            if seen == want or time.monotonic() > until:
                break
            time.sleep(0.5)
        self.found, self.want = found, want
        for kind, fen in want.items():
            if seen[kind] != fen:
                self.faults.append(f"{kind}: the books say {seen[kind]}, the day counted {fen}")
        kept, counted = found.paid - found.refunded, -want["GATEWAY"]
        if kept != counted:
            self.faults.append(f"the provider kept {kept}, the day counted {counted}")
        for family in self.families:
            self.faults += family.faults


def _tablet(tablets: list[Tablet], family: Family) -> Tablet:
    """Return the tablet of the family's cell."""
    return tablets[family.serial % len(tablets)]
