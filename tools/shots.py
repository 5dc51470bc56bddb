"""Contact sheets: every page of every portal, on a phone and on a desk, in both languages.

    python tools/shots.py [portal ...]

Starts a demo of its own in a temporary folder, lets it play its day, walks through PORTALS and
writes one sheet a portal to shots/, and every page in full beside it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image, ImageDraw, ImageFont  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402
from playwright.sync_api import Error as BrowserError  # noqa: E402

from tools import chromium, stage  # noqa: E402
from tools import tablet_shots as tablet  # noqa: E402

TARGET = ROOT / "shots"
WIDTHS = (360, 1280)
LANGUAGES = ("zh-hans", "en")
# On the sheet a column is this wide, and a page is cut off below this height.
COLUMN = {360: 270, 1280: 560}
CUT_OFF = {360: 1600, 1280: 1800}
GAP, LABEL = 16, 26
# A sheet taller than this goes on beside itself.
TALLEST = 5000

# A CSS selector to click, a selector with the text to type into it, or a function of one's own.
type Step = str | tuple[str, str] | Callable[[Page], object]


@dataclass(frozen=True)
class Shot:
    """One picture: open `path` (stay where the last shot left off when empty), take the steps."""

    name: str
    path: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Portal:
    """One sheet. login: nobody (""), "relative", "lawyer", or the role of a demo officer."""

    login: str
    shots: tuple[Shot, ...]


# Add a line for each page you build; order is the order on the sheet.
PORTALS: dict[str, Portal] = {
    "front": Portal(
        "",
        (
            Shot("home", "/"),
            Shot("sign-in", "/in/"),
            Shot("sign-in-refused", "", (("[name=login]", "nobody"), "main form button")),
            Shot("register", "/register/"),
            Shot("help", "/help/"),
            Shot("verify", "/verify/"),
            Shot("not-found", "/nowhere/"),
        ),
    ),
    "family": Portal(
        "relative",
        (
            Shot("start", "/start/"),
            Shot("ask-link", "/people/add/"),
            Shot("asked", "", (stage.ask_for_another,)),
            Shot("people", "/people/"),
            Shot("amount", "", ("a[data-send]",)),
            # The simulator's endings: 08 lets one fen less arrive, so that it waits for finance.
            Shot(
                "check",
                "",
                (("[data-form=amount] [name=amount]", "12.08"), "form[data-form=amount] .button"),
            ),
            Shot("checkout", "", ("form[data-form=pay] .button",)),
            Shot("result", "", ("main form.panel button[value=pay]",)),
            Shot("payments", "/money/payments/"),
            Shot("history", "/people/", ("a[data-history]",)),
        ),
    ),
    "tablet": Portal(
        "",
        (
            Shot("enrol", "", (tablet.unfold,)),
            Shot("number", "", (tablet.enrol, tablet.type_number)),
            Shot("pin", "", (tablet.type_pin,)),
            Shot("home", "", (tablet.come_in,)),
            Shot("shelves", "", ("[data-key=categories]",)),
            Shot("shelf", "", (".tile", tablet.choose)),
            Shot("item", "", (".look",)),
            Shot("basket", "", ("[data-key=basket]", tablet.uncover)),
            Shot("confirm", "", ("[data-key=check]",)),
            Shot("sent", "", (tablet.sent,)),
            Shot("orders", "", (".choices .button.second", "#screen .order")),
            Shot("money", "", ("[data-key=back]", "[data-key=money]", tablet.uncover)),
            Shot("help", "", ("[data-key=help]",)),
            Shot("status", "", (".choices .button",)),
            Shot("no-network", "", (tablet.cut_off,)),
        ),
    ),
    "guard": Portal(
        "guard",
        (
            Shot("start", "/start/"),
            Shot("relatives", "/desk/relatives/"),
            Shot("review", "", ("main td a",)),
            Shot("people", "/desk/people/"),
            Shot("person", "", ("main td a",)),
            Shot("admit", "/desk/people/admit/"),
            Shot("orders", "/desk/orders/"),
            Shot("order", "", ("main li a[href^='/desk/orders/']",)),
            Shot("approve", "", ("form[action$='/approve/'] .button",)),
            Shot("approved", "", ("main form .button",)),
            Shot("picking", "/desk/picking/"),
            Shot("pick", "", ("main .actions a[href$='/pick/']",)),
            Shot("picked", "", ("main form .button",)),
            Shot("hand-overs", "/desk/hand-overs/"),
            Shot("hand-over", "", ("main li a[href$='/hand-over/']",)),
            Shot("receipt", "", ("a[href$='/receipt/']",)),
            Shot("paper", "/desk/orders/paper/"),
            Shot("tablets", "/desk/tablets/"),
            Shot("add-tablet", "/desk/tablets/add/"),
        ),
    ),
    "finance": Portal(
        "finance",
        (
            Shot("start", "/start/"),
            Shot("today", "/office/money/"),
            Shot("waiting", "/office/money/waiting/"),
            Shot("deposit", "", ("main a[href^='/office/deposits/']",)),
            Shot("products", "/office/products/"),
            Shot("product", "", ("main td a",)),
        ),
    ),
    "auditor": Portal(
        "auditor",
        (
            Shot("start", "/start/"),
            Shot("books", "/office/books/"),
            Shot("trail", "/office/trail/"),
            Shot("found", "", (stage.search_the_trail,)),
            Shot("deposit", "", ("a[data-found][href^='/office/deposits/']",)),
            Shot("trail-person", "", ("main a[href^='/office/trail/people/']",)),
            Shot("trail-journal", "", ("main td a[href^='/office/trail/journals/']",)),
        ),
    ),
    "administrator": Portal(
        "administrator",
        (
            Shot("start", "/start/"),
            Shot("products", "/office/products/"),
            Shot("rooms", "/office/visits/rooms/"),
            Shot("close-room", "", ("main .rows a",)),
            Shot("hours", "/office/visits/hours/"),
            Shot("escorts", "/office/visits/escorts/"),
            Shot("figures", "/office/visits/figures/"),
        ),
    ),
    "board": Portal(
        "",
        (
            Shot("visits", "/board/"),
            Shot("today", "/board/donghe/"),
            Shot("tomorrow", "/board/donghe/?day=1"),
            Shot("register", "/lawyer/register/"),
        ),
    ),
    "lawyer": Portal(
        "lawyer",
        (
            Shot("start", "/start/"),
            Shot("papers", "/lawyer/papers/"),
            Shot("add-paper", "/lawyer/papers/add/"),
            Shot("add-client", "/lawyer/clients/add/"),
            Shot("clients", "/lawyer/clients/"),
            Shot("request", "", ("form[action$='/ask/'] .button",)),
            Shot("green", "", ("form[action$='/green/'] .button",)),
            Shot("check", "", (".slots .button",)),
            Shot("booked", "", ("main form .button",)),
            Shot("cancel", "", ("a[href$='/cancel/']",)),
            Shot("visits", "/lawyer/visits/"),
        ),
    ),
    "visit-desk": Portal(
        "guard",
        (
            Shot("today", "/desk/visits/"),
            Shot("forged", "", (("[name=text]", "no pass"), "form.scan .button")),
            Shot("sheet", "/desk/visits/sheet/"),
            Shot("lawyers", "/desk/lawyers/"),
            Shot("request", "", ("main td a[href*='/requests/']",)),
            Shot("cases", "/desk/lawyers/cases/"),
            Shot("restrict", "/desk/visits/restrict/"),
        ),
    ),
    "simulator": Portal("", (Shot("console", "/gateway/simulator/"),)),
}


def main(names: list[str]) -> int:
    unknown = set(names) - set(PORTALS)
    if unknown:
        sys.exit(
            f"There is no portal {', '.join(sorted(unknown))}; there are {', '.join(PORTALS)}."
        )
    failures: list[str] = []
    with _demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find_or_install(), args=chromium.ARGUMENTS
        )
        for name in names or PORTALS:
            folder = TARGET / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            failures += walk(browser, url, name, folder)
            print(f"{compose(name, folder)}", flush=True)
        browser.close()
    for failure in failures:
        print(f"FAILED {failure}")
    return 1 if failures else 0


@contextmanager
def _demo() -> Iterator[str]:
    """Start the demo in a folder of its own; yield its address once it serves."""
    folder = tempfile.mkdtemp(prefix="detention-shots-")
    os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "config.settings"}
    for name in ("DATABASE_URL", "PORT", "ONCE", "PUBLIC_URL"):
        os.environ.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "tools/run.py"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        url = ""
        for line in process.stdout:
            print(f"  {line.rstrip()}", flush=True)
            if found := re.search(r"^Open (\S+)/$", line):
                url = found[1]
            if line.startswith("Serving"):
                break
        if not url:
            sys.exit("The demo did not start.")
        import django

        django.setup()
        # Playwright runs an event loop in this thread; Django would take it for an async caller.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        yield url
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def walk(browser: Browser, url: str, name: str, folder: Path) -> list[str]:
    """Take every shot of a portal in every width and language; return what went wrong."""
    failures: list[str] = []
    portal = PORTALS[name]
    for language in LANGUAGES:
        for width in WIDTHS:
            page = _open(browser, url, width)
            try:
                _sign_in(page, portal.login)
                _speak(page, language)
            except BrowserError as error:
                failures.append(f"{name} as {portal.login}: {_first_line(error)}")
                continue
            for number, shot in enumerate(portal.shots):
                try:
                    take(page, shot)
                except BrowserError as error:
                    failures.append(f"{name} {shot.name} {width} {language}: {_first_line(error)}")
                    continue
                file = folder / f"{number:02d}-{shot.name}-{width}-{language}.png"
                page.screenshot(path=file, full_page=True)
            page.context.close()
    return failures


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0]


def _open(browser: Browser, url: str, width: int) -> Page:
    context = browser.new_context(
        base_url=url,
        viewport={"width": width, "height": 740 if width < 600 else 800},
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
    )
    context.set_default_timeout(5000)
    return context.new_page()


def take(page: Page, shot: Shot) -> None:
    """Bring the page to where the picture is taken."""
    if shot.path:
        page.goto(shot.path)
    for step in shot.steps:
        if isinstance(step, str):
            page.locator(step).first.click()
        elif isinstance(step, tuple):
            page.locator(step[0]).first.fill(step[1])
        else:
            step(page)
        page.wait_for_load_state()


def _sign_in(page: Page, who: str) -> None:
    page.goto("/")
    if who:
        others = {"relative": stage.relative, "lawyer": stage.lawyer}
        login, password = others[who]() if who in others else stage.officer(who)
        form = (("[name=login]", login), ("[name=password]", password), "main form button")
        take(page, Shot("signed-in", "/in/", form))


def _speak(page: Page, language: str) -> None:
    button = page.locator(f"header button[name=language][value={language}]")
    if button.count():
        button.click()


def compose(name: str, folder: Path) -> Path:
    """Lay all pictures of a portal on one sheet: a row a page, a column a width and language."""
    columns = [(width, language) for width in WIDTHS for language in LANGUAGES]
    rows: dict[str, dict[tuple[int, str], Image.Image]] = {}
    for file in sorted(folder.glob("*.png")):
        found = re.fullmatch(r"(\d+-.+)-(\d+)-(zh-hans|en)", file.stem)
        assert found is not None
        width = int(found[2])
        picture = Image.open(file).convert("RGB")
        picture = picture.crop((0, 0, picture.width, min(picture.height, CUT_OFF[width])))
        scale = COLUMN[width] / picture.width
        size = (COLUMN[width], max(1, round(picture.height * scale)))
        rows.setdefault(found[1], {})[width, found[3]] = picture.resize(size)
    columns_width = sum(COLUMN[width] + GAP for width, _ in columns)
    heights = {row: LABEL + GAP + max(p.height for p in rows[row].values()) for row in rows}
    places: dict[str, tuple[int, int]] = {}
    left = top = GAP
    for row, height in heights.items():
        if top > GAP and top + height > TALLEST:
            left, top = left + columns_width + GAP, GAP
        places[row] = (left, top)
        top += height
    size = (left + columns_width, max(top + heights[row] for row, (_, top) in places.items()))
    sheet = Image.new("RGB", size, "#d8d8d8")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for row, (left, top) in places.items():
        draw.text((left, top), f"{name}  {row}", fill="black", font=font)
        for column in columns:
            if column in rows[row]:
                sheet.paste(rows[row][column], (left, top + LABEL))
            left += COLUMN[column[0]] + GAP
    target = TARGET / f"{name}.png"
    sheet.save(target)
    return target


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
