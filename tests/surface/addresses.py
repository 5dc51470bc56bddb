"""Every address of the project, found in the URL configuration itself."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

SAMPLE_UUID = str(uuid.UUID(int=7))
SAMPLES = {"uuid": SAMPLE_UUID, "uuidstr": SAMPLE_UUID, "int": "7", "slug": "x", "str": "x"}


def addresses() -> dict[str, str]:
    """Return every address's name, with its namespace, and a path with sample values."""
    return dict(_walk(get_resolver().url_patterns, "/", ""))


def _walk(patterns, prefix: str, namespace: str) -> Iterator[tuple[str, str]]:
    for one in patterns:
        path = prefix + _filled(str(one.pattern))
        if isinstance(one, URLResolver):
            inner = f"{namespace}{one.namespace}:" if one.namespace else namespace
            yield from _walk(one.url_patterns, path, inner)
        elif isinstance(one, URLPattern):
            yield f"{namespace}{one.name}", path


def _filled(route: str) -> str:
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES[found[1] or "str"], route)
