"""Finding a real Chromium for the browser tests and the screenshots, or installing one."""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox, because tests often run as root; nothing that talks to anybody.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class NoChromium(Exception):
    """There is no Chromium here and none may be installed."""


def find() -> str | None:
    """Return the path of a Chromium: CHROMIUM, the PATH, or the one playwright keeps."""
    if wanted := os.environ.get("CHROMIUM"):
        return wanted
    for name in NAMES:
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def find_or_install() -> str:
    """Return the path of a Chromium; on Debian and its kin, as root, install one first."""
    if path := find():
        return path
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoChromium(
            "No Chromium found. Install one, or say CHROMIUM=/path/to/chromium make test."
        )
    print("Installing Chromium and a Chinese font ...", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "-qq", "update"],
        [
            "apt-get",
            "-qq",
            "install",
            "-y",
            "--no-install-recommends",
            "chromium",
            "fonts-noto-cjk",
        ],
    ):
        done = subprocess.run(
            command,
            env=quiet,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NoChromium(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    if path := find():
        return path
    raise NoChromium("Chromium was installed and still cannot be found.")


def version(path: str) -> str:
    """Return what the browser says it is."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip()
