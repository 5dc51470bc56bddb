from datetime import timedelta

import pytest
from django.utils import timezone

from config.middleware import keep_record
from detention import relatives
from detention.errors import NotAllowed, WrongMove
from detention.models import AuditRecord, LinkAttempt, Relationship, Relative, Role, User
from tests import situations

pytestmark = pytest.mark.django_db


def _refused(refusal, act):
    with pytest.raises(refusal) as caught:
        act()
    keep_record(caught.value)
    return caught.value


def test_register_keeps_no_identity_number():
    relative = situations.registered_relative(number=situations.identity_number(7))

    assert relative.identity_masked == "150***********" + situations.identity_number(7)[-4:]
    assert situations.identity_number(7) not in str(vars(relative))


@pytest.mark.parametrize(
    ("label", "changes", "refusal"),
    [
        ("checksum", {"number": "150202199001010010"}, "BadIdentityNumber"),
        ("phone", {"login": "12345"}, "BadLogin"),
        ("password", {"password": "12345678"}, "WeakPassword"),
    ],
)
def test_register_refuses_bad_input_and_writes_nothing(label, changes, refusal):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        situations.registered_relative(**changes)

    assert type(caught.value).__name__ == refusal
    assert (User.objects.count(), Relative.objects.count()) == (0, 0)


def test_register_gives_one_answer_for_a_taken_login_and_a_taken_identity():
    first = situations.registered_relative(number=situations.identity_number(7))

    by_login = _refused(
        relatives.LoginTaken, lambda: situations.registered_relative(login=first.user.login)
    )
    by_identity = _refused(
        relatives.LoginTaken,
        lambda: situations.registered_relative(number=situations.identity_number(7)),
    )

    assert by_login.text() == by_identity.text()
    assert Relative.objects.count() == 1


def test_register_accepts_full_width_digits_and_spaces():
    number = situations.identity_number(7)
    typed = " " + "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in number)

    relative = situations.registered_relative(login="１３９ 1234 5678", number=typed)

    assert relative.user.login == "+8613912345678"
    assert relative.identity_masked.endswith(number[-4:])


def test_ask_link_gives_one_message_for_every_mismatch_and_counts_it():
    held = situations.held_person(name="王小明")
    relative = situations.registered_relative()

    def ask(number, name):
        return relatives.ask_link(
            relative,
            number=number,
            name=name,
            kind=Relationship.Kind.PARENT,
            at=timezone.now(),
        )

    texts = {
        _refused(relatives.NoSuchPerson, lambda n=number, m=name: ask(n, m)).text()
        for number, name in [(held.number, "李四"), ("X1", "王小明"), ("X1", "李四")]
    }

    assert len(texts) == 1
    assert LinkAttempt.objects.count() == 3
    assert Relationship.objects.count() == 0


def test_ask_link_is_closed_for_an_hour_after_five_wrong_tries():
    held = situations.held_person()
    relative = situations.registered_relative()
    now = timezone.now()

    def ask(name, at):
        return relatives.ask_link(
            relative, number=held.number, name=name, kind=Relationship.Kind.PARENT, at=at
        )

    for _ in range(5):
        _refused(relatives.NoSuchPerson, lambda: ask("李四", now))
    refusal = _refused(relatives.TooManyTries, lambda: ask("王小明", now + timedelta(minutes=59)))

    assert refusal.facts == {"minutes": 2}
    assert ask("王小明", now + timedelta(minutes=61)).state == "requested"


def test_verify_is_refused_to_an_officer_of_another_facility():
    link = situations.requested_link(situations.held_person())
    stranger = situations.officer(situations.held_person().facility)
    before = AuditRecord.objects.count()

    _refused(NotAllowed, lambda: relatives.verify(link, by=stranger, at=timezone.now()))

    link.refresh_from_db()
    assert (link.state, AuditRecord.objects.count()) == ("requested", before)


def test_refuse_needs_a_reason():
    link = situations.requested_link(situations.held_person())
    guard = situations.officer(link.custody.facility)

    _refused(
        relatives.ReasonMissing,
        lambda: relatives.refuse(link, reason="  ", by=guard, at=timezone.now()),
    )

    link.refresh_from_db()
    assert link.state == "requested"


def test_verify_twice_is_refused_the_second_time():
    link = situations.verified_link()
    administrator = situations.officer(link.custody.facility, Role.ADMINISTRATOR)

    _refused(
        WrongMove,
        lambda: relatives.verify(link, by=administrator, at=timezone.now()),
    )

    link.refresh_from_db()
    assert link.decided_by_id != administrator.pk
