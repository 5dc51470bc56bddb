"""The doors: lawyers' portal, desk, office, board, JSON."""

import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from detention import tokens
from detention.models import Role
from tests import situations as people
from tests.factories import PASSWORD
from tests.queue import run_queued
from tests.visits import situations
from tests.visits.test_credentials import PDF
from visits import bookings, passes, timetable
from visits.models import Booking, Credential, Lawyer, Mandate, Request, Room

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.LAWYER_REGISTER = str(tmp_path / "register.csv")


@pytest.fixture
def facility():
    return situations.visiting_facility(rooms=1)


def _post(client, name, /, *args, **data):
    return client.post(reverse(name, args=args), data)


def test_a_lawyer_comes_from_registration_to_a_booked_visit(client, facility):
    held = people.held_person(facility)
    _post(
        client,
        "lawyer_register",
        name="李律师",
        licence_number="11502202010123456",
        firm_name="青城律师事务所",
        firm_licence="31150000",
        login="lawyer@example.org",
        password=PASSWORD,
    )
    lawyer = Lawyer.objects.get()
    today = timezone.localdate()
    for kind in ("practising", "firm_letter", "power"):
        _post(
            client,
            "add_paper",
            kind=kind,
            number=f"{kind}-1",
            issuer="司法局",
            valid_from=today,
            valid_until=today + timedelta(days=90),
            file=SimpleUploadedFile("a.pdf", PDF),
        )
    run_queued()
    guard = people.officer(facility)
    client.logout()
    client.force_login(guard)
    for paper in Credential.objects.all():
        _post(client, "desk_paper", paper.public_id, answer="accept")
    client.force_login(lawyer.user)
    _post(
        client,
        "add_client",
        number=held.number,
        name=held.detainee.name,
        firm_letter=Credential.objects.get(kind="firm_letter").pk,
        authority=Credential.objects.get(kind="power").pk,
    )
    run_queued()
    mandate = Mandate.objects.get()
    to_request = _post(client, "ask_visit", mandate.public_id, key=uuid4())
    slot = situations.slots_of(facility)[0]

    to_check = client.post(to_request.url, {"slot": slot.pk, "key": uuid4()})
    booked = client.post(to_check.url)
    page = client.get(booked.url)

    booking = Booking.objects.get()
    assert (booking.state, booking.slot) == ("booked", slot)
    assert booking.reference in page.content.decode()
    assert "<svg" in page.content.decode()
    assert page["Cache-Control"] == "no-store"


def test_a_file_that_is_not_what_it_says_is_refused_on_the_form(client, facility):
    client.force_login(situations.lawyer_with_papers().user)
    before = Credential.objects.count()

    answer = _post(
        client,
        "add_paper",
        kind="power",
        number="1",
        issuer="x",
        valid_from=timezone.localdate(),
        valid_until=timezone.localdate(),
        file=SimpleUploadedFile("paper.pdf", b"<script>", content_type="application/pdf"),
    )

    assert answer.status_code == 422
    assert "不是完整的" in answer.content.decode()
    assert Credential.objects.count() == before


def test_a_paper_is_served_as_a_download_to_its_owner_only(client, facility, settings):
    one, other = (situations.lawyer_with_papers() for _ in range(2))
    paper = one.credentials.get()
    folder = settings.MEDIA_ROOT
    folder.mkdir(parents=True)
    (folder / "x").write_bytes(PDF)

    client.force_login(one.user)
    own = client.get(reverse("paper_file", args=[paper.public_id]))
    client.force_login(other.user)
    foreign = client.get(reverse("paper_file", args=[paper.public_id]))

    assert own["Content-Disposition"].startswith("attachment")
    assert b"".join(own.streaming_content) == PDF
    assert foreign.status_code == 404


@pytest.mark.parametrize(
    "name", ["lawyer_visit", "lawyer_check", "visit_calendar", "cancel_visit", "rate_visit"]
)
def test_another_lawyers_visit_answers_like_one_that_does_not_exist(client, facility, name):
    booking = situations.booked_visit(situations.slots_of(facility)[0])
    client.force_login(situations.lawyer_with_papers().user)

    answers = [
        client.post(reverse(name, args=[public_id])) for public_id in (booking.public_id, uuid4())
    ]

    assert [answer.status_code for answer in answers] in ([404, 404], [405, 405])
    booking.refresh_from_db()
    assert booking.state == "booked"


@pytest.mark.parametrize("name", ["lawyer_request", "wait_for_visit", "withdraw_wish", "use_green"])
def test_another_lawyers_request_answers_like_one_that_does_not_exist(client, facility, name):
    asked = situations.ready_request(facility)
    client.force_login(situations.lawyer_with_papers().user)

    answers = [
        client.post(reverse(name, args=[public_id])) for public_id in (asked.public_id, uuid4())
    ]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_a_full_slot_offers_the_nearest_three(client, facility):
    slots = situations.slots_of(facility)
    situations.booked_visit(slots[4])
    asked = situations.ready_request(facility)
    client.force_login(asked.lawyer.user)

    answer = _post(client, "lawyer_request", asked.public_id, slot=slots[4].pk, key=uuid4())

    assert answer.status_code == 422
    assert answer.context["nearest"] == [slots[2], slots[3], slots[5]]


def test_a_slot_of_another_facility_posted_by_hand_is_not_found(client, facility):
    foreign = situations.slots_of(situations.visiting_facility(rooms=1))[0]
    asked = situations.ready_request(facility)
    client.force_login(asked.lawyer.user)

    answer = _post(client, "lawyer_request", asked.public_id, slot=foreign.pk, key=uuid4())

    assert answer.status_code == 404
    assert Booking.objects.count() == 0


def test_a_closed_room_leaves_no_time_to_post_by_hand(client, facility):
    slot = situations.slots_of(facility)[0]
    timetable.close_room(
        Room.objects.get(facility=facility),
        begins_at=slot.begins_at,
        ends_at=slot.ends_at,
        reason="x",
        by=people.officer(facility, Role.ADMINISTRATOR),
        at=timezone.now(),
    )
    asked = situations.ready_request(facility)
    client.force_login(asked.lawyer.user)

    answer = _post(client, "lawyer_request", asked.public_id, slot=slot.pk, key=uuid4())

    assert answer.status_code == 422
    assert Booking.objects.count() == 0


def test_a_double_click_makes_one_reservation(client, facility):
    asked = situations.ready_request(facility)
    client.force_login(asked.lawyer.user)
    sent = {"slot": situations.slots_of(facility)[0].pk, "key": uuid4()}

    answers = [client.post(reverse("lawyer_request", args=[asked.public_id]), sent) for _ in "ab"]

    assert answers[0].url == answers[1].url
    assert Booking.objects.count() == 1


def test_the_calendar_file_is_valid_and_names_nobody(client, facility):
    slot = situations.slots_of(facility)[0]
    booking = situations.booked_visit(slot)
    client.force_login(booking.request.lawyer.user)

    answer = client.get(reverse("visit_calendar", args=[booking.public_id]))

    [event] = Calendar.from_ical(answer.content).walk("VEVENT")
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (slot.begins_at, slot.ends_at)
    assert booking.request.custody.detainee.name not in answer.content.decode()


def test_the_request_page_shows_the_latest_lawful_time_and_stores_the_offer(client, facility):
    asked = situations.ready_request(facility)
    client.force_login(asked.lawyer.user)

    page = client.get(reverse("lawyer_request", args=[asked.public_id])).content.decode()

    assert timezone.localtime(asked.due_at).strftime("%Y-%m-%d") in page
    assert len(asked.offers.get().places) == page.count('name="slot"')


def test_a_scan_at_the_desk_answers_in_words(client, facility):
    booking = situations.booked_visit(situations.slots_of(facility)[0])
    client.force_login(people.officer(facility))

    wrong_day = _post(client, "scan_pass", text=passes.token(booking)).content.decode()
    forged = _post(client, "scan_pass", text="nonsense").content.decode()

    assert "不是今天的预约" in wrong_day
    assert "不是本系统的通行码" in forged


def test_the_desk_never_reaches_another_facilitys_visit(client, facility):
    booking = situations.booked_visit(situations.slots_of(facility)[0])
    client.force_login(people.officer(situations.visiting_facility(rooms=1, days=1)))

    seen = client.get(reverse("desk_visit", args=[booking.public_id]))
    done = _post(client, "act_on_visit", booking.public_id, "enter")

    assert (seen.status_code, done.status_code) == (404, 404)


def test_the_desk_sees_no_papers_of_lawyers_with_clients_elsewhere_only(client, facility):
    paper = situations.live_mandate(facility).authority
    Credential.objects.filter(pk=paper.pk).update(
        state="checking", checked_at=None, source="", silent_at=timezone.now()
    )
    addresses = [reverse(name, args=[paper.public_id]) for name in ("desk_paper", "desk_file")]
    elsewhere = situations.visiting_facility(rooms=1, days=1)

    client.force_login(people.officer(facility))
    own = client.get(reverse("desk_lawyers")).content.decode()
    client.force_login(people.officer(elsewhere))
    other = client.get(reverse("desk_lawyers")).content.decode()

    assert (paper.number in own, paper.number in other) == (True, False)
    assert [client.get(address).status_code for address in addresses] == [404, 404]
    assert client.post(addresses[0], {"answer": "accept"}).status_code == 404
    paper.refresh_from_db()
    assert paper.state == "checking"


def test_an_unknown_act_is_not_found(client, facility):
    booking = situations.booked_visit(situations.slots_of(facility)[0])
    client.force_login(people.officer(facility))

    answer = _post(client, "act_on_visit", booking.public_id, "explode")

    assert answer.status_code == 404


def test_every_desk_and_office_page_opens(client, facility):
    booking = situations.booked_visit(situations.slots_of(facility)[0])
    guard = people.officer(facility)
    client.force_login(guard)
    pages = [reverse(n) for n in ("visits_today", "visit_sheet", "desk_lawyers", "desk_cases")]
    pages += [
        reverse("desk_visit", args=[booking.public_id]),
        reverse("desk_request", args=[booking.request.public_id]),
        reverse("desk_mandate", args=[booking.request.mandate.public_id]),
        reverse("desk_paper", args=[booking.request.mandate.authority.public_id]),
    ]
    statuses = [client.get(page).status_code for page in pages]
    client.force_login(people.officer(facility, Role.ADMINISTRATOR))
    room = Room.objects.get(facility=facility)
    names = ("visit_rooms", "visit_hours", "visit_escorts", "visit_figures", "visit_figures_csv")
    pages = [reverse(name) for name in names] + [reverse("close_room", args=[room.pk])]
    statuses += [client.get(page).status_code for page in pages]

    assert statuses == [200] * 14


def test_an_administrator_publishes_hours_from_the_page(client):
    facility = situations.visiting_facility(rooms=1, days=1)
    client.force_login(people.officer(facility, Role.ADMINISTRATOR))
    lines = "\n".join(f"{b:%H:%M}-{e:%H:%M}" for b, e in situations.TIMES)

    nine = _post(
        client,
        "visit_hours",
        day_kind="weekday",
        effective_on="2090-01-01",
        times=lines.rsplit("\n", 1)[0],
    )
    ten = _post(client, "visit_hours", day_kind="weekday", effective_on="2090-01-01", times=lines)

    assert (nine.status_code, ten.status_code) == (422, 302)
    assert facility.timetables.filter(effective_on="2090-01-01").count() == 1


def test_the_board_shows_words_and_never_a_name(client, facility):
    booking = situations.booked_visit(situations.slots_of(facility)[0])
    held = bookings.reserve(
        situations.ready_request(facility),
        wish=situations.slots_of(facility)[1:2],
        key=uuid4(),
        by=None,
        at=timezone.now(),
    )

    page = client.get(reverse("board", args=[facility.code]), {"day": 1}).content.decode()
    data = client.get(reverse("board_data", args=[facility.code]), {"day": 1})

    states = [row["cells"][0]["state"] for row in json.loads(data.content)["rows"]]
    assert states == ["taken", "held"] + ["free"] * 8
    assert "占用" in page
    for secret in (
        booking.request.custody.detainee.name,
        booking.request.custody.number,
        booking.request.lawyer.user.name,
        booking.reference,
        held.reference,
    ):
        assert secret not in page + data.content.decode()


def test_the_boards_data_is_sent_again_only_when_it_changed(client, facility):
    address = reverse("board_data", args=[facility.code]) + "?day=1"
    first = client.get(address)

    same = client.get(address, headers={"If-None-Match": first["ETag"]})
    situations.booked_visit(situations.slots_of(facility)[0])
    changed = client.get(address, headers={"If-None-Match": first["ETag"]})

    assert (same.status_code, changed.status_code) == (304, 200)


def _token(facility, role):
    boss = people.officer(facility, Role.ADMINISTRATOR)
    _row, token = tokens.issue(
        people.officer(facility, role),
        facility,
        name="gate",
        expires_at=timezone.now() + timedelta(days=1),
        by=boss,
        at=timezone.now(),
    )
    return {"Authorization": f"Bearer {token}"}


def test_a_program_scans_a_pass_and_reads_the_day(client, facility):
    slot = situations.slots_of(facility)[0]
    booking = situations.booked_visit(slot)
    headers = _token(facility, Role.GUARD)

    scanned = client.post(
        reverse("api:visits_scan"),
        {"text": passes.token(booking)},
        content_type="application/json",
        headers=headers,
    )
    day = client.get(reverse("api:visits_bookings"), {"on": slot.on}, headers=headers)

    assert (scanned.status_code, scanned.json()["answer"]) == (200, "wrong_day")
    assert [row["reference"] for row in day.json()] == [booking.reference]


def test_a_program_without_the_role_is_refused(client, facility):
    answer = client.post(
        reverse("api:visits_scan"),
        {"text": "x"},
        content_type="application/json",
        headers=_token(facility, Role.AUDITOR),
    )

    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")


def test_a_walk_in_gets_a_ticket_at_the_desk(client, facility):
    mandate = situations.live_mandate(facility)
    client.force_login(people.officer(facility))

    _post(
        client,
        "take_ticket",
        licence_number=mandate.lawyer.licence_number,
        number=mandate.custody.number,
    )

    assert Request.objects.get().channel == "walk_in"


def test_a_bounded_upload_is_not_read_to_its_end(client, facility):
    client.force_login(situations.lawyer_with_papers().user)
    large = io.BytesIO(PDF + b"\x00" * (6 * 1024 * 1024))
    large.name = "large.pdf"

    answer = _post(
        client,
        "add_paper",
        kind="power",
        number="1",
        issuer="x",
        valid_from=timezone.localdate(),
        valid_until=timezone.localdate(),
        file=large,
    )

    assert answer.status_code == 422
