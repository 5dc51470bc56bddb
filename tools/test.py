"""Run the whole suite: on SQLite, on a private PostgreSQL, and in a real Chromium.

    python tools/test.py [sqlite] [postgres] [browser] [-- pytest arguments]

Prints passed, failed and skipped for each, and the versions. With CI=true whatever was skipped
or could not be run is a failure.
"""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import chromium, postgres  # noqa: E402

STRICT = os.environ.get("CI", "").lower() in ("1", "true", "yes")


@dataclass
class Run:
    """One call of pytest and what came of it."""

    name: str
    version: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    trouble: str = ""  # why it could not be run at all
    process: subprocess.Popen[bytes] | None = None
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="detention-test-")))

    @property
    def is_good(self) -> bool:
        return not (self.failed or self.trouble or (STRICT and self.skipped))

    def start(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.seconds = -time.monotonic()
        command = [sys.executable, "-m", "pytest", f"--junitxml={self.folder / 'report.xml'}"]
        with (self.folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                [*command, *arguments],
                cwd=ROOT,
                env=_clean() | {"DATA_DIR": str(self.folder / "data")} | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def finish(self) -> None:
        assert self.process is not None
        status = self._wait(self.process)
        self.seconds += time.monotonic()
        print(f"\n── {self.name}: {self.version}", flush=True)
        print((self.folder / "output").read_text(errors="replace").strip(), flush=True)
        self._count()
        shutil.rmtree(self.folder, ignore_errors=True)
        if status and not self.failed:
            self.trouble = self.trouble or f"pytest ended with {status}"

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        # A word a minute, so that nobody takes a slow machine for a dead one.
        while True:
            try:
                return process.wait(60)
            except subprocess.TimeoutExpired:
                done = (self.folder / "output").read_text(errors="replace").strip()
                last = done.splitlines()[-1:] or ["starting"]
                running_s = self.seconds + time.monotonic()
                print(f"   {self.name} runs for {running_s:.0f} s: {last[0][-60:]}", flush=True)

    def _count(self) -> None:
        report = self.folder / "report.xml"
        if not report.exists():
            self.trouble = "pytest wrote no report"
            return
        suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314
        assert suite is not None
        self.failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        self.skipped = int(suite.get("skipped", 0))
        self.passed = int(suite.get("tests", 0)) - self.failed - self.skipped
        if not self.passed + self.failed + self.skipped:
            self.trouble = "there were no tests"

    def line(self) -> str:
        if self.trouble:
            return f"{self.name:<9} not run: {self.trouble}   [{self.version}]"
        counts = f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"
        return f"{self.name:<9} {counts} in {self.seconds:.1f} s   [{self.version}]"


def _clean() -> dict[str, str]:
    """Return the environment without what would change the suite from outside."""
    ours = ("DATABASE_URL", "DATA_DIR", "ENVIRONMENT", "SECRET_KEY", "STRIPE_API_KEY", "PUBLIC_URL")
    bytecode = "PYTHONDONTWRITEBYTECODE"
    return {name: v for name, v in os.environ.items() if name not in (*ours, bytecode)}


def start_sqlite(run: Run, arguments: list[str], stack: ExitStack) -> None:
    run.version = f"SQLite {sqlite3.sqlite_version}"
    run.start(arguments, {})


def start_postgres(run: Run, arguments: list[str], stack: ExitStack) -> None:
    url = os.environ.get("DATABASE_URL", "")
    run.version = "PostgreSQL from DATABASE_URL"
    if not url.startswith("postgres"):
        try:
            server = stack.enter_context(postgres.private_postgres())
        except postgres.NoPostgres as error:
            run.trouble = str(error)
            return
        url, run.version = server.url, f"PostgreSQL {server.version}"
    run.start(arguments, {"DATABASE_URL": url})


def start_browser(run: Run, arguments: list[str], stack: ExitStack) -> None:
    try:
        path = chromium.find_or_install()
    except chromium.NoChromium as error:
        run.trouble = str(error)
        return
    run.version = chromium.version(path)
    run.start(["-m", "browser", *arguments], {"CHROMIUM": path})


STARTS: dict[str, Callable[[Run, list[str], ExitStack], None]] = {
    "sqlite": start_sqlite,
    "postgres": start_postgres,
    "browser": start_browser,
}


@contextmanager
def _stopped_at_the_end(runs: list[Run]) -> Iterator[None]:
    try:
        yield
    finally:
        for run in runs:
            if run.process is not None and run.process.poll() is None:
                run.process.terminate()
                run.process.wait()


def main(arguments: list[str]) -> int:
    split = arguments.index("--") if "--" in arguments else len(arguments)
    names, rest = arguments[:split] or list(STARTS), arguments[split + 1 :]
    runs = [Run(name) for name in names]
    with ExitStack() as stack, _stopped_at_the_end(runs):
        # The two databases side by side; the browser alone, because it watches the clock.
        together = [run for run in runs if run.name != "browser"]
        alone = [run for run in runs if run.name == "browser"]
        for group in (together, alone):
            for run in group:
                STARTS[run.name](run, rest, stack)
            for run in group:
                if run.process is not None:
                    run.finish()
    print(f"\nPython {platform.python_version()}, Django {_django()}")
    for run in runs:
        print(run.line())
    total = [sum(getattr(run, what) for run in runs) for what in ("passed", "failed", "skipped")]
    print("{} passed, {} failed, {} skipped".format(*total), flush=True)
    return 0 if all(run.is_good for run in runs) else 1


def _django() -> str:
    import django

    return django.__version__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
