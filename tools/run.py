"""The demo: make it, start web and worker, play a short day, show what came of it, serve.

HOST, PORT (else 8000 or the next free one), RELATIVES (5), ONCE=1 (end after the day, with the
exit code of day and proof), DATABASE_URL. Running it again keeps the data.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 90.0


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent TERM."""


def main() -> int:
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    host = os.environ.get("HOST") or "127.0.0.1"
    once = os.environ.get("ONCE", "") not in ("", "0")
    relatives = os.environ.get("RELATIVES") or "5"
    listener = take_address(host, os.environ.get("PORT", ""))
    port = listener.getsockname()[1]
    url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104
    os.environ |= {"HOST": host, "PORT": str(port)}
    os.environ.setdefault("PUBLIC_URL", url)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if not os.environ.get("DATABASE_URL"):
        os.environ.pop("DATABASE_URL", None)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stopped)

    prepare()
    from config.supervisor import Supervisor

    supervisor = Supervisor(listener=listener, stale_s=75.0, pulse_s=5.0, grace_s=10.0)
    try:
        supervisor.start()
        wait_until_ready(url, supervisor)
        status = play(url, relatives, supervisor)
        print_addresses(url)
        if once:
            return status
        print("\nServing until Ctrl-C.", flush=True)
        while True:
            supervisor.tick()
            time.sleep(0.5)
    except Stopped:
        print("\nStopping ...", flush=True)
        return 0
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        supervisor.stop()


def stopped(*_: object) -> NoReturn:
    raise Stopped


def take_address(host: str, wanted: str) -> socket.socket:
    """Return an open socket on the port asked for, else on 8000 or the next free one."""
    for port in [int(wanted)] if wanted else range(8000, 8100):
        try:
            # Held open from here on, so that no other demo can take it in between.
            return socket.create_server((host, port), backlog=2048)
        except OSError as error:
            trouble = error
    sys.exit(f"Cannot listen on {host}, port {wanted or '8000 to 8099'}: {trouble}; say PORT=...")


def prepare() -> None:
    """Check the triggers, migrate, make the demo; each is harmless when it was done before."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError
    from django.db import connection

    from detention import triggers

    if settings.PRODUCTION:
        sys.exit("make run is the demo; in production start `manage.py supervise`.")
    try:
        # Before migrating: a missing trigger must be noticed, not put back in silence.
        call_command("check", databases=["default"], stdout=io.StringIO(), stderr=io.StringIO())
        step("Migrating the database")
        call_command("migrate", verbosity=0, interactive=False)
        triggers.refuse_start()
    except (SystemCheckError, ImproperlyConfigured) as error:
        sys.exit(str(error))
    step("Making the demo facilities")
    call_command("demo", stdout=io.StringIO())
    connection.close()


def wait_until_ready(url: str, supervisor: Any) -> None:
    step(f"Starting web and worker at {url}")
    began = time.monotonic()
    while True:
        supervisor.tick()
        ready, answer = ask(f"{url}/readyz")
        if ready:
            return
        if supervisor.web.short_lives > 1 or time.monotonic() - began > READY_WITHIN_S:
            sys.exit(f"The system did not get ready: {answer}")
        time.sleep(0.3)


def ask(address: str) -> tuple[bool, str]:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310
            return True, response.read().decode()
    except urllib.error.HTTPError as error:
        return False, error.read().decode()[:500]
    except OSError as error:
        return False, str(error)


def play(url: str, relatives: str, supervisor: Any) -> int:
    """Play a day through the doors and prove the ledger; return 0 when both are right."""
    from django.core.management import get_commands

    days = (["play_day", "--relatives", relatives, "--url", url], ["ledger_proof"])
    status = 0
    for command in days:
        if command[0] not in get_commands():
            continue
        step(f"manage.py {' '.join(command)}")
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command], stdin=subprocess.DEVNULL
        )
        try:
            while process.poll() is None:
                supervisor.tick()
                time.sleep(0.2)
        except Stopped:
            process.terminate()
            process.wait()
            raise
        status = status or process.returncode
    return status


def print_addresses(url: str) -> None:
    from config import demo

    print(f"\nOpen {url}/\n")
    print(f"{'facility':<10} {'role':<14} {'log-in':<32} password or PIN")
    for one in [*demo.logins(), *demo.people()]:
        print(f"{one.facility:<10} {one.role:<14} {one.login:<32} {one.password}")
    print(
        "\nA detainee signs in on a tablet: enrol one as guard under Tablets, then open /tablet/."
    )
    sys.stdout.flush()


def step(text: str) -> None:
    print(f"· {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
