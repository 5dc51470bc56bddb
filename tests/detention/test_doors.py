"""The people's doors: signing in, registering, being linked; shape, status and who."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from detention.models import LinkAttempt, Relationship, Relative, User
from tests.factories import PASSWORD, FacilityFactory, UserFactory
from tests.situations import (
    held_person,
    identity_number,
    officer,
    registered_relative,
    requested_link,
    verified_link,
)

pytestmark = pytest.mark.django_db

REGISTRATION = {
    "name": "王建国",
    "identity_number": identity_number(901),
    "login": "139 1234 5678",
    "password": PASSWORD,
}


@pytest.fixture
def client2():
    return Client()


def sign_in(client, login, password=PASSWORD, **more):
    return client.post(reverse("sign_in"), {"login": login, "password": password, **more})


def said(answer) -> list[str]:
    """Return the sentences in the summary box of a form page."""
    box = re.search(r'class="summary".*?</div>', answer.content.decode(), re.DOTALL)
    return re.findall(r"<li>(?:<a[^>]*>)?(.*?)(?:</a>)?</li>", box[0]) if box else []


def outline(answer) -> str:
    """Return a page without what differs from request to request: tokens and typed values."""
    return re.sub(r'(csrf[^>]*value|X-CSRFToken"|value)[=:] ?"[^"]*"', "", answer.content.decode())


@pytest.mark.parametrize(
    "typed", ["+8613912345678", "139 1234 5678", "139-1234-5678", "１３９１２３４５６７８"]
)
def test_a_phone_number_signs_in_however_it_is_typed(client, typed):
    registered_relative(login="13912345678")

    answer = sign_in(client, typed)

    assert (answer.status_code, answer.url) == (302, reverse("start"))


@pytest.mark.parametrize("typed", ["Guard-1", " guard-1 ", "ｇｕａｒｄ-１"])
def test_an_officers_name_signs_in_however_it_is_typed(client, typed):
    UserFactory(login="guard-1")

    answer = sign_in(client, typed)

    assert answer.status_code == 302


def test_a_wrong_password_and_an_unknown_login_get_the_same_page(client):
    UserFactory(login="guard-1")

    wrong = sign_in(client, "guard-1", "not the password")
    unknown = sign_in(client, "guard-2", "not the password")

    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert said(wrong) == said(unknown) == ["账号或密码不对。"]
    assert outline(wrong) == outline(unknown)
    assert "_auth_user_id" not in client.session


def test_the_typed_password_is_never_sent_back(client):
    answer = sign_in(client, "guard-1", "a very private sentence")

    assert "a very private sentence" not in answer.content.decode()


def test_too_many_wrong_passwords_lock_the_account_and_not_the_address(client):
    UserFactory(login="guard-1")
    UserFactory(login="guard-2")
    for _try in range(6):
        locked = sign_in(client, "guard-1", "not the password")

    right_but_locked = sign_in(client, "guard-1")
    neighbour = sign_in(client, "guard-2")

    assert (locked.status_code, right_but_locked.status_code) == (429, 429)
    assert "锁定 15 分钟" in right_but_locked.content.decode()
    assert neighbour.status_code == 302


def test_a_disabled_person_cannot_sign_in(client):
    UserFactory(login="guard-1", is_active=False)

    answer = sign_in(client, "guard-1")

    assert said(answer) == ["账号或密码不对。"]


@pytest.mark.parametrize(
    ("case", "wanted", "lands"),
    [
        ("own page", "/people/", "/people/"),
        ("another site", "https://example.org/", "/start/"),
        ("another site without scheme", "//example.org/", "/start/"),
        ("a script", "javascript:alert(1)", "/start/"),
        ("nothing", "", "/start/"),
    ],
)
def test_signing_in_leads_on_only_within_this_site(client, case, wanted, lands):
    UserFactory(login="guard-1")

    answer = sign_in(client, "guard-1", next=wanted)

    assert answer.url == lands


def test_signing_in_begins_a_new_session(client):
    client.cookies["sessionid"] = "chosen-by-somebody-else"
    UserFactory(login="guard-1")

    sign_in(client, "guard-1")

    assert client.cookies["sessionid"].value != "chosen-by-somebody-else"


def test_signing_out_ends_the_session_and_needs_a_post(client):
    client.force_login(UserFactory())

    asked = client.get(reverse("sign_out"))
    done = client.post(reverse("sign_out"))

    assert (asked.status_code, done.status_code) == (405, 302)
    assert "_auth_user_id" not in client.session


def test_the_language_a_person_chose_comes_back_on_another_browser(client, client2):
    client.force_login(UserFactory(login="guard-1"))
    client.post(reverse("set_language"), {"language": "en", "next": "/start/"})

    sign_in(client2, "guard-1")

    assert '<html lang="en"' in client2.get(reverse("start")).content.decode()


def test_the_language_chosen_on_the_sign_in_page_is_kept(client):
    person = UserFactory(login="guard-1", language="zh-hans")
    client.post(reverse("set_language"), {"language": "en", "next": "/in/"})

    sign_in(client, "guard-1")

    person.refresh_from_db()
    assert person.language == "en"
    assert '<html lang="en"' in client.get(reverse("start")).content.decode()


@pytest.mark.parametrize("language", ["de", "", "../en"])
def test_an_unknown_language_changes_nothing(client, language):
    person = UserFactory()
    client.force_login(person)

    client.post(reverse("set_language"), {"language": language, "next": "/start/"})

    person.refresh_from_db()
    assert person.language == "zh-hans"


def test_large_text_is_remembered_and_leads_back_only_within_this_site(client):
    answer = client.post(reverse("set_text_size"), {"size": "large", "next": "//example.org/"})

    page = client.get(reverse("help")).content.decode()
    assert answer.url == "/"
    assert 'class="large"' in page


def test_registering_opens_an_account_and_signs_in(client):
    answer = client.post(reverse("register"), REGISTRATION)

    relative = Relative.objects.get()
    assert (answer.status_code, answer.url) == (302, reverse("my_people"))
    assert (relative.name, relative.user.login) == ("王建国", "+8613912345678")
    assert client.session["_auth_user_id"] == str(relative.user.pk)
    assert REGISTRATION["identity_number"] not in str(Relative.objects.values().get())


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "请填写这一项。"),
        ("identity_number", "150202196101019010", "请核对身份证号码"),
        ("login", "not a number", "请填写手机号码"),
        ("password", "12345678", "这个密码太容易猜到"),
        ("name", "6222 0212 3456 7894", "这看起来像银行卡号"),
    ],
)
def test_registering_with_a_wrong_value_says_so_at_the_field_and_writes_nothing(
    client, field, value, sentence
):
    answer = client.post(reverse("register"), {**REGISTRATION, field: value})

    (only,) = said(answer)
    label = answer.context["form"].fields[field].label
    assert (answer.status_code, only.startswith(f"{label}：{sentence}")) == (422, True)
    assert (User.objects.count(), Relative.objects.count()) == (0, 0)


def test_a_taken_phone_and_a_taken_identity_get_the_same_answer(client):
    registered_relative(login="13912345678", number=identity_number(900))
    taken_phone = client.post(reverse("register"), REGISTRATION)
    registered_relative(login="13912345679", number=REGISTRATION["identity_number"])

    taken_identity = client.post(reverse("register"), {**REGISTRATION, "login": "13912345670"})

    assert said(taken_phone) == said(taken_identity) == ["这些资料已经注册过，请直接登录。"]
    assert Relative.objects.count() == 2


def ask(client, held, **changes):
    typed = {"number": held.number, "name": held.detainee.name, "kind": "parent"}
    return client.post(reverse("ask_link"), {**typed, **changes})


def test_a_request_waits_for_an_officer_and_shows_its_state(client):
    held = held_person()
    client.force_login(registered_relative().user)

    answer = ask(client, held, number=f" {held.number.lower()} ")

    link = Relationship.objects.get()
    assert answer.url == reverse("my_person", args=[link.public_id])
    assert "已收到您的申请" in client.get(answer.url).content.decode()


def test_every_mismatch_gets_the_same_page(client):
    held = held_person(name="王小明")
    client.force_login(registered_relative().user)

    wrong_number = ask(client, held, number="B999999")
    wrong_name = ask(client, held, name="王大明")

    assert said(wrong_number) == said(wrong_name) == ["没有找到编号和姓名都相符的人。"]
    assert outline(wrong_number) == outline(wrong_name)
    assert Relationship.objects.count() == 0


def test_the_sixth_wrong_try_is_a_page_that_says_when_to_come_back(client):
    held = held_person()
    client.force_login(registered_relative().user)
    for _try in range(5):
        ask(client, held, name="王大明")

    answer = ask(client, held)

    assert answer.status_code == 429
    assert "60 分钟后再试" in answer.content.decode()
    assert (LinkAttempt.objects.count(), Relationship.objects.count()) == (5, 0)


def test_another_relatives_request_is_not_found(client):
    link = requested_link(held_person())
    client.force_login(registered_relative().user)

    answer = client.get(reverse("my_person", args=[link.public_id]))

    assert answer.status_code == 404
    assert link.custody.detainee.name not in answer.content.decode()


def test_my_people_lists_only_my_own(client):
    mine = verified_link(held_person(name="张小红"))
    verified_link(held_person(name="李小兰"))
    client.force_login(mine.relative.user)

    page = client.get(reverse("my_people")).content.decode()

    assert ("张小红" in page, "李小兰" in page) == (True, False)
    assert reverse("send_money", args=[mine.public_id]) in page


def test_the_reason_of_a_refusal_is_shown_to_the_relative(client):
    link = requested_link(held_person())
    client.force_login(officer(link.custody.facility))
    client.post(reverse("desk_review", args=[link.public_id]), {"reason": "请带户口本来窗口。"})

    client.force_login(link.relative.user)
    page = client.get(reverse("my_person", args=[link.public_id])).content.decode()

    assert "请带户口本来窗口。" in page
    assert reverse("send_money", args=[link.public_id]) not in page


def test_an_officer_of_two_facilities_chooses_where_to_work(client):
    first, second = FacilityFactory(code="a"), FacilityFactory(code="b")
    guard = officer(first)
    guard.appointments.create(facility=second, role="guard", begins_at=guard.joined_at)
    client.force_login(guard)

    before = client.get(reverse("start")).context["facility"]
    client.post(reverse("choose_facility"), {"facility": "b"})
    after = client.get(reverse("start")).context["facility"]

    assert (before, after) == (first, second)


def test_nobody_chooses_a_facility_without_a_role_there(client):
    first, second = FacilityFactory(code="a"), FacilityFactory(code="b")
    client.force_login(officer(first))

    answer = client.post(reverse("choose_facility"), {"facility": second.code})

    assert answer.status_code == 404
    assert client.get(reverse("start")).context["facility"] == first
