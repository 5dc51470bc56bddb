import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from detention.errors import NotAllowed, WrongMove
from detention.models import AuditRecord
from tests import situations as people
from tests.factories import PASSWORD
from tests.queue import run_queued
from tests.visits import situations
from visits import credentials, files, tasks
from visits.models import Credential, Lawyer, Notice

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20 + b"IEND\xaeB`\x82"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.LAWYER_REGISTER = str(tmp_path / "register.csv")
    return tmp_path


def _register(media, *rows):
    with (media / "register.csv").open("w", newline="", encoding="utf-8") as file:
        columns = ["kind", "number", "licence_number", "name", "valid_until", "status"]
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _lawyer(**changes):
    details = {
        "login": "lawyer@example.org",
        "password": PASSWORD,
        "name": "李律师",
        "licence_number": "11502 2020 1000",
        "firm_name": "青城律师事务所",
        "firm_licence": "3115000",
        "at": timezone.now(),
    }
    return credentials.register(**{**details, **changes})


def _submit(lawyer, **changes):
    today = timezone.now().date()
    details = {
        "kind": Credential.Kind.PRACTISING,
        "number": "115022020100",
        "issuer": "内蒙古自治区司法厅",
        "valid_from": today - timedelta(days=10),
        "valid_until": today + timedelta(days=100),
        "paper": files.read(io.BytesIO(PDF)),
        "at": timezone.now(),
    }
    return credentials.submit(lawyer, **{**details, **changes})


def _entry(lawyer, credential, **changes):
    return {
        "kind": credential.kind,
        "number": credential.number,
        "licence_number": lawyer.licence_number,
        "name": lawyer.user.name,
        "valid_until": credential.valid_until.isoformat(),
        "status": "valid",
        **changes,
    }


def test_register_refuses_a_licence_that_has_an_account():
    _lawyer()

    with pytest.raises(credentials.LicenceTaken):
        _lawyer(login="other@example.org", licence_number="1150220201000")

    assert Lawyer.objects.count() == 1


@pytest.mark.parametrize(
    ("label", "content", "refusal"),
    [
        ("nothing", b"", files.FileMissing),
        ("a page that calls itself a PDF", b"<html>%PDF-</html>", files.FileTypeUnknown),
        ("a program with a PDF's name", b"MZ\x90\x00%%EOF", files.FileTypeUnknown),
        ("half a PDF", b"%PDF-1.7 and no end", files.FileTypeUnknown),
        ("half a PNG", PNG[:20], files.FileTypeUnknown),
        ("too large", PDF + b"\x00" * files.LIMIT, files.FileTooLarge),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(label, content, refusal):
    with pytest.raises(refusal):
        files.read(io.BytesIO(content))


def test_a_paper_is_stored_under_a_name_of_ours_with_its_hash(media):
    paper = files.read(io.BytesIO(PNG))

    credential = _submit(_lawyer(), paper=paper)

    assert files.path_of(credential.file_name).read_bytes() == PNG
    assert (credential.file_type, credential.file_sha256) == ("image/png", paper.sha256)
    assert credential.file_name.startswith("papers/")


def test_a_refused_paper_leaves_no_file_behind(media):
    lawyer = _lawyer()
    before = AuditRecord.objects.count()

    with pytest.raises(credentials.PaperOver):
        _submit(lawyer, valid_until=timezone.now().date() - timedelta(days=3))

    assert list((media / "files" / "papers").iterdir()) == []
    assert (Credential.objects.count(), AuditRecord.objects.count()) == (0, before)


def test_the_same_paper_twice_is_refused():
    lawyer = _lawyer()
    _submit(lawyer)

    with pytest.raises(credentials.PaperKnown):
        _submit(lawyer)

    assert Credential.objects.count() == 1


def test_a_paper_that_agrees_with_the_register_is_accepted_by_itself(media):
    lawyer = _lawyer()
    credential = _submit(lawyer)
    _register(media, _entry(lawyer, credential))

    run_queued()

    credential.refresh_from_db()
    assert (credential.state, credential.source) == ("accepted", "register")
    assert [notice.code for notice in Notice.objects.all()] == ["paper_accepted"]


@pytest.mark.parametrize(
    ("label", "changes", "reason"),
    [
        ("another name", {"name": "王"}, "register: name"),
        ("another licence", {"licence_number": "1"}, "register: licence_number"),
        ("ends earlier", {"valid_until": "2020-01-01"}, "register: valid_until"),
        ("revoked", {"status": "revoked"}, "register: status"),
    ],
)
def test_a_paper_that_differs_from_the_register_is_refused(media, label, changes, reason):
    lawyer = _lawyer()
    credential = _submit(lawyer)
    _register(media, _entry(lawyer, credential, **changes))

    run_queued()

    credential.refresh_from_db()
    assert (credential.state, credential.reason) == ("refused", reason)


def test_when_the_register_is_silent_an_officer_decides(media):
    facility = situations.visiting_facility(rooms=1, days=1)
    credential = _submit(_lawyer())
    run_queued()
    credential.refresh_from_db()
    guard = people.officer(facility)

    accepted = credentials.accept(credential, facility=facility, by=guard, at=timezone.now())

    assert credential.silent_at is not None
    assert (accepted.state, accepted.source, accepted.checked_by) == (
        "accepted",
        "officer",
        guard,
    )
    with pytest.raises(WrongMove):
        credentials.refuse(credential, reason="x", facility=facility, by=guard, at=timezone.now())


def test_a_paper_is_accepted_only_by_an_officer():
    facility = situations.visiting_facility(rooms=1, days=1)
    lawyer = _lawyer()
    credential = _submit(lawyer)

    with pytest.raises(NotAllowed):
        credentials.accept(credential, facility=facility, by=lawyer.user, at=timezone.now())

    credential.refresh_from_db()
    assert credential.state == "checking"


@pytest.mark.parametrize(
    ("label", "days", "warned"),
    [
        ("15 days left", 15, []),
        ("14 days left", 14, ["14"]),
        ("5 days left", 5, ["5"]),
        ("3 days left", 3, ["3"]),
        ("1 day left", 1, ["1"]),
        ("the last day", 0, ["0"]),
    ],
)
def test_a_paper_that_ends_soon_is_warned_of_once(label, days, warned):
    today = timezone.now().date()
    lawyer = situations.lawyer_with_papers(until=today + timedelta(days=days))

    for _ in range(2):
        credentials.warn_expiring(today=today, at=timezone.now())

    assert [notice.detail for notice in lawyer.notices.all()] == warned


def test_each_level_is_warned_of_as_time_passes():
    today = timezone.now().date()
    lawyer = situations.lawyer_with_papers(until=today + timedelta(days=20))

    for day in range(21):
        credentials.warn_expiring(today=today + timedelta(days=day), at=timezone.now())

    assert [notice.detail for notice in lawyer.notices.order_by("pk")] == ["14", "3", "1"]


def test_the_sweep_compares_what_a_lost_task_left(media):
    lawyer = _lawyer()
    credential = _submit(lawyer)
    _register(media, _entry(lawyer, credential))

    tasks.sweep_papers(at=timezone.now())

    credential.refresh_from_db()
    assert credential.state == "accepted"
