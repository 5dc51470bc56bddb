"""Every sentence a person can see exists in both languages."""

import subprocess
import sys

from config.catalogues import ROOT


def test_every_message_is_translated_and_nothing_is_stale():
    check = subprocess.run(
        [sys.executable, "tools/messages.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (check.returncode, check.stdout.splitlines()[:-1], check.stderr) == (0, [], "")
