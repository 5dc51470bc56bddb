#!/usr/bin/env python
"""Keep the Chinese catalogues complete, without gettext tools.

    python tools/messages.py            add new messages, drop unused ones, report what is missing
    python tools/messages.py --check    change nothing; exit 1 unless everything is in order
    python tools/messages.py compile    write the compiled catalogues

Messages are found in Python by its syntax tree and in templates by Django's own reader.
Every app keeps its own catalogue: a file belongs to the nearest folder above that has an
apps.py. A message new to one app takes over the translation another app already has.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from babel.messages.catalog import Catalog  # noqa: E402
from babel.messages.pofile import denormalize, write_po  # noqa: E402
from django.utils.translation.template import templatize  # noqa: E402

from config.catalogues import _APPS, LANGUAGE, compile_stale  # noqa: E402

# (context or "", singular, plural or "")
type Message = tuple[str, str, str]

SINGULAR = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
CONTEXT = {"pgettext", "pgettext_lazy"}
CONTEXT_PLURAL = {"npgettext", "npgettext_lazy"}
FUNCTIONS = SINGULAR | PLURAL | CONTEXT | CONTEXT_PLURAL

_STRING = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(
    rf"(?<![\w.])(n?p?gettext|_)\(\s*({_STRING})(?:\s*,\s*({_STRING}))?(?:\s*,\s*({_STRING}))?"
)
_QUOTED = r'"(?:[^"\\\n]|\\.)*"(?:\s*\n"(?:[^"\\\n]|\\.)*")*'
_ENTRY = re.compile(
    rf"(?:^#,(?P<flags>.*)\n)?(?:^msgctxt (?P<context>{_QUOTED})\s*\n)?"
    rf"^msgid (?P<singular>{_QUOTED})\s*\n(?:^msgid_plural (?P<plural>{_QUOTED})\s*\n)?"
    rf"^msgstr(?:\[0\])? (?P<text>{_QUOTED})",
    re.MULTILINE,
)
_PARTS = ("context", "singular", "plural", "text")
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sdif]|%%|\{\w*\}")


def find_messages() -> dict[Path, set[Message]]:
    """Return each app's folder with the messages used in it."""
    found: dict[Path, set[Message]] = defaultdict(set)
    for app in _APPS:
        for path in sorted((ROOT / app).rglob("*")):
            if path.suffix == ".py" and "migrations" not in path.parts:
                found[app_of(path)].update(in_python(path))
            elif path.suffix in (".html", ".txt") and "templates" in path.parts:
                found[app_of(path)].update(in_template(path))
    return {folder: messages for folder, messages in found.items() if messages}


def app_of(path: Path) -> Path:
    """Return the nearest folder above that is an app."""
    return next(folder for folder in path.parents if (folder / "apps.py").exists())


def in_python(path: Path) -> Iterator[Message]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in FUNCTIONS:
            continue
        texts = [
            argument.value
            for argument in node.args
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        if texts:
            yield message(name, texts)


def in_template(path: Path) -> Iterator[Message]:
    source = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    for name, *strings in _CALL.findall(source):
        yield message(name, [ast.literal_eval(text) for text in strings if text])


def message(name: str, texts: list[str]) -> Message:
    if name in PLURAL:
        return "", texts[0], texts[1]
    if name in CONTEXT:
        return texts[0], texts[1], ""
    if name in CONTEXT_PLURAL:
        return texts[0], texts[1], texts[2]
    return "", texts[0], ""


def catalogue_path(app: Path) -> Path:
    return app / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"


def read(path: Path) -> dict[tuple[str, str], tuple[Message, str, bool]]:
    """Return (context, msgid) → message, translation, fuzzy.

    Two branches that each added the same message leave it twice; the translated one counts.
    """
    entries: dict[tuple[str, str], tuple[Message, str, bool]] = {}
    if not path.exists():
        return entries
    for found in _ENTRY.finditer(path.read_text(encoding="utf-8")):
        context, singular, plural, text = (denormalize(found[part] or '""') for part in _PARTS)
        if singular and (text or (context, singular) not in entries):
            fuzzy = "fuzzy" in (found["flags"] or "")
            entries[context, singular] = (context, singular, plural), text, fuzzy
    return entries


def render(messages: dict[Message, str]) -> Catalog:
    """Build a catalogue sorted by message, without dates, addresses or line numbers."""
    catalogue = Catalog(locale=LANGUAGE, charset="utf-8", fuzzy=False)
    catalogue.mime_headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
        ("Language", LANGUAGE),
        ("Plural-Forms", "nplurals=1; plural=0;"),
    ]
    for (context, singular, plural), text in sorted(messages.items()):
        catalogue.add(
            (singular, plural) if plural else singular,
            (text,) if plural else text,
            context=context or None,
        )
    return catalogue


def write(path: Path, messages: dict[Message, str]) -> bool:
    """Write the catalogue unless it already says exactly this; tell whether it changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with draft.open("wb") as target:
        # One message, one line: two branches then seldom touch the same line.
        write_po(target, render(messages), width=0, omit_header=True, no_location=True)
    body = draft.read_text(encoding="utf-8")
    draft.unlink()
    header = (
        'msgid ""\nmsgstr ""\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Language: {LANGUAGE}\\n"\n'
        '"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    )
    text = header + body
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def known_translations() -> dict[tuple[str, str], str]:
    """Return every translation of every app, to be taken over by an app that lacks it."""
    known: dict[tuple[str, str], str] = {}
    for app in find_messages():
        for key, (_message, text, fuzzy) in read(catalogue_path(app)).items():
            if text and not fuzzy:
                known.setdefault(key, text)
    return known


def sync() -> list[Path]:
    """Bring every catalogue in line with the source; return those that changed."""
    known = known_translations()
    changed = []
    for app, used in find_messages().items():
        path = catalogue_path(app)
        have = read(path)
        wanted = {}
        for one in used:
            key = one[0], one[1]
            text = have[key][1] if key in have and not have[key][2] else ""
            wanted[one] = text or known.get(key, "")
        if write(path, wanted):
            changed.append(path)
    return changed


def problems() -> list[str]:
    """Return one line for everything that is wrong, empty when all is in order."""
    lines = []
    translations: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for app, used in sorted(find_messages().items()):
        path = catalogue_path(app)
        name = path.relative_to(ROOT)
        have = read(path)
        keys = {(one[0], one[1]) for one in used}
        lines += [f"{name}: missing: {key[1]!r}" for key in sorted(keys - set(have))]
        lines += [f"{name}: no longer used: {key[1]!r}" for key in sorted(set(have) - keys)]
        for key, (_message, text, fuzzy) in sorted(have.items()):
            translations[key].setdefault(text, name)
            if fuzzy:
                lines.append(f"{name}: fuzzy: {key[1]!r}")
            elif not text:
                lines.append(f"{name}: not translated: {key[1]!r}")
            elif placeholders(key[1]) != placeholders(text):
                lines.append(f"{name}: placeholders differ: {key[1]!r} → {text!r}")
    for key, texts in sorted(translations.items()):
        texts.pop("", None)
        if len(texts) > 1:
            where = ", ".join(f"{text!r} in {name}" for text, name in sorted(texts.items()))
            lines.append(f"two translations of {key[1]!r}: {where}")
    return lines


def placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def main(arguments: list[str]) -> int:
    if arguments == ["compile"]:
        for path in compile_stale():
            print(f"compiled {path.relative_to(ROOT)}")
        return 0
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    if not arguments:
        for path in sync():
            print(f"wrote {path.relative_to(ROOT)}")
        compile_stale()
    found = problems()
    for line in found:
        print(line)
    count = sum(len(used) for used in find_messages().values())
    print(f"{count} messages, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
