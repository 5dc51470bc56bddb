"""A rush at the opening: 1,000 lawyers for 60 places, three ways, beside each other.

`make bench-rush` on PostgreSQL with 8 and 60 connections and on SQLite with 8:
  verb   the real `bookings.book`
  raw    the same claims in raw SQL under the same index
  check  look, then insert, without the index: what most booking systems do
Prints granted and doubled places, times and throughput; ends with 1 unless the verb grants
exactly the places there are and doubles nothing.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
LAWYERS = int(os.environ.get("LAWYERS", "1000"))
ROOMS, SLOTS = 6, 10
PLACES = ROOMS * SLOTS
INDEX = "claim_active_unique"
MAKE_INDEX = f"CREATE UNIQUE INDEX {INDEX} ON visits_claim (slot_id, kind, resource) WHERE active"


def main() -> int:
    """Run every database in a process of its own; collect the verdicts."""
    if len(sys.argv) > 1:
        return measure([int(count) for count in sys.argv[1:]])
    os.chdir(ROOT)
    from tools.postgres import private_postgres

    with private_postgres("rush") as server:
        print(f"PostgreSQL {server.version}")
        worst = _run(server.url, "8", "60")
    with tempfile.TemporaryDirectory(prefix="rush-") as folder:
        print("SQLite")
        worst |= _run(f"sqlite:///{folder}/rush.sqlite3", "8")
    return worst


def _run(url: str, *connections: str) -> int:
    env = {**os.environ, "DATABASE_URL": url, "SECRET_KEY": "bench", "LOG_LEVEL": "ERROR"}
    script = [sys.executable, "-m", "tools.bench_rush", *connections]
    return subprocess.run(script, cwd=ROOT, env=env, check=False).returncode


def measure(counts: list[int]) -> int:
    """Measure one database with each number of connections; returns 1 when a place is wrong."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    _create_database()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    print(
        f"{LAWYERS} lawyers, {ROOMS} rooms x {SLOTS} slots = {PLACES} places;"
        " doubled: room/escort/lawyer/detainee"
    )
    head = ("connections", "way", "granted", "doubled", "s", "asks/s", "p50 ms", "p99 ms", "of raw")
    print("  ".join(f"{word:>11}" for word in head))
    is_wrong = False
    for connections in counts:
        rates: dict[str, float] = {}
        for way in ("raw", "verb", "check"):
            with _without_index(way == "check"):
                result = _rush(way, connections)
            rates[way] = LAWYERS / result["took_s"]
            row = (
                connections,
                way,
                result["granted"],
                result["doubled"],
                f"{result['took_s']:.2f}",
                f"{rates[way]:.0f}",
                f"{result['p50'] * 1000:.1f}",
                f"{result['p99'] * 1000:.1f}",
                f"{rates[way] / rates['raw']:.2f}",
            )
            print("  ".join(f"{word!s:>11}" for word in row), flush=True)
            if way == "verb":
                is_wrong |= (result["granted"], result["doubled"]) != (PLACES, "0/0/0/0")
    return int(is_wrong)


def _create_database() -> None:
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{connection.settings_dict["NAME"]}"')


@contextmanager
def _without_index(dropped: bool) -> Iterator[None]:
    from django.db import connection

    if not dropped:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {INDEX}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("UPDATE visits_claim SET active = false, ended_at = made_at WHERE active")
        cursor.execute(MAKE_INDEX)


def _rush(way: str, connections: int) -> dict[str, Any]:
    """Let all lawyers ask at once; two processes, because one would wait for itself."""
    from django.db import connection

    facility, requests, slots = _scene()
    connection.close()
    context = multiprocessing.get_context("fork")
    answers: Any = context.Queue()
    start = context.Event()
    halves = [requests[0::2], requests[1::2]]
    threads = connections // 2
    workers = [
        context.Process(target=_work, args=(way, half, slots, threads, start, answers))
        for half in halves
    ]
    for worker in workers:
        worker.start()
    for _worker in workers:
        answers.get()
    began = time.perf_counter()
    start.set()
    times: list[float] = []
    with tqdm(total=LAWYERS, desc=f"{way} {connections}", leave=False, disable=None) as bar:
        for _request in range(LAWYERS):
            times.append(answers.get())
            bar.update()
    took_s = time.perf_counter() - began
    for worker in workers:
        worker.join()
    times.sort()
    return {
        "took_s": took_s,
        "granted": _count("SELECT count(*) FROM visits_booking WHERE slot_id IN (%s)", slots),
        "doubled": "/".join(
            str(
                _count(
                    "SELECT count(*) FROM (SELECT 1 FROM visits_claim WHERE active"
                    f" AND kind = '{kind}' AND slot_id IN (%s)"
                    " GROUP BY slot_id, resource HAVING count(*) > 1) AS d",
                    slots,
                )
            )
            for kind in ("room", "escort", "lawyer", "detainee")
        ),
        "p50": times[len(times) // 2],
        "p99": times[int(len(times) * 0.99)],
        "facility": facility.pk,
    }


def _count(query: str, slots: list[Any]) -> int:
    from django.db import connection

    ids = ", ".join(str(slot.pk) for slot in slots)
    with connection.cursor() as cursor:
        cursor.execute(query % ids)
        return int(cursor.fetchone()[0])


def _work(
    way: str, requests: list[Any], slots: list[Any], threads: int, start: Any, out: Any
) -> None:
    from django.db import connection

    waiting = iter(requests)
    lock = threading.Lock()
    ask = {"verb": _by_verb, "raw": _by_raw, "check": _by_check}[way]
    ready = threading.Barrier(threads + 1)

    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        ready.wait()
        start.wait()
        while True:
            with lock:
                request = next(waiting, None)
            if request is None:
                break
            began = time.perf_counter()
            ask(request, slots)
            out.put(time.perf_counter() - began)
        connection.close()

    crowd = [threading.Thread(target=run) for _ in range(threads)]
    for thread in crowd:
        thread.start()
    ready.wait()
    out.put("ready")
    for thread in crowd:
        thread.join()


def _by_verb(request: Any, slots: list[Any]) -> None:
    from django.utils import timezone

    from visits import bookings

    with contextlib.suppress(bookings.SlotFull):
        bookings.book(request, wish=slots, key=uuid4(), by=None, at=timezone.now())


def _places(request: Any, slots: list[Any], at: datetime) -> list[Any]:
    from visits import allocation, bookings

    free = allocation.free(request, at=at, since=slots[0].begins_at, until=slots[-1].ends_at)
    return bookings.places_for(request, free, slots={slot.pk: slot for slot in slots}, at=at)


def _insert(request: Any, place: Any, at: datetime, conflict: str) -> bool:
    """Insert one booking and its four claims; true when all four were had."""
    from django.db import connection

    moment = connection.ops.adapt_datetimefield_value(at)
    kinds = [
        ("room", place.room),
        ("escort", place.escort),
        ("lawyer", request.lawyer_id),
        ("detainee", request.custody.detainee_id),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO visits_booking (public_id, reference, key, request_id, slot_id, room_id,"
            " escort_id, state, reason, made_at, booked_at, is_green, is_borrowed)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, 'booked', '', %s, %s, %s, %s) RETURNING id",
            [uuid4().hex, uuid4().hex[:10], uuid4().hex, request.pk, place.slot, place.room,
             place.escort, moment, moment, False, False],
        )  # fmt: skip
        booking = cursor.fetchone()[0]
        lines = ", ".join(["(%s, %s, %s, %s, '', %s, %s)"] * len(kinds))
        values: list[Any] = []
        for kind, resource in kinds:
            values += [kind, resource, place.slot, booking, True, moment]
        cursor.execute(
            "INSERT INTO visits_claim (kind, resource, slot_id, booking_id, purpose, active,"
            f" made_at) VALUES {lines} {conflict} RETURNING id",
            values,
        )
        return len(cursor.fetchall()) == len(kinds)


class _Taken(Exception):
    """Somebody else was quicker."""


def _by_raw(request: Any, slots: list[Any]) -> None:
    _try_all(request, slots, "ON CONFLICT DO NOTHING")


def _by_check(request: Any, slots: list[Any]) -> None:
    _try_all(request, slots, "")


def _try_all(request: Any, slots: list[Any], conflict: str) -> None:
    from django.db import transaction
    from django.utils import timezone

    while places := _places(request, slots, at := timezone.now()):
        for place in places[:5]:
            try:
                with transaction.atomic():
                    if not _insert(request, place, at, conflict):
                        raise _Taken
            except _Taken:
                continue
            return


def _scene() -> tuple[Any, list[Any], list[Any]]:
    """Make a facility with one open day and a thousand lawyers who may book."""
    from django.utils import timezone

    from detention.models import Appointment, Cell, Custody, Detainee, Facility, Role, User
    from visits import timetable
    from visits.models import (
        Credential,
        Duty,
        LawFirm,
        Lawyer,
        Mandate,
        Request,
        Room,
        Slot,
        SlotRoom,
        Timetable,
    )

    now = timezone.now()
    mark = uuid4().hex[:8]
    facility = Facility.objects.create(code=mark, name_zh=mark, name_en=mark)
    boss = User.objects.create(login=f"{mark}-boss", name="boss", password="!")
    Appointment.objects.create(
        user=boss, facility=facility, role=Role.ADMINISTRATOR, begins_at=now - timedelta(days=1)
    )
    rooms = [
        timetable.add_room(facility, code=f"R{n}", kind=Room.Kind.LAWYER, by=boss, at=now)
        for n in range(ROOMS)
    ]
    guards = _bulk(
        User, [User(login=f"{mark}-g{n}", name=f"g{n}", password="!") for n in range(ROOMS)]
    )
    hours = Timetable.objects.create(
        facility=facility, day_kind="weekday", effective_on=now.date(), published_by=boss
    )
    start = now + timedelta(days=2)
    slots = _bulk(
        Slot,
        [
            Slot(
                facility=facility,
                on=start.date(),
                sequence=n + 1,
                begins_at=start + timedelta(minutes=45 * n),
                ends_at=start + timedelta(minutes=45 * n + 40),
                timetable=hours,
            )
            for n in range(SLOTS)
        ],
    )
    _bulk(SlotRoom, [SlotRoom(slot=slot, room=room) for slot in slots for room in rooms])
    _bulk(Duty, [Duty(slot=slot, officer=guard) for slot in slots for guard in guards])
    cell = Cell.objects.create(facility=facility, code="1")
    firm = LawFirm.objects.create(name=mark, licence_number=mark)
    users = _bulk(
        User,
        [User(login=f"{mark}-{n}", name=f"{n}", password="!") for n in range(LAWYERS)],
    )
    lawyers = _bulk(
        Lawyer,
        [Lawyer(user=user, firm=firm, licence_number=f"{mark}{n}") for n, user in enumerate(users)],
    )
    papers = {
        kind: _bulk(Credential, [_paper(Credential, lawyer, kind, now) for lawyer in lawyers])
        for kind in ("practising", "firm_letter", "power")
    }
    detainees = _bulk(Detainee, [Detainee(name=f"{n}") for n in range(LAWYERS)])
    custodies = _bulk(
        Custody,
        [
            Custody(
                facility=facility,
                detainee=detainee,
                number=f"{mark}{n}",
                cell=cell,
                admitted_at=now,
            )
            for n, detainee in enumerate(detainees)
        ],
    )
    mandates = _bulk(
        Mandate,
        [
            Mandate(
                lawyer=lawyer,
                custody=held,
                firm_letter=letter,
                authority=power,
                state="live",
                seat=1,
                asked_at=now,
                decided_at=now,
            )
            for lawyer, held, letter, power in zip(
                lawyers, custodies, papers["firm_letter"], papers["power"], strict=True
            )
        ],
    )
    requests = _bulk(
        Request,
        [
            Request(
                key=uuid4(),
                mandate=mandate,
                lawyer=mandate.lawyer,
                custody=mandate.custody,
                facility=facility,
                state="ready",
                received_at=now,
                clock_at=now,
                due_at=now + timedelta(hours=48),
            )
            for mandate in mandates
        ],
    )
    return facility, requests, slots


def _paper(model: Callable[..., Any], lawyer: Any, kind: str, now: datetime) -> Any:
    return model(
        lawyer=lawyer,
        kind=kind,
        number=kind,
        issuer="x",
        valid_from=now.date() - timedelta(days=1),
        valid_until=now.date() + timedelta(days=90),
        state="accepted",
        submitted_at=now,
        checked_at=now,
        source="register",
        file_name="x",
        file_type="x",
        file_size=1,
        file_sha256="x",
    )


def _bulk(model: Any, rows: list[Any]) -> list[Any]:
    return list(model.objects.bulk_create(rows, batch_size=200))


if __name__ == "__main__":
    sys.exit(main())
