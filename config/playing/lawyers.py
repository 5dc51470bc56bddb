"""The lawyers of a played day: what does not depend on the hour, counted against the board."""

from __future__ import annotations

import io
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import requests
from django.utils import timezone
from icalendar import Calendar

from config.demo import Login
from config.playing import desk, families
from config.playing.person import TIMEOUT_S, Person, Unexpected

PATIENCE_S = 60
DAYS = 15  # today and the days open for booking
PAPER = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"
PAPERS = ("practising", "firm_letter", "power")
# Their people's numbers follow after those of the families.
FIRST_SERIAL = 500


class Paper(io.BytesIO):
    """A file as a browser would send it."""

    name = "paper.pdf"


@dataclass(kw_only=True)
class Lawyer:
    """One lawyer with a browser; visit: the address of the visit that is booked."""

    licence: str
    person: Person
    client: families.Family
    visit: str = ""


@dataclass(kw_only=True)
class LawyersDay:
    """Some lawyers at one facility: from their papers to booked visits, and the changes after.

    Each visit is booked for one of the last open days, so the hour does not matter.
    """

    url: str
    facility: str
    officers: dict[str, Login]
    run: str
    count: int
    lawyers: list[Lawyer] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def play(self) -> None:
        """Play everything. Errors: Unexpected when a door answers otherwise than it should."""
        guard, boss = self._signed_in("guard-1"), self._signed_in("admin-1")
        before = self.board("taken")
        self.lawyers = [self._come(serial, guard) for serial in range(self.count)]
        self._accept_papers(guard)
        for place, lawyer in enumerate(self.lawyers):
            self._ask(lawyer)
            self._choose(lawyer, place)
        if self.count > 1:
            self._move(self.lawyers[0])
        if self.count > 2:
            self._cancel(self.lawyers[1])
        self._close_room(boss, self.lawyers[-1])
        self._compare(before)

    def board(self, state: str) -> Counter[datetime]:
        """Count the board's cells in one state, by the time at which their slot begins."""
        found: Counter[datetime] = Counter()
        for ahead in range(DAYS):
            answer = requests.get(
                f"{self.url}/board/{self.facility}/data.json?day={ahead}", timeout=TIMEOUT_S
            )
            for row in answer.json()["rows"]:
                begins = datetime.fromisoformat(row["begins_at"]).astimezone(UTC)
                found[begins] += sum(cell["state"] == state for cell in row["cells"])
        return +found

    def _signed_in(self, name: str) -> Person:
        officer = Person(self.url)
        officer.sign_in(self.officers[name].login, self.officers[name].password)
        return officer

    def _come(self, serial: int, guard: Person) -> Lawyer:
        """Register, hand in three papers, name a client who was admitted at the desk."""
        client = families.made(FIRST_SERIAL + serial, self.run)
        desk.admit(guard, client)
        licence = f"L{self.run}{serial}".upper()
        lawyer = Lawyer(licence=licence, person=Person(self.url), client=client)
        person = lawyer.person
        person.open("/lawyer/register/")
        person.submit(
            name=client.relative_name,
            licence_number=lawyer.licence,
            firm_name="青城律师事务所",
            firm_licence="31150000",
            login=f"lawyer-{self.run}-{serial}@example.org",
            password=client.password,
        )
        today = timezone.localdate()
        for kind in PAPERS:
            person.open("/lawyer/papers/add/")
            person.submit(
                kind=kind,
                number=f"{kind[:2]}{lawyer.licence}",
                issuer="司法局",
                valid_from=f"{today}",
                valid_until=f"{today + timedelta(days=200)}",
                file=Paper(PAPER),
            )
        person.open("/lawyer/clients/add/")
        first = "select[name={}] option[value]:not([value=''])"
        person.submit(
            number=client.number,
            name=client.held_name,
            firm_letter=person.attribute(first.format("firm_letter"), "value"),
            authority=person.attribute(first.format("authority"), "value"),
        )
        return lawyer

    def _accept_papers(self, guard: Person) -> None:
        """Accept at the desk what no register knows, as soon as the worker has asked it."""
        left = {f"{kind[:2]}{lawyer.licence}".upper() for lawyer in self.lawyers for kind in PAPERS}

        def accepted() -> bool:
            guard.open("/desk/lawyers/")
            for link in guard.links('main a[href^="/desk/lawyers/papers/"]'):
                guard.open(link)
                number = guard.shown("dl.rows dd.code")
                if number in left:
                    guard.submit(press="accept")
                    left.discard(number)
            return not left

        self._await(accepted, lambda: f"papers that never came to the desk: {sorted(left)}")

    def _ask(self, lawyer: Lawyer) -> None:
        person = lawyer.person
        live = 'form[action$="/ask/"]:not(:has(button.second))'

        def is_live() -> bool:
            person.open("/lawyer/clients/")
            return person.has(live)

        self._await(is_live, lambda: f"{lawyer.licence}: no mandate: {person.said()}")
        person.submit(live)

    def _choose(self, lawyer: Lawyer, place: int) -> None:
        """Take one of the last free times that the page shows, and confirm it."""
        person = lawyer.person
        buttons = person.browser.page.select("main ul.slots button[name=slot]")
        if not buttons:
            raise Unexpected(f"{lawyer.licence}: no time is free: {person.said()}")
        slot = buttons[-1 - place % min(len(buttons), 20)]["value"]
        person.submit(f'main ul.slots form:has(button[value="{slot}"])', press=slot)
        # Two buttons stand there; the first one, without a name, books.
        person.browser.page.select_one("button[name=give_up]").decompose()
        person.submit()
        lawyer.visit = person.browser.url

    def _move(self, lawyer: Lawyer) -> None:
        """Choose another time from the page of the visit; the old one is kept until then."""
        old = lawyer.visit
        lawyer.person.open(lawyer.person.links('main a[href^="/lawyer/requests/"]')[0])
        self._choose(lawyer, 5)
        if lawyer.visit == old:
            raise Unexpected(f"{lawyer.licence}: the visit was not moved")

    def _cancel(self, lawyer: Lawyer) -> None:
        lawyer.person.open(lawyer.visit)
        lawyer.person.open(lawyer.person.links('main a[href$="/cancel/"]')[0])
        lawyer.person.submit()
        lawyer.visit = ""

    def _close_room(self, boss: Person, lawyer: Lawyer) -> None:
        """Close the room of a visit for that slot; the lawyer must soon read of another place."""
        begins, ends = self._times(lawyer)
        code = self._room(lawyer)
        boss.open("/office/visits/rooms/")
        rows = boss.browser.page.select("main dl.rows > div")
        mine = [row for row in rows if row.select_one("dt").get_text(strip=True) == code]
        boss.open(str(mine[0].select_one("a")["href"]))
        boss.submit(
            begins_at=f"{timezone.localtime(begins):%Y-%m-%dT%H:%M}",
            ends_at=f"{timezone.localtime(ends):%Y-%m-%dT%H:%M}",
            reason="water damage",
        )

        def rehoused() -> bool:
            lawyer.person.open("/lawyer/visits/")
            links = lawyer.person.links('main ul.cards a[href^="/lawyer/visits/"]')
            if len(links) != 1:
                return False
            lawyer.visit = self.url + links[0]
            return (self._times(lawyer)[0], self._room(lawyer)) != (begins, code)

        self._await(rehoused, lambda: f"{lawyer.licence}: still in the closed room {code}")

    def _times(self, lawyer: Lawyer) -> tuple[datetime, datetime]:
        """Read begin and end of a visit from its calendar file."""
        answer = lawyer.person.browser.session.get(f"{lawyer.visit}visit.ics", timeout=TIMEOUT_S)
        [event] = Calendar.from_ical(answer.content).walk("VEVENT")
        return event.decoded("dtstart").astimezone(UTC), event.decoded("dtend").astimezone(UTC)

    def _room(self, lawyer: Lawyer) -> str:
        lawyer.person.open(lawyer.visit)
        found = re.search(r"Room (\S+)", lawyer.person.said())
        if found is None:
            raise Unexpected(f"{lawyer.visit}: no room: {lawyer.person.said()}")
        return found[1]

    def _compare(self, before: Counter[datetime]) -> None:
        """Compare the places that the board counts as taken with the lawyers' own visits."""
        self.counted = Counter(self._times(one)[0] for one in self.lawyers if one.visit)
        self.found = self.board("taken")
        self.found.subtract(before)
        self.faults += differences(self.counted, self.found)

    def _await(self, done: Callable[[], bool], complaint: Callable[[], str]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > until:
                raise Unexpected(complaint())
            time.sleep(0.3)


def differences(booked: Counter[datetime], shown: Counter[datetime]) -> list[str]:
    """Name each slot in which the board took more or fewer places than were booked. Pure."""
    return [
        f"{timezone.localtime(begins):%F %H:%M}: {shown[begins]} more taken on the board,"
        f" {booked[begins]} booked"
        for begins in sorted(booked.keys() | shown.keys())
        if booked[begins] != shown[begins]
    ]
