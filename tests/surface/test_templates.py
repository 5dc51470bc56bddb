"""What every template keeps to: no inline script or style, nothing from outside, no card field."""

import re

import pytest
from django.template import engines
from django.template.loader import get_template

from config.catalogues import _APPS, ROOT

FORBIDDEN = {
    "a script in the page": r"<script(?![^>]*\bsrc=)",
    "a style in the page": r"<style\b",
    "a style attribute": r"\sstyle\s*=",
    "a script attribute": r"\son[a-z]+\s*=\s*[\"']",
    "an address outside": r"\b(?:src|href|action)\s*=\s*[\"'](?:https?:)?//",
    "a sideways table that keys cannot reach": r"class=\"scroll\"(?![^>]*tabindex)",
    "a javascript address": r"javascript:",
    "a card number field": r"autocomplete\s*=\s*[\"']cc-",
    "evaluated htmx": r"hx-(?:vals|headers)\s*=\s*[\"']js:|hx-on",
}
TEMPLATES = sorted(
    path for app in _APPS for path in (ROOT / app).rglob("*.html") if "templates" in path.parts
)


def test_there_are_templates_to_look_at():
    assert len(TEMPLATES) > 20


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_can_be_read_and_holds_no_merge_mark(path):
    text = path.read_text(encoding="utf-8")

    engines["django"].from_string(text)

    assert re.findall(r"^(?:<{7}|={7}|>{7})", text, re.MULTILINE) == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_holds(what):
    found = [
        str(path.relative_to(ROOT))
        for path in TEMPLATES
        if re.search(FORBIDDEN[what], path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_every_symbol_that_a_template_draws_is_in_the_sprite():
    drawn = set()
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        drawn |= set(re.findall(r"{% icon \"([\w-]+)\"", text))
        drawn |= {f"picture-{name}" for name in re.findall(r"{% picture \"([\w-]+)\"", text)}
    sprite = (ROOT / "config/static/look/icons.svg").read_text(encoding="utf-8")

    assert drawn - set(re.findall(r'<symbol id="([\w-]+)"', sprite)) == set()


def test_the_style_sheet_stays_small():
    assert len((ROOT / "config/static/look/look.css").read_bytes()) <= 20_000


def test_vendored_files_are_what_they_are_said_to_be():
    import hashlib

    vendor = ROOT / "config/static/vendor"
    rows = re.findall(r"\| `([^`]+)` \|.*`([0-9a-f]{64})` \|", (vendor / "VENDOR.md").read_text())
    said = dict(rows)

    found = {
        str(path.relative_to(vendor)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*.js")
    }

    assert found == said


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_can_be_read_by_the_engine(path):
    name = path.as_posix().split("/templates/", 1)[1]

    assert get_template(name).template.source == path.read_text(encoding="utf-8")


def test_no_file_holds_the_marks_of_a_merge_left_open():
    marks = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)
    sources = [
        path
        for app in _APPS
        for path in (ROOT / app).rglob("*.*")
        if path.suffix in {".py", ".html", ".js", ".css", ".po", ".json", ".svg"}
    ]

    assert [p.name for p in sources if marks.search(p.read_text(encoding="utf-8"))] == []
