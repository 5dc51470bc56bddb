"""Settings come from the environment and are loud when wrong; each case in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "ENVIRONMENT": "production",
    "ALLOWED_HOSTS": "centre.example",
    "PUBLIC_URL": "https://centre.example",
    "STRIPE_API_KEY": "sk_live_x",
    "STRIPE_WEBHOOK_SECRET": "whsec_x",
}
ASK = (
    "from config import settings as s;"
    "print(s.DATABASES['default']['ENGINE'].rsplit('.', 1)[1], s.GATEWAY, s.PRODUCTION)"
)


def _read(tmp_path, **environment):
    clean = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "data"), **environment}
    return subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("label", "environment", "answer"),
    [
        ("nothing set", {}, "sqlite3 stub False"),
        ("set but empty", {"DATABASE_URL": "", "STRIPE_API_KEY": ""}, "sqlite3 stub False"),
        ("PostgreSQL", {"DATABASE_URL": "postgres://u@h/n"}, "postgresql stub False"),
        ("production", PRODUCTION, "sqlite3 stripe True"),
    ],
)
def test_settings_follow_the_environment(tmp_path, label, environment, answer):
    assert _read(tmp_path, **environment).stdout.strip() == answer


@pytest.mark.parametrize(
    ("named", "environment"),
    [
        ("ENVIRONMENT", {"ENVIRONMENT": "staging"}),
        ("DATABASE_URL", {"DATABASE_URL": "mysql://u@h/n"}),
        *((name, {**PRODUCTION, name: ""}) for name in PRODUCTION if name != "ENVIRONMENT"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(tmp_path, named, environment):
    done = _read(tmp_path, **environment)

    assert done.returncode != 0
    assert named in done.stderr.splitlines()[-1]


def test_the_secret_key_is_made_once_for_its_owner_only(tmp_path):
    _read(tmp_path)
    kept = tmp_path / "data/secret_key"
    first = kept.read_text()

    _read(tmp_path)

    assert (kept.read_text(), kept.stat().st_mode & 0o777) == (first, 0o600)
