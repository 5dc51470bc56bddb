"""`manage.py play_day`: play a short day through the doors of a running server and count it."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts import money
from config import demo
from config.playing.day import Day
from config.playing.lawyers import LawyersDay
from config.playing.person import Unexpected


class Command(BaseCommand):
    help = "Play a day of N families through the doors of a running demo and compare every total."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--relatives", type=int, default=5, help="how many families (1-200)")
        parser.add_argument("--lawyers", type=int, default=0, help="how many lawyers (0-40)")
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="address of the server")
        parser.add_argument("--facility", default="donghe", help="code of the demo facility")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["relatives"] <= 200:
            raise CommandError("--relatives must be from 1 to 200.")
        if not 0 <= options["lawyers"] <= 40:
            raise CommandError("--lawyers must be from 0 to 40.")
        code = options["facility"]
        officers = {login.post: login for login in demo.logins() if login.facility == code}
        strangers = {login.post: login for login in demo.logins() if login.facility != code}
        if not officers:
            raise CommandError("No demo officers on file; run `manage.py demo` first.")
        began = time.monotonic()
        run = _base36(int(time.time()) - 1_700_000_000)
        day = Day(
            url=options["url"],
            officers=officers,
            strangers=strangers,
            run=run,
            relatives=options["relatives"],
        )
        visits = LawyersDay(
            url=options["url"], facility=code, officers=officers, run=run, count=options["lawyers"]
        )
        try:
            day.play()
            if visits.count:
                visits.play()
        except Unexpected as error:
            raise CommandError(f"The day stopped: {error}") from error
        family = day.families[0]
        demo.keep_people(
            [
                demo.Login(
                    facility=code,
                    role=role,
                    name=name,
                    login=login,
                    password=password,
                )
                for role, name, login, password in (
                    ("relative", family.relative_name, family.login, family.password),
                    ("detainee", family.held_name, family.number, family.pin),
                )
            ]
        )
        self._show(day, time.monotonic() - began)
        if visits.count:
            self._show_visits(visits)
        if day.faults or visits.faults:
            sys.exit(1)

    def _show(self, day: Day, took_s: float) -> None:
        out = self.stdout
        head = ("family", "paid", "sent back", "spent", "left", "statement", "tablet")
        out.write(f"{head[0]:<8}" + "".join(f"{name:>12}" for name in head[1:]))
        for f in day.families:
            amounts = (f.paid, f.refunded, f.spent, f.balance, f.shown, f.available)
            out.write(f"{f.serial:<8}" + "".join(f"{money.show(fen):>12}" for fen in amounts))
        out.write("")
        out.write(f"{'books':<12}{'counted':>14}{'found':>14}")
        for kind, fen in day.want.items():
            found = day.found.books.get(kind, 0)
            out.write(f"{kind:<12}{money.show(fen):>14}{money.show(found):>14}")
        kept = day.found.paid - day.found.refunded
        out.write(f"{'provider':<12}{money.show(-day.want['GATEWAY']):>14}{money.show(kept):>14}")
        out.write("")
        for fault in day.faults:
            out.write(f"DIFFERENCE {fault}")
        verdict = f"{len(day.faults)} differences" if day.faults else "every total agrees"
        out.write(f"{len(day.families)} families in {took_s:.1f} s: {verdict}")

    def _show_visits(self, visits: LawyersDay) -> None:
        counted, found = visits.counted.total(), visits.found.total()
        for fault in visits.faults:
            self.stdout.write(f"DIFFERENCE {fault}")
        verdict = f"{len(visits.faults)} differences" if visits.faults else "every slot agrees"
        self.stdout.write(
            f"{visits.count} lawyers: {counted} visits booked, {found} on the board: {verdict}"
        )


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits
