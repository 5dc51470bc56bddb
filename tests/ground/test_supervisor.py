"""The supervisor with real processes: what dies comes back, what stalls is killed, all ends clean.

django-q2's cluster keeps its main process alive and works no more when both workers die at once;
nothing but the heartbeat shows it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from django.conf import settings

pytestmark = pytest.mark.processes


@pytest.fixture
def surroundings(own_database: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a system with a database of its own."""
    return os.environ | {"DATABASE_URL": own_database, "DATA_DIR": str(tmp_path), "WORKERS": "2"}


@contextmanager
def supervised(
    surroundings: dict[str, str], log: Path, *options: str
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "manage.py", "supervise", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=surroundings, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        left = psutil.Process(process.pid).children(recursive=True) if _runs(process) else []
        process.kill()
        process.wait()
        for child in left:
            if child.is_running():
                child.kill()


def _runs(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None


def wait_for[T](what: Callable[[], T], seconds: float = 90) -> T:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.1)
    return found


def main_of_the_worker(supervisor: subprocess.Popen[bytes]) -> psutil.Process | None:
    for child in psutil.Process(supervisor.pid).children():
        if child.status() != psutil.STATUS_ZOMBIE and "work" in child.cmdline():
            return child
    return None


def both_workers(main: psutil.Process | None) -> list[psutil.Process]:
    """The guard process starts its two workers first, then the two that fetch and store."""
    guards = main.children() if main else []
    children = sorted(guards[0].children(), key=lambda child: child.pid) if guards else []
    return children[:2] if len(children) == 4 else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def status_of(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_a_worker_pair_killed_at_once_is_noticed_and_the_cluster_started_anew(
    surroundings, tmp_path
):
    port = free_port()
    surroundings |= {"PORT": str(port), "WORKER_STALE_S": "6"}
    ready = f"http://127.0.0.1:{port}/readyz"
    log = tmp_path / "log"
    with supervised(surroundings, log, "--stale", "12", "--pulse", "1") as supervisor:
        wait_for(lambda: status_of(ready) == 200)
        stalled = main_of_the_worker(supervisor)
        for worker in wait_for(lambda: both_workers(main_of_the_worker(supervisor))):
            worker.kill()

        wait_for(lambda: status_of(ready) == 503)
        wait_for(lambda: status_of(ready) == 200)

        assert main_of_the_worker(supervisor).pid != stalled.pid
        assert not stalled.is_running()
        assert "the worker is silent for" in log.read_text()


def web_of(supervisor: subprocess.Popen[bytes]) -> psutil.Process | None:
    for child in psutil.Process(supervisor.pid).children():
        if child.status() != psutil.STATUS_ZOMBIE and "gunicorn" in " ".join(child.cmdline()):
            return child
    return None


def test_a_web_server_that_died_is_started_again_and_term_ends_everything(surroundings, tmp_path):
    port = free_port()
    alive = f"http://127.0.0.1:{port}/healthz"
    with supervised(surroundings | {"PORT": str(port)}, tmp_path / "log") as supervisor:
        wait_for(lambda: status_of(alive) == 200)
        dead = web_of(supervisor)
        wait_for(lambda: both_workers(main_of_the_worker(supervisor)))

        os.killpg(dead.pid, signal.SIGKILL)
        wait_for(lambda: (web := web_of(supervisor)) and web.pid != dead.pid)
        wait_for(lambda: status_of(alive) == 200)

        everything = psutil.Process(supervisor.pid).children(recursive=True)
        supervisor.terminate()
        assert supervisor.wait(60) == 0
        assert [child for child in everything if child.is_running()] == []


def test_an_address_that_somebody_else_has_stops_the_start(surroundings, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with supervised(surroundings | {"PORT": port}, tmp_path / "log") as supervisor:
            status = supervisor.wait(60)

    assert status == 1
    assert f"Cannot listen on 127.0.0.1, port {port}" in (tmp_path / "log").read_text()
