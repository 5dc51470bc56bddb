"""The system as it is started for people: pages, languages, sign-in, worker."""

from __future__ import annotations

import pytest
from django.utils import timezone
from django_q.tasks import async_task

from config import demo
from detention.models import Heartbeat
from tests.browser.looks import barriers, sideways

pytestmark = pytest.mark.browser


def test_the_home_page_speaks_chinese_first_and_english_one_click_away(page):
    page.goto("/")
    chinese = page.locator("html").get_attribute("lang")

    page.get_by_role("button", name="English").click()

    assert chinese == "zh-Hans"
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_the_home_page_fits_the_screen_and_has_no_barrier(open_page, width):
    page = open_page(width=width)

    page.goto("/")

    assert sideways(page) == 0
    assert barriers(page) == []


def test_an_officer_made_by_a_test_signs_in_on_the_running_site(site, page):
    guard = next(one for one in demo.build(at=timezone.now()) if one.role == "guard")

    page.goto("/in/")
    page.locator("[name=login]").fill(guard.login)
    page.locator("[name=password]").fill(guard.password)
    page.locator("main button").first.click()

    assert page.get_by_text(guard.name).first.is_visible()


def test_the_running_worker_does_what_a_test_queues(site):
    before = Heartbeat.objects.get(name="worker").at

    async_task("config.tasks.heartbeat")

    site.wait_for(lambda: Heartbeat.objects.get(name="worker").at > before)
