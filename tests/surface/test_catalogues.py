"""A fresh clone speaks Chinese: catalogues are compiled before anything is translated."""

import os
import subprocess
import sys

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from config import catalogues

CONFIG = catalogues.ROOT / "config"
PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Help"\nmsgstr "{}"\n'


@pytest.fixture
def app(tmp_path, monkeypatch):
    """Return the catalogue of a project that holds nothing else."""
    monkeypatch.setattr(catalogues, "ROOT", tmp_path)
    source = tmp_path / "visits/locale/zh_Hans/LC_MESSAGES/django.po"
    source.parent.mkdir(parents=True)
    source.write_text(PO.format("帮助"), encoding="utf-8")
    return source


def test_what_is_missing_or_older_is_compiled_and_nothing_else(app):
    first = catalogues.compile_stale()
    second = catalogues.compile_stale()
    os.utime(app, (2**31, 2**31))
    third = catalogues.stale()

    assert (first, second, third) == ([app], [], [app])
    assert [path.name for path in sorted(app.parent.iterdir())] == ["django.mo", "django.po"]


def test_the_check_names_what_is_not_compiled(app):
    named = [found.msg for found in catalogues.check_compiled()]

    assert named == ["visits/locale/zh_Hans/LC_MESSAGES/django.po is not compiled."]


def test_the_first_process_after_a_change_already_speaks_the_new_words(tmp_path):
    (source,) = (path for path in catalogues.sources() if path.is_relative_to(CONFIG))
    # Compiled long ago, from a catalogue without a word.
    compiled = source.with_suffix(".mo")
    with compiled.open("wb") as target:
        write_mo(target, Catalog(locale="zh_Hans"))
    os.utime(compiled, (1, 1))

    spoken = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "shell",
            "--no-imports",
            "-c",
            "from django.utils.translation import gettext; print(gettext('Help'))",
        ],
        cwd=catalogues.ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert spoken.stdout == "帮助\n"
