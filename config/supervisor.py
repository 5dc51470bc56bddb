"""Keeping the web server and the worker alive.

django-q2 stalls for good when all its workers die at once: the main process lives, the queue
grows, and even SIGTERM no longer ends it. So the worker is watched by its heartbeat and, when
that stops, killed with its whole group and started anew. Everything queued is safe to run twice.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.tasks import async_task

from detention.models import Heartbeat

logger = logging.getLogger(__name__)

# A child that dies sooner than this after its start is started again with growing patience.
SHORT_LIFE_S = 10.0
LONGEST_PAUSE_S = 30.0


def listening(host: str, port: int) -> socket.socket:
    """Take the address for as long as the supervisor lives; the web server inherits it.

    So nobody else can take it between two starts, and a caller in between waits instead of being
    turned away. Errors: OSError when somebody else listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


class Child:
    """One long-running process in a group of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        grace_s: float,
        listener: socket.socket | None = None,
    ) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.grace_s = grace_s
        self.inherited = () if listener is None else (listener.fileno(),)
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.starts = 0
        self.short_lives = 0

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches the supervisor only, and the group can be killed.
        self.process = subprocess.Popen(  # noqa: S603
            self.command,
            cwd=settings.BASE_DIR,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=self.inherited,
        )
        self.started = time.monotonic()
        self.starts += 1

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pause_s(self) -> float:
        """Return how long to wait before the next start."""
        return min(2.0**self.short_lives - 1, LONGEST_PAUSE_S)

    def revive(self) -> bool:
        """Start again a child that died, not too eagerly; tell whether it was started."""
        lived_s = time.monotonic() - self.started
        if self.process is not None:
            logger.warning("%s ended with %s after %.0f s", self.name, self.exit_status, lived_s)
            self.short_lives = self.short_lives + 1 if lived_s < SHORT_LIFE_S else 0
            self.kill()
        if lived_s < self.pause_s:
            return False
        self.start()
        return True

    @property
    def exit_status(self) -> int | None:
        return None if self.process is None else self.process.poll()

    def kill(self) -> None:
        """End the whole group at once; harmless when nothing is left of it."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def ask_to_stop(self) -> None:
        """Ask the main process only: a TERM to the group makes django-q2 wait for ever."""
        if self.process is not None and self.is_alive:
            self.process.terminate()

    def wait_or_kill(self) -> None:
        if self.process is not None:
            try:
                self.process.wait(self.grace_s)
            except subprocess.TimeoutExpired:
                logger.warning("%s did not stop within %.0f s; killing it", self.name, self.grace_s)
            self.kill()


class Supervisor:
    """Starts what it is told to, starts again what dies, and kills a worker that stalls.

    listener: where the web server is reached; None leaves it out. stale_s: a worker without a
    heartbeat for so long has stalled; must exceed the time that one task may take. pulse_s: how
    often an extra heartbeat is queued, between those by schedule.
    """

    def __init__(
        self,
        *,
        listener: socket.socket | None,
        worker: bool = True,
        environment: Mapping[str, str] | None = None,
        stale_s: float,
        pulse_s: float = 10.0,
        grace_s: float = 20.0,
    ) -> None:
        surroundings = dict(os.environ if environment is None else environment)
        self.worker = Child("worker", WORKER, environment=surroundings, grace_s=grace_s)
        if listener is not None:
            surroundings |= {"WEB_FD": str(listener.fileno())}
        self.web = Child("web", WEB, environment=surroundings, grace_s=grace_s, listener=listener)
        chosen = {"web": listener is not None, "worker": worker}
        self.children = [one for one in (self.web, self.worker) if chosen[one.name]]
        self.stale_s = stale_s
        self.pulse_s = pulse_s
        self._pulsed = 0.0

    def start(self) -> None:
        for child in self.children:
            child.start()

    def tick(self) -> None:
        """Look once at everything; call it about every half second."""
        for child in self.children:
            if not child.is_alive:
                child.revive()
        if self.worker in self.children and self.worker.is_alive:
            self._watch_the_worker()

    def stop(self) -> None:
        """Stop everything: asked first, killed when the grace is over."""
        for child in self.children:
            child.ask_to_stop()
        for child in self.children:
            child.wait_or_kill()

    def _watch_the_worker(self) -> None:
        now = time.monotonic()
        if now - self._pulsed < self.pulse_s:
            return
        self._pulsed = now
        try:
            silent_s = self._silence_s()
            if silent_s <= self.stale_s:
                # Written by the worker, so that its answer proves that it works.
                async_task("config.tasks.heartbeat", task_name="pulse", save=False)
                return
        except DatabaseError:
            # Without a database nobody can tell; the worker is not to blame.
            logger.exception("cannot read the worker's heartbeat")
            connection.close()
            return
        logger.error("the worker is silent for %.0f s; killing and restarting it", silent_s)
        self.worker.kill()
        self.worker.start()

    def _silence_s(self) -> float:
        """Return for how long the running worker has shown no sign of life."""
        lived_s = time.monotonic() - self.worker.started
        last = Heartbeat.objects.filter(name="worker").values_list("at", flat=True).first()
        return lived_s if last is None else min(lived_s, _age_s(last))


def _age_s(at: datetime) -> float:
    return (timezone.now() - at) / timedelta(seconds=1)


WEB = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "config.wsgi"]
WORKER = [sys.executable, "manage.py", "work"]
