"""Every sentence a person can see exists in both languages; the tool that says so is right."""

import subprocess
import sys

import pytest

from config.catalogues import ROOT
from tools import messages


def test_every_message_is_translated_and_nothing_is_stale():
    check = subprocess.run(
        [sys.executable, "tools/messages.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (check.returncode, check.stdout.splitlines()[:-1], check.stderr) == (0, [], "")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a project of two apps with one message each."""
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    for app, text in (("visits", "Help"), ("accounts", "Pay %(amount)s")):
        (tmp_path / app / "templates").mkdir(parents=True)
        (tmp_path / app / "apps.py").write_text("")
        (tmp_path / app / "verbs.py").write_text(f"message = _({text!r})\n")
    messages.sync()
    translate(tmp_path, "visits", "帮助")
    translate(tmp_path, "accounts", "付 %(amount)s")
    return tmp_path


def catalogue(project, app):
    return messages.catalogue_path(project / app)


def translate(project, app, text):
    path = catalogue(project, app)
    *before, _last = path.read_text().rstrip().splitlines()
    path.write_text("\n".join([*before, f'msgstr "{text}"']) + "\n")


def test_a_complete_project_has_no_problem(project):
    assert messages.problems() == []


@pytest.mark.parametrize(
    ("case", "app", "text", "problem"),
    [
        ("empty", "visits", "", "not translated: 'Help'"),
        ("lost placeholder", "accounts", "付", "placeholders differ: 'Pay %(amount)s' → '付'"),
        (
            "other placeholder",
            "accounts",
            "付 %(sum)s",
            "placeholders differ: 'Pay %(amount)s' → '付 %(sum)s'",
        ),
    ],
)
def test_a_bad_translation_is_named(project, case, app, text, problem):
    translate(project, app, text)

    assert messages.problems() == [f"{app}/locale/zh_Hans/LC_MESSAGES/django.po: {problem}"]


def test_a_fuzzy_translation_is_named(project):
    path = catalogue(project, "visits")
    path.write_text(path.read_text().replace('msgid "Help"', '#, fuzzy\nmsgid "Help"'))

    (problem,) = messages.problems()

    assert problem.endswith("fuzzy: 'Help'")


def test_new_and_unused_messages_are_named_until_synced(project):
    (project / "visits/verbs.py").write_text("message = _('Book')\n")

    before = messages.problems()
    messages.sync()
    after = messages.problems()

    name = "visits/locale/zh_Hans/LC_MESSAGES/django.po"
    assert before == [f"{name}: missing: 'Book'", f"{name}: no longer used: 'Help'"]
    assert after == [f"{name}: not translated: 'Book'"]


def test_one_sentence_has_one_translation_in_the_whole_project(project):
    (project / "accounts/verbs.py").write_text("message = _('Help')\n")
    messages.sync()
    taken_over = messages.problems()
    translate(project, "accounts", "协助")

    (problem,) = messages.problems()

    assert taken_over == []
    assert problem.startswith("two translations of 'Help'")


def test_of_twins_left_by_a_merge_the_translated_one_stays(project):
    path = catalogue(project, "visits")
    path.write_text(path.read_text() + '\nmsgid "Help"\nmsgstr ""\n')

    messages.sync()

    assert path.read_text().count('msgid "Help"') == 1
    assert messages.problems() == []


def test_messages_are_found_in_every_place_they_can_stand(tmp_path):
    template = tmp_path / "page.html"
    template.write_text(
        '{% load i18n %}{% translate "One" %}{{ x|default:_("Two") }}'
        "{% blocktranslate with name=x %}Hello {{ name }}{% endblocktranslate %}"
        "{% blocktranslate count n=n %}{{ n }} left"
        "{% plural %}{{ n }} remain{% endblocktranslate %}"
    )
    source = tmp_path / "verbs.py"
    source.write_text(
        "a = _('Four')\nb = pgettext_lazy('time', 'Five')\n"
        "c = ngettext('%(n)s day', '%(n)s days', n)\nd = other('Six')\n"
    )

    found = set(messages.in_template(template)) | set(messages.in_python(source))

    assert found == {
        ("", "One", ""),
        ("", "Two", ""),
        ("", "Hello %(name)s", ""),
        ("", "%(n)s left", "%(n)s remain"),
        ("", "Four", ""),
        ("time", "Five", ""),
        ("", "%(n)s day", "%(n)s days"),
    }
