"""Everything that can be said about the source without running it; each check by its own name."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SOURCE = ["detention", "accounts", "commissary", "visits", "config"]

CHECKS: dict[str, list[str]] = {
    "style": [f"{BIN}/ruff", "check", "--quiet", "."],
    "format": [f"{BIN}/ruff", "format", "--quiet", "--check", "--diff", "."],
    "layers": [f"{BIN}/lint-imports", "--no-cache"],
    "types": [f"{BIN}/mypy", "--no-error-summary", *SOURCE],
    "migrations": [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
    "settings": [sys.executable, "manage.py", "check", "--fail-level", "WARNING"],
}
if (ROOT / "tools/messages.py").exists():
    CHECKS["messages"] = [sys.executable, "tools/messages.py", "--check"]


def main() -> int:
    environment = {**os.environ, "NO_COLOR": "1"}
    failed = 0
    for name, command in CHECKS.items():
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        word = "failed" if done.returncode else "ok"
        print(f"{name:<11} {word:<7} {time.monotonic() - began:5.1f} s", flush=True)
        if done.returncode:
            failed += 1
            print(done.stdout + done.stderr, flush=True)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
