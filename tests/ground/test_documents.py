"""Documents that name parts of the program must not fall behind it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_the_example_environment_names_every_setting_that_is_read_and_no_other():
    names = r'(?:env\.\w+|_required_in_production)\(\s*"([A-Z_]+)"'

    read_by_settings = set(re.findall(names, read("config/settings.py")))

    assert set(re.findall(r"^#?([A-Z_]+)=", read(".env.example"), re.M)) == read_by_settings
    assert "DATABASE_URL" in read_by_settings


@pytest.mark.parametrize("file", ["run.in", "dev.in", "tools.in"])
def test_every_direct_dependency_is_explained(file):
    wanted = re.findall(r"^([A-Za-z][\w.-]*(?:\[\w+\])?)", read(f"requirements/{file}"), re.M)

    explained = set(re.findall(r"[\w\[\].-]+", read("docs/dependencies.md")))

    assert [name for name in wanted if name not in explained] == []
    assert wanted


@pytest.mark.parametrize("file", ["run.txt", "dev.txt", "tools.txt"])
def test_the_locked_requirements_hold_hashes_and_no_address(file):
    text = read(f"requirements/{file}")

    packages = re.findall(r"^[a-z][^=\n]*==", text, re.M)

    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(packages) > 0


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_in_the_documents_exists(file):
    named = set(re.findall(r"\bmake ([a-z]+)\b(?= |`|$|\n)", read(file)))

    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.M))

    assert named - targets == set()
    assert named


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md", "docs/operating.md"])
def test_every_file_that_the_documents_link_exists(file):
    links = re.findall(r"\]\(([^)#:]+)\)", read(file))

    assert [link for link in links if not (ROOT / file).parent.joinpath(link).exists()] == []
