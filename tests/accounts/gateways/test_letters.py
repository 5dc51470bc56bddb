"""How the merchant hears of things: letters, signed and carried by the worker."""

from __future__ import annotations

import datetime as dt
import http.server
import threading

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from accounts.gateways import gateway
from accounts.gateways.stub import letters, shopper
from accounts.gateways.stub.models import Delivery, Event
from tests.queue import queued, run_queued

pytestmark = pytest.mark.django_db

# Taken before each test's fixture replaces it.
carry_over_http = letters.carry


def pay(checkout, notice="now", **more):
    notice = shopper.Notice(notice)
    return shopper.pay(checkout.id, method="card", at=timezone.now(), notice=notice, **more)


def test_nothing_is_sent_from_inside_the_request(client, mailbox, open_checkout):
    checkout = open_checkout()

    client.post(checkout.url, {"act": "pay", "method": "card"})

    letter = Delivery.objects.get()
    assert mailbox.events == []
    assert queued() == [f"accounts.gateways.stub.letters.deliver({letter.pk})"]


def test_a_payment_is_told_once(mailbox, open_checkout):
    checkout = open_checkout()
    pay(checkout)

    run_queued()

    (event,) = mailbox.events
    assert event.type == "checkout.session.completed"
    assert (event.object_type, event.object_id) == ("checkout", checkout.id)
    assert event.live is False
    assert abs(event.created_at - timezone.now()) < dt.timedelta(seconds=5)
    assert Delivery.objects.get().state == "accepted"


def test_a_letter_that_was_accepted_is_not_sent_again(mailbox, open_checkout):
    pay(open_checkout())
    run_queued()

    letters.deliver(Delivery.objects.get().pk)

    assert len(mailbox.events) == 1


@pytest.mark.parametrize(
    ("notice", "copies"), [("twice", 2), ("ten", 10), ("never", 0)], ids=["twice", "ten", "never"]
)
def test_the_same_event_arrives_as_often_as_chosen(mailbox, open_checkout, notice, copies):
    pay(open_checkout(), notice)

    run_queued()

    assert [event.id for event in mailbox.events] == [Event.objects.get().id] * copies


@pytest.mark.parametrize("notice", ["wrong_signature", "old"])
def test_a_badly_signed_letter_is_refused_and_not_sent_again(mailbox, open_checkout, notice):
    pay(open_checkout(), notice)

    run_queued()

    letter = Delivery.objects.get()
    assert (mailbox.events, len(mailbox.refused)) == ([], 1)
    assert (letter.state, letter.attempts, letter.answer) == ("given_up", 1, "400 Bad Request")


def test_a_late_letter_is_invisible_to_the_worker_until_its_time(mailbox, open_checkout):
    before = timezone.now()

    pay(open_checkout(), "late", delay_s=8)

    wait = OrmQ.objects.get().lock - before
    assert dt.timedelta(seconds=8) <= wait < dt.timedelta(seconds=10)


def test_a_letter_out_of_order_waits_while_a_refund_is_told_at_once(mailbox, open_checkout):
    payment = pay(open_checkout(), "out_of_order")
    gateway().refund(payment_id=payment.id, amount=1, reference="r", idempotency_key="k")

    by_time = OrmQ.objects.order_by("lock").values_list("pk", flat=True)

    assert [event.type for event in Event.objects.order_by("deliveries__due_at")] == [
        "refund.created",
        "checkout.session.completed",
    ]
    assert list(by_time) == sorted(by_time, reverse=True)


def test_a_letter_is_sent_again_until_it_is_accepted(mailbox, open_checkout):
    mailbox.statuses = [500, 302, 404]
    pay(open_checkout())

    run_queued()

    letter = Delivery.objects.get()
    assert (letter.state, letter.attempts, len(mailbox.events)) == ("accepted", 4, 1)


def test_each_repetition_waits_longer(mailbox, open_checkout):
    mailbox.statuses = [500]
    pay(open_checkout())
    OrmQ.objects.all().delete()
    before = timezone.now()

    letters.deliver(Delivery.objects.get().pk)

    wait = OrmQ.objects.get().lock - before
    assert dt.timedelta(seconds=2) <= wait < dt.timedelta(seconds=4)


def test_a_letter_that_nobody_accepts_is_given_up(mailbox, open_checkout):
    mailbox.statuses = [500] * 100
    pay(open_checkout())

    run_queued()

    letter = Delivery.objects.get()
    assert (letter.state, letter.attempts) == ("given_up", 1 + len(letters.BACK_OFF_S))
    assert queued() == []


def test_an_expired_page_is_told(mailbox, open_checkout):
    checkout = open_checkout()
    shopper.expire(checkout.id, at=timezone.now())

    run_queued()

    assert [(event.type, event.object_id) for event in mailbox.events] == [
        ("checkout.session.expired", checkout.id)
    ]


def test_a_refund_and_its_failure_are_told(mailbox, open_checkout):
    payment = pay(open_checkout())
    refund = gateway().refund(payment_id=payment.id, amount=500, reference="r", idempotency_key="k")
    shopper.fail_refund(refund.id, at=timezone.now())
    shopper.fail_refund(refund.id, at=timezone.now())

    run_queued()

    assert [(event.type, event.object_type, event.object_id) for event in mailbox.events[1:]] == [
        ("refund.created", "refund", refund.id),
        ("refund.failed", "refund", refund.id),
    ]


def test_a_payment_that_is_rolled_back_is_never_told(mailbox, open_checkout):
    checkout = open_checkout()

    with transaction.atomic():
        pay(checkout)
        transaction.set_rollback(True)

    assert queued() == []
    assert Event.objects.count() == 0


def test_a_letter_travels_over_http_with_its_signature():
    arrived = {}

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            arrived["signature"] = self.headers["Stripe-Signature"]
            arrived["body"] = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.handle_request, daemon=True).start()

    answer = carry_over_http(f"http://127.0.0.1:{server.server_port}/", b'{"a":"\xe5"}', "t=1,v1=2")

    server.server_close()
    assert answer == (204, "204 No Content")
    assert arrived == {"signature": "t=1,v1=2", "body": b'{"a":"\xe5"}'}


def test_a_letter_to_a_closed_door_is_noted():
    answer = carry_over_http("http://127.0.0.1:9/", b"{}", "")

    assert answer == (0, "ConnectionError")
