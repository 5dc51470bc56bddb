"""`manage.py supervise`: web and worker, kept alive until it is told to stop."""

from __future__ import annotations

import os
import signal
import socket
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from config.supervisor import Supervisor, listening
from detention import triggers


class Command(BaseCommand):
    help = "Start web and worker and keep both alive; INT or TERM stops them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", choices=["web", "worker"], help="leave the other one out")
        parser.add_argument(
            "--stale",
            type=float,
            default=float(settings.WORKER_STALE_S),
            help="seconds without a heartbeat after which the worker is restarted",
        )
        parser.add_argument(
            "--pulse", type=float, default=10.0, help="seconds between two extra heartbeats"
        )
        parser.add_argument(
            "--grace", type=float, default=20.0, help="seconds between asking to stop and killing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["pulse"] * 2 > options["stale"]:
            raise CommandError("--stale must be at least twice --pulse.")
        try:
            triggers.refuse_start()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        self.stopping = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        listener = None if options["only"] == "worker" else self._listener()
        supervisor = Supervisor(
            listener=listener,
            worker=options["only"] != "web",
            stale_s=options["stale"],
            pulse_s=options["pulse"],
            grace_s=options["grace"],
        )
        supervisor.start()
        try:
            while not self.stopping:
                supervisor.tick()
                time.sleep(0.2)
        finally:
            supervisor.stop()

    def _listener(self) -> socket.socket:
        host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
        try:
            return listening(host, int(port))
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}, port {port}: {error}") from error

    def _stop(self, *_: object) -> None:
        self.stopping = True
