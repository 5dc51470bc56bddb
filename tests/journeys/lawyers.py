"""Forty lawyers' days at one facility, lived through the doors while the clock is moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from config.tasks import sweep
from detention.models import Custody, Role, User
from tests import situations as people
from tests.factories import PASSWORD, FacilityFactory
from tests.queue import run_queued
from tests.visits.situations import TIMES, set_policy
from tests.visits.test_credentials import PDF
from visits import passes
from visits.models import Booking, Credential, Displacement, Mandate, Request, Room, Slot, Ticket

ZONE = ZoneInfo("Asia/Shanghai")
# An ordinary weekend and the days after it; the facility is closed at weekends.
SATURDAY, SUNDAY, MONDAY, TUESDAY = (date(2027, 6, day) for day in (19, 20, 21, 22))
LAWYERS = 40
ROOMS = 4  # the last one is kept for the green channel
AHEAD = ("booked", "checked_in")


def local(on: date, hour: int, minute: int = 0) -> datetime:
    """Return a moment of the facility's own time."""
    return datetime(on.year, on.month, on.day, hour, minute, tzinfo=ZONE)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One lawyer and the client for whom they come."""

    serial: int
    licence: str
    user: User
    client: Custody


class Days:
    """The facility, its people, and every step they take; `clock` is time_machine's."""

    def __init__(self, clock: object, register: Path) -> None:
        self.clock, self.register = clock, register
        self.browsers: dict[tuple[int, date], Client] = {}
        self.pairs: dict[int, Pair] = {}
        self.slots: list[Slot] = []  # Monday's ten
        self.now = local(SATURDAY, 8)
        self.clock.move_to(self.now)
        self.facility = FacilityFactory()
        self.boss = people.officer(self.facility, Role.ADMINISTRATOR)
        self.guards = [people.officer(self.facility) for _ in range(ROOMS)]
        self.desk, self.second = self.guards[:2]

    def later(self, on: date, hour: int, minute: int = 0) -> None:
        """Move the clock on and let the worker do what is due by then."""
        self.until(local(on, hour, minute))

    def until(self, moment: datetime) -> None:
        assert moment >= self.now, f"{moment} is before {self.now}"
        self.now = moment.astimezone(ZONE)
        self.clock.move_to(moment)
        sweep()
        run_queued()

    def browser(self, user: User) -> Client:
        key = (user.pk, self.now.date())
        if key not in self.browsers:
            self.browsers[key] = Client()
            self.browsers[key].force_login(user)
        return self.browsers[key]

    def send(self, user: User, door: str, /, *args: object, status: int = 302, **sent: object):
        """Post a form; anything but the expected answer ends the day."""
        found = self.browser(user).post(reverse(door, args=args), sent)
        assert found.status_code == status, f"{door}: {found.status_code} {found.content.decode()}"
        return found

    def open_house(self) -> None:
        """Rooms, hours and escorts from the office's pages; the worker opens the days."""
        set_policy(self.facility, "visits_horizon", 4)
        for number in range(1, ROOMS + 1):
            self.send(self.boss, "visit_rooms", code=f"R{number}", kind="lawyer")
        lines = "\n".join(f"{begins:%H:%M}-{ends:%H:%M}" for begins, ends in TIMES)
        for kind, times in (("weekday", lines), ("weekend", ""), ("holiday", "")):
            self.send(self.boss, "visit_hours", day_kind=kind, effective_on=SATURDAY, times=times)
        for guard in self.guards:
            for weekday in (MONDAY.weekday(), TUESDAY.weekday()):
                self.send(
                    self.boss, "visit_escorts", officer=guard.pk, weekday=weekday, first=1, last=10
                )
        self.later(SATURDAY, 8, 30)
        self.slots = list(Slot.objects.filter(facility=self.facility, on=MONDAY))

    def arrive(self, serial: int, *, silent: str = "", aid: bool = False) -> Pair:
        """Register one lawyer and hand in the papers; silent: the kind no register knows."""
        licence = f"LIC{serial:02d}"
        door = Client()
        sent = {
            "name": f"李律师{serial}",
            "licence_number": licence,
            "firm_name": f"第{serial % 7}律师事务所",
            "firm_licence": f"FIRM{serial % 7}",
            "login": f"lawyer{serial}@example.org",
            "password": PASSWORD,
        }
        assert door.post(reverse("lawyer_register"), sent).status_code == 302
        user = User.objects.get(login=f"lawyer{serial}@example.org")
        self.browsers[user.pk, self.now.date()] = door
        for kind in ("practising", "firm_letter", "legal_aid" if aid else "power"):
            number = f"{kind[:2].upper()}{serial:02d}"
            if kind != silent:
                with self.register.open("a", encoding="utf-8") as file:
                    file.write(f"{kind},{number},{licence},李律师{serial},2028-01-01,valid\n")
            self.send(
                user,
                "add_paper",
                kind=kind,
                number=number,
                issuer="司法局",
                valid_from=SATURDAY,
                valid_until=date(2027, 12, 31),
                file=SimpleUploadedFile("paper.pdf", PDF),
            )
        self.pairs[serial] = Pair(
            serial=serial,
            licence=licence,
            user=user,
            client=people.held_person(self.facility, name=f"王小明{serial}"),
        )
        return self.pairs[serial]

    def ask_mandate(self, pair: Pair, held: Custody) -> Mandate:
        papers = Credential.objects.filter(lawyer__user=pair.user)
        self.send(
            pair.user,
            "add_client",
            number=held.number,
            name=held.detainee.name,
            firm_letter=papers.get(kind="firm_letter").pk,
            authority=papers.get(kind__in=["power", "legal_aid"]).pk,
        )
        run_queued()
        return Mandate.objects.get(lawyer__user=pair.user, custody=held)

    def ask(self, pair: Pair) -> Request:
        """Ask for a visit, and see what is free."""
        mandate = Mandate.objects.get(lawyer__user=pair.user, custody=pair.client)
        page = self.send(pair.user, "ask_visit", mandate.public_id, key=uuid4()).url
        assert self.browser(pair.user).get(page).status_code == 200
        return self.request_of(pair)

    def request_of(self, pair: Pair) -> Request:
        return Request.objects.filter(lawyer__user=pair.user, custody=pair.client).latest("pk")

    def booking_of(self, pair: Pair) -> Booking:
        """Return the newest booking of the pair that stands."""
        rows = Booking.objects.filter(request=self.request_of(pair), state__in=AHEAD)
        return rows.select_related("slot", "room").get()

    def hold(self, pair: Pair, slot: Slot) -> str:
        """Choose a time; returns the address of the page that confirms it."""
        request = self.request_of(pair)
        chosen = self.send(
            pair.user, "lawyer_request", request.public_id, slot=slot.pk, key=uuid4()
        )
        return chosen.url

    def book(self, pair: Pair, slot: Slot) -> Booking:
        """Choose a time and confirm it; also the way to move a visit."""
        confirmed = self.browser(pair.user).post(self.hold(pair, slot))
        assert confirmed.status_code == 302, confirmed.content.decode()
        assert self.browser(pair.user).get(confirmed.url).status_code == 200
        return self.booking_of(pair)

    def wait(self, pair: Pair) -> None:
        self.send(pair.user, "wait_for_visit", self.request_of(pair).public_id, until=MONDAY)
        assert self.request_of(pair).state == "waiting"

    def cancel(self, pair: Pair) -> None:
        self.send(pair.user, "cancel_visit", self.booking_of(pair).public_id)

    def propose(self, urgent: Pair, victim: Pair) -> Displacement:
        """Propose at the desk that the victim's place goes to a request with a proven reason."""
        old, request = self.booking_of(victim), self.request_of(urgent)
        self.send(self.desk, "desk_request", request.public_id, reason="medical", proof="M-1")
        sent = {"booking": old.reference, "why-reason": "ill"}
        self.send(self.desk, "propose", request.public_id, **sent)
        return Displacement.objects.get(booking=old)

    def close_room(self, code: str, begins_at: datetime, ends_at: datetime) -> None:
        room = Room.objects.get(facility=self.facility, code=code)
        self.send(
            self.boss,
            "close_room",
            room.pk,
            begins_at=f"{begins_at:%Y-%m-%dT%H:%M}",
            ends_at=f"{ends_at:%Y-%m-%dT%H:%M}",
            reason="water damage",
        )
        run_queued()

    def release(self, pair: Pair) -> None:
        """Begin the end of a custody; the reactions run."""
        held = pair.client.public_id
        self.send(self.boss, "close_custody", held, reason="released", confirmed="on")
        run_queued()

    def scan(self, booking: Booking, *, typed: bool = False) -> str:
        """Show a pass at the gate; returns the answer of the closed list."""
        text = booking.reference.lower() if typed else passes.token(booking)
        page = self.send(self.desk, "scan_pass", status=200, text=text)
        return page.context["found"].answer

    def act(self, booking: Booking, what: str, **sent: object) -> Booking:
        """Press one of the buttons of a visit's page at the desk."""
        self.send(self.desk, "act_on_visit", booking.public_id, what, **sent)
        booking.refresh_from_db()
        return booking

    def rate(self, booking: Booking, score: int) -> None:
        self.send(booking.request.lawyer.user, "rate_visit", booking.public_id, score=score)

    def ticket(self, pair: Pair) -> Ticket:
        """Give a lawyer who stands at the desk a number."""
        self.send(self.desk, "take_ticket", licence_number=pair.licence, number=pair.client.number)
        return Ticket.objects.filter(request=self.request_of(pair)).latest("pk")

    def call(self) -> Ticket:
        self.send(self.desk, "call_ticket")
        return Ticket.objects.filter(facility=self.facility, state="called").latest("called_at")

    def begin(self, slot: Slot, *, absent: int = -1, stays_out: int = -1) -> None:
        """Let everybody booked in a slot show the pass and go in.

        absent: serial of a lawyer who does not come. stays_out: of one who comes but waits.
        """
        users = {serial: pair.user.pk for serial, pair in self.pairs.items()}
        booked = Booking.objects.filter(slot=slot, state="booked").order_by("room__code")
        here = list(booked.exclude(request__lawyer__user=users.get(absent)))
        self.until(slot.begins_at - timedelta(minutes=10))
        for number, booking in enumerate(here):
            assert self.scan(booking, typed=number % 3 == 1) == "welcome"
        self.until(slot.begins_at + timedelta(minutes=2))
        for booking in here:
            if booking.request.lawyer.user_id != users.get(stays_out):
                self.act(booking, "enter")

    def finish(self, slot: Slot) -> None:
        """End every visit of a slot that is still in its room, one minute after another."""
        inside = Booking.objects.filter(slot=slot, state="in_room")
        for number, booking in enumerate(inside.order_by("room__code")):
            self.until(slot.begins_at + timedelta(minutes=35 + number))
            self.act(booking, "leave")
            if number != 2:
                self.rate(booking, (5, 2, 0, 4)[number])
