"""The tablet's frame: the same for everybody, complete, and in both languages."""

import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

import commissary

ROOT = Path(commissary.__file__).parent
TABLET = ROOT / "static" / "tablet"


def _strings(language):
    return json.loads((TABLET / "strings" / f"{language}.json").read_text())


def _scripts():
    return {path: path.read_text() for path in TABLET.rglob("*.js")}


def test_both_languages_say_the_same_things_with_the_same_facts():
    chinese, english = _strings("zh-Hans"), _strings("en")

    assert list(chinese) == list(english) == sorted(chinese)
    for key, sentence in chinese.items():
        facts = set(re.findall(r"\{(\w+)\}", sentence))
        assert facts == set(re.findall(r"\{(\w+)\}", english[key])), key


def test_every_sentence_the_scripts_ask_for_is_in_the_packs_and_none_is_unused():
    text = "\n".join(_scripts().values())
    asked = set(re.findall(r"""["`]([a-z]+\.[a-z_]+)["`]""", text)) | {"wait"}
    # Keys that are put together: t(`state.${…}`).
    heads = set(re.findall(r"`([a-z]+)\.\$\{", text))

    known = set(_strings("en"))

    spoken = {key for key in asked if key.split(".")[0] in {k.split(".")[0] for k in known}}
    assert sorted(spoken - known) == []
    assert sorted(key for key in known - asked if key.split(".")[0] not in heads) == []


def test_every_icon_the_scripts_name_is_drawn():
    drawn = set(re.findall(r'<symbol id="(\w+)"', (TABLET / "icons.svg").read_text()))
    named = set()
    for text in _scripts().values():
        named |= set(re.findall(r"""(?:icon\(|image: |note\()"(\w+)\"""", text))

    assert sorted(named - drawn) == []


def test_the_scripts_never_write_markup_reach_outside_or_keep_a_session():
    for path, text in _scripts().items():
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(", text), path
        assert not re.search(r"localStorage|sessionStorage|document\.cookie", text), path
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == [], path


def test_the_page_is_one_frame_for_everybody(client):
    answer = client.get("/tablet/", headers={"Accept-Language": "en"})

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-cache"
    assert "csrf" not in answer.content.decode().lower()
    assert '<html lang="zh-Hans"' in answer.content.decode()
    assert answer.content.decode().count("<h1") == 1
    assert answer.cookies == {}


def test_the_worker_keeps_every_script_string_and_picture_and_nothing_of_a_person(client):
    answer = client.get("/tablet/worker.js")

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/javascript")
    kept = json.loads(re.search(r"const FILES = (\[.*\]);", answer.content.decode())[1])
    assert kept[:2] == ["/tablet/", "/tablet/app.webmanifest"]
    files = {path.removeprefix("/static/") for path in kept[2:]}
    assert {path.relative_to(ROOT / "static").as_posix() for path in _scripts()} - files == {
        "tablet/worker.js"
    }
    assert [path for path in sorted(files) if finders.find(path) is None] == []


@pytest.mark.parametrize("name", ["", "worker.js", "app.webmanifest"])
def test_the_frame_is_only_read(client, name):
    assert client.post(f"/tablet/{name}").status_code == 405


def test_the_manifest_fills_the_screen_with_this_page_only(client):
    described = client.get("/tablet/app.webmanifest").json()

    assert (described["name"], described["scope"], described["display"]) == (
        "平板",
        "/tablet/",
        "fullscreen",
    )
