"""What every page keeps to: language, one heading, headers, nothing stored of a personal page."""

import re

import pytest
from django.urls import reverse

from tests.situations import held_person, officer, verified_link
from tests.surface.addresses import SAMPLE_UUID, addresses
from tests.surface.who import PUBLIC, SIGNED_IN, WHO
from tests.visits.situations import lawyer_with_papers

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitors(client):
    """Return for each role somebody who has something to see."""
    link = verified_link(held_person())
    facility = link.custody.facility
    officers = sorted(SIGNED_IN - {"relative", "lawyer"})
    people = {role: officer(facility, role) for role in officers}
    return {**people, "relative": link.relative.user, "lawyer": lawyer_with_papers().user}


def pages(client, visitors, language):
    """Yield every page that opens without an id, each seen by one who may."""
    for name, path in addresses().items():
        # The same page with the number filled in.
        if name == "verify_number" or name.startswith("api:") or SAMPLE_UUID in path:
            continue
        client.logout()
        if WHO[name] != PUBLIC:
            client.force_login(visitors[sorted(WHO[name])[0]])
        answer = client.get(path, headers={"Accept-Language": language})
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            yield name, answer.content.decode()


@pytest.mark.parametrize(("language", "lang"), [("zh-hans", "zh-Hans"), ("en", "en")])
def test_every_page_has_its_language_one_heading_and_a_title_of_its_own(
    client, visitors, language, lang
):
    wrong, titles = [], {}

    for name, page in pages(client, visitors, language):
        title = re.search(r"<title>(.*?)</title>", page, re.DOTALL)[1]
        titles.setdefault(title, []).append(name)
        # The tablet carries both languages and switches by itself, also without a network.
        if f'<html lang="{lang}"' not in page and name != "tablet":
            wrong.append((name, "language"))
        if len(re.findall(r"<h1\b", page)) != 1:
            wrong.append((name, "headings"))
        if re.search(r">\s*None\s*<|\d{4}-\d\d-\d\dT|\d\d:\d\d:\d\d\+", page):
            wrong.append((name, "raw value"))

    assert wrong == []
    assert {name: names for name, names in titles.items() if len(names) > 1} == {}


def test_every_page_carries_the_protecting_headers(client):
    answer = client.get(reverse("home"))

    sent = answer["Content-Security-Policy"]
    policy = dict(part.strip().split(" ", 1) for part in sent.split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in sent
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


def test_a_personal_page_is_stored_nowhere(client, visitors):
    client.force_login(visitors["relative"])

    answer = client.get(reverse("my_people"))

    assert answer["Cache-Control"] == "no-store"


def test_the_practice_bar_is_on_every_page_while_money_is_simulated(client, settings):
    settings.GATEWAY = "stub"
    with_bar = client.get(reverse("help")).content.decode()
    settings.GATEWAY = "stripe"
    without_bar = client.get(reverse("help")).content.decode()

    assert ("演示系统" in with_bar, "演示系统" in without_bar) == (True, False)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing-here/", 404), ("/api/nothing-here", 404), ("/desk/tablets/", 302)],
)
def test_a_wrong_address_answers_plainly(client, path, status):
    assert client.get(path).status_code == status


def test_the_page_for_a_broken_request_needs_no_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/", headers={"Host": "bad host"})

    assert answer.status_code == 400
    assert "无法识别这个请求" in answer.content.decode()
