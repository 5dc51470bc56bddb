"""From a lawyer's request to the end of the visit. Nothing about its content is stored."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from detention.lifecycle import Moves
from detention.models import Custody, Facility, User
from visits.models.people import Lawyer, Mandate
from visits.models.places import Room, Slot


class Request(models.Model):
    """One wish to meet one client, and its 48 hours. Lives on when a booking for it ends.

    Made by the lawyer or at the desk. `clock_at` is when all papers were there.
    """

    class State(models.TextChoices):
        CHECKING = "checking", _("papers being checked")
        NEEDS_PERMISSION = "needs_permission", _("waiting for permission")
        READY = "ready", _("choose a time")
        WAITING = "waiting", _("on the waiting list")
        BOOKED = "booked", _("booked")
        MET = "met", _("met")
        MISSED = "missed", _("missed")
        WITHDRAWN = "withdrawn", _("withdrawn")
        ENDED = "ended", _("no longer possible")

    class Channel(models.TextChoices):
        WEB = "web", _("online")
        COUNTER = "counter", _("at the counter")
        WALK_IN = "walk_in", _("walk-in")

    moves: ClassVar[Moves] = {
        State.CHECKING: {State.READY, State.NEEDS_PERMISSION, State.WITHDRAWN, State.ENDED},
        State.NEEDS_PERMISSION: {State.READY, State.CHECKING, State.WITHDRAWN, State.ENDED},
        State.READY: {
            State.BOOKED,
            State.WAITING,
            State.CHECKING,
            State.NEEDS_PERMISSION,
            State.WITHDRAWN,
            State.ENDED,
        },
        State.WAITING: {
            State.BOOKED,
            State.READY,
            State.CHECKING,
            State.NEEDS_PERMISSION,
            State.WITHDRAWN,
            State.ENDED,
        },
        State.BOOKED: {
            State.READY,
            State.WAITING,
            State.CHECKING,
            State.NEEDS_PERMISSION,
            State.MET,
            State.MISSED,
            State.WITHDRAWN,
            State.ENDED,
        },
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.UUIDField()  # idempotency: the same form sent twice
    mandate = models.ForeignKey(Mandate, models.PROTECT, related_name="requests")
    lawyer = models.ForeignKey(Lawyer, models.PROTECT, related_name="requests")
    custody = models.ForeignKey(Custody, models.PROTECT, related_name="visit_requests")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="visit_requests")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.WEB)
    state = models.CharField(max_length=16, choices=State, default=State.CHECKING)
    received_at = models.DateTimeField()
    clock_at = models.DateTimeField()
    due_at = models.DateTimeField()
    met_at = models.DateTimeField(null=True, blank=True)
    waiting_at = models.DateTimeField(null=True, blank=True)  # since when on the waiting list
    waiting_until = models.DateField(null=True, blank=True)  # the last day that suits
    # The lawyer's written consent to an interrogation room with its gear confirmed off.
    consented_at = models.DateTimeField(null=True, blank=True)
    is_green = models.BooleanField(default=False)  # a GreenGrant row says why
    # One more chance after being displaced: never a second time, and first in the queue.
    was_displaced = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["facility", "waiting_at"],
                condition=Q(state="waiting"),
                name="request_waiting",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(met_at=None, state__in=["checking", "ready", "waiting", "booked"]),
                name="request_clock_running",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["lawyer", "key"], name="visit_request_key_once"),
            # The same lawyer and client have one open wish; a second submit shows the first.
            models.UniqueConstraint(
                fields=["lawyer", "custody"],
                condition=Q(
                    state__in=["checking", "needs_permission", "ready", "waiting", "booked"]
                ),
                name="visit_request_open_once",
            ),
            models.CheckConstraint(
                condition=Q(clock_at__lt=F("due_at")), name="visit_request_due_after_clock"
            ),
            models.CheckConstraint(
                condition=Q(state="met", met_at__isnull=False) | (~Q(state="met") & Q(met_at=None)),
                name="visit_request_met_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(waiting_at__isnull=False),
                name="visit_request_waits_since",
            ),
        ]

    def __str__(self) -> str:
        return f"{str(self.public_id)[:8]} {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_REQUEST


OPEN_REQUEST = (
    Request.State.CHECKING,
    Request.State.NEEDS_PERMISSION,
    Request.State.READY,
    Request.State.WAITING,
    Request.State.BOOKED,
)


class ClockPause(models.Model):
    """Why the 48 hours stood still for a time; the due time moves only by such a row."""

    class Reason(models.TextChoices):
        PAPERS = "papers", _("papers wrong or expired")
        PERMISSION = "permission", _("permission pending")
        LATER = "later", _("the lawyer chose a later time than was offered")
        RESTRICTION = "restriction", _("visits restricted by an order")

    request = models.ForeignKey(Request, models.PROTECT, related_name="pauses")
    reason = models.CharField(max_length=12, choices=Reason)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(ends_at=None), name="clock_pause_open_once"
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=F("begins_at")),
                name="clock_pause_ends_after_begin",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.reason}"


class Offer(models.Model):
    """What was free for a request at one moment: the evidence that the duty was met."""

    request = models.ForeignKey(Request, models.PROTECT, related_name="offers")
    made_at = models.DateTimeField()
    # [[slot id, begins_at in ISO 8601, free rooms], …], earliest first.
    places = models.JSONField(default=list)
    within_due = models.PositiveSmallIntegerField()  # how many of them before the due time

    def __str__(self) -> str:
        return f"{self.request_id} {self.made_at:%F %T}: {self.within_due}"


class Booking(models.Model):
    """One place taken for one request: reserved while a form is filled in, then booked.

    Its room, detainee, lawyer and escort are taken by its claims, and by nothing else.
    """

    class State(models.TextChoices):
        RESERVED = "reserved", _("held for you")
        BOOKED = "booked", _("booked")
        CHECKED_IN = "checked_in", _("arrived")
        IN_ROOM = "in_room", _("in the room")
        COMPLETED = "completed", _("completed")
        EXPIRED = "expired", _("not confirmed in time")
        CANCELLED = "cancelled", _("cancelled")
        MOVED = "moved", _("moved")
        NO_SHOW = "no_show", _("did not come")
        REFUSED = "refused", _("refused by the client")
        TERMINATED = "terminated", _("stopped by the centre")

    class Reason(models.TextChoices):
        LAWYER = "lawyer", _("cancelled by the lawyer")
        CLIENT_GONE = "client_gone", _("the person is no longer held here")
        ROOM = "room", _("the room is closed")
        ESCORT = "escort", _("no escort available")
        PAPERS = "papers", _("papers no longer valid")
        PERMISSION = "permission", _("permission is needed")
        RESTRICTION = "restriction", _("visits are restricted by an order")
        DISPLACED = "displaced", _("given to an urgent visit by rule")
        MOVED = "moved", _("moved to another time")

    moves: ClassVar[Moves] = {
        State.RESERVED: {State.BOOKED, State.EXPIRED, State.CANCELLED, State.MOVED},
        State.BOOKED: {State.CHECKED_IN, State.NO_SHOW, State.CANCELLED, State.MOVED},
        State.CHECKED_IN: {State.IN_ROOM, State.REFUSED, State.CANCELLED, State.MOVED},
        State.IN_ROOM: {State.COMPLETED, State.TERMINATED},
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reference = models.CharField(max_length=10)  # for people to say and type
    key = models.UUIDField()
    request = models.ForeignKey(Request, models.PROTECT, related_name="bookings")
    slot = models.ForeignKey(Slot, models.PROTECT, related_name="bookings")
    room = models.ForeignKey(Room, models.PROTECT, related_name="bookings")
    escort = models.ForeignKey(User, models.PROTECT, related_name="escorted")
    state = models.CharField(max_length=10, choices=State)
    reason = models.CharField(max_length=12, choices=Reason, blank=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)  # of a reservation
    booked_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    entered_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    is_green = models.BooleanField(default=False)
    is_borrowed = models.BooleanField(default=False)
    gear_off_at = models.DateTimeField(null=True, blank=True)
    gear_off_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    # Reference chain: what this booking replaced.
    replaces = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["slot", "state"], name="booking_slot_state")]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="booking_reference_unique"),
            models.UniqueConstraint(fields=["request", "key"], name="booking_key_once"),
            models.UniqueConstraint(
                fields=["request"], condition=Q(state="reserved"), name="booking_reserved_unique"
            ),
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(state__in=["booked", "checked_in", "in_room"]),
                name="booking_current_unique",
            ),
            models.CheckConstraint(
                condition=~Q(state="reserved") | Q(expires_at__isnull=False),
                name="booking_reserved_until",
            ),
            # A borrowed interrogation room is entered only with its gear confirmed off.
            models.CheckConstraint(
                condition=Q(is_borrowed=False)
                | Q(entered_at=None)
                | Q(gear_off_at__isnull=False, gear_off_by__isnull=False),
                name="booking_gear_off_before_entry",
            ),
            models.CheckConstraint(
                condition=~Q(state="in_room") | Q(entered_at__isnull=False),
                name="booking_in_room_entered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.state}"

    @property
    def is_ahead(self) -> bool:
        """Tell whether the visit is still to come and can be cancelled or moved."""
        return self.state == self.State.BOOKED


HOLDING = (
    Booking.State.RESERVED,
    Booking.State.BOOKED,
    Booking.State.CHECKED_IN,
    Booking.State.IN_ROOM,
)


class Claim(models.Model):
    """One resource taken in one slot. The only truth about what is free.

    A reservation's claims have an end; a claim without booking is another use of the resource
    (an interrogation, a court day). Rows are ended, not deleted.
    """

    class Kind(models.TextChoices):
        ROOM = "room", _("room")
        ESCORT = "escort", _("escort")
        LAWYER = "lawyer", _("lawyer")
        DETAINEE = "detainee", _("detainee")

    kind = models.CharField(max_length=8, choices=Kind)
    resource = models.BigIntegerField()  # id of the room, user, lawyer or detainee
    slot = models.ForeignKey(Slot, models.PROTECT, related_name="claims")
    booking = models.ForeignKey(
        Booking, models.PROTECT, null=True, blank=True, related_name="claims"
    )
    purpose = models.CharField(max_length=40, blank=True)  # of a claim without booking
    active = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Nothing can be taken twice: the one rule on which every booking stands.
            models.UniqueConstraint(
                fields=["slot", "kind", "resource"],
                condition=Q(active=True),
                name="claim_active_unique",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["room", "escort", "lawyer", "detainee"]),
                name="claim_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(active=True, ended_at=None) | Q(active=False, ended_at__isnull=False),
                name="claim_ended_when_inactive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.resource}@{self.slot_id}"


class Alert(models.Model):
    """A request whose clock passed 24, 36 or 44 hours without a meeting."""

    request = models.ForeignKey(Request, models.PROTECT, related_name="alerts")
    hours = models.PositiveSmallIntegerField()
    raised_at = models.DateTimeField()
    # At 44 hours the duty leader acts or writes why not.
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    answer = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "hours"], name="alert_level_once"),
            models.CheckConstraint(condition=Q(hours__in=[24, 36, 44]), name="alert_level_known"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.hours}h"


class Breach(models.Model):
    """A request that was not met within its time: an entry in the register, never removed."""

    request = models.OneToOneField(Request, models.PROTECT, related_name="breach")
    due_at = models.DateTimeField()
    found_at = models.DateTimeField()
    # Places that had been offered before the due time: 0 means that the centre had none.
    places_offered = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "breaches"

    def __str__(self) -> str:
        return f"{self.request_id} {self.due_at:%F %T}"


class GreenGrant(models.Model):
    """One request's way into the green channel: a reason of the closed list, with proof."""

    class Reason(models.TextChoices):
        LEGAL_AID = "legal_aid", _("legal-aid letter")
        DUTY = "duty", _("duty lawyer")
        FIRST_DETENTION = "first_detention", _("first visit after detention")
        FIRST_PROSECUTION = "first_prosecution", _("first visit after transfer for prosecution")
        BEFORE_TRIAL = "before_trial", _("trial within three days")
        DUE_SOON = "due_soon", _("less than 12 hours left")
        MEDICAL = "medical", _("illness, death risk or a minor")
        INTERPRETER = "interpreter", _("interpreter available only once")
        STATUTORY = "statutory", _("36 hours without a meeting, by rule")

    request = models.OneToOneField(Request, models.PROTECT, related_name="green_grant")
    reason = models.CharField(max_length=18, choices=Reason)
    proof = models.CharField(max_length=100)  # number of the paper that proves it
    granted_at = models.DateTimeField()
    # Nobody is named only when the rule itself granted it.
    granted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=["legal_aid", "statutory"]) | Q(granted_by__isnull=False),
                name="green_grant_by_someone",
            ),
            models.CheckConstraint(condition=~Q(proof=""), name="green_grant_has_proof"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.reason}"


class Displacement(models.Model):
    """A booked visit asked to give its place to an urgent one; done by a second officer."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        DONE = "done", _("done")
        REJECTED = "rejected", _("rejected")

    moves: ClassVar[Moves] = {State.PROPOSED: {State.DONE, State.REJECTED}}

    booking = models.ForeignKey(Booking, models.PROTECT, related_name="displacements")
    request = models.ForeignKey(Request, models.PROTECT, related_name="displacements")
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    reason = models.CharField(max_length=200)
    offered = models.JSONField(default=list)  # slot ids offered to the displaced lawyer
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    replacement = models.ForeignKey(
        Booking, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["booking"], condition=Q(state="proposed"), name="displacement_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state="proposed")
                | (Q(decided_by__isnull=False) & ~Q(decided_by=F("proposed_by"))),
                name="displacement_two_officers",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(replacement__isnull=False),
                name="displacement_has_replacement",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.booking_id} {self.state}"


class Restriction(models.Model):
    """An order that nobody may visit a person for a time (isolation, hospital)."""

    custody = models.ForeignKey(Custody, models.PROTECT, related_name="visit_restrictions")
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    paper_number = models.CharField(max_length=60)
    ordered_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(begins_at__lt=F("ends_at")), name="restriction_ends_after_begin"
            )
        ]

    def __str__(self) -> str:
        return f"{self.custody_id} {self.begins_at:%F}"


class CheckIn(models.Model):
    """One scan at the gate and its answer, also when it was turned away."""

    class Answer(models.TextChoices):
        WELCOME = "welcome", _("Welcome. Send to the waiting area.")
        TOO_EARLY = "too_early", _("Too early. The visit is later today.")
        WRONG_DAY = "wrong_day", _("Not today.")
        LATE = "late", _("Late. Give a ticket.")
        CANCELLED = "cancelled", _("This visit was cancelled or moved.")
        USED = "used", _("This pass was already used.")
        PAPERS_EXPIRED = "papers_expired", _("Papers are no longer valid.")
        PERMISSION_MISSING = "permission_missing", _("The permission paper is missing.")
        ELSEWHERE = "elsewhere", _("This pass belongs to another centre.")
        FORGED = "forged", _("This is not a pass of ours.")

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+")
    booking = models.ForeignKey(
        Booking, models.PROTECT, null=True, blank=True, related_name="check_ins"
    )
    answer = models.CharField(max_length=20, choices=Answer)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            # One welcome for one pass, however often it is shown.
            models.UniqueConstraint(
                fields=["booking"], condition=Q(answer="welcome"), name="check_in_welcome_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.booking_id} {self.answer}"


class Ticket(models.Model):
    """A place in today's walk-in order, beside the bookings."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        CALLED = "called", _("called")
        LEFT = "left", _("left")

    moves: ClassVar[Moves] = {State.WAITING: {State.CALLED, State.LEFT}}

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="visit_tickets")
    on = models.DateField()
    number = models.PositiveSmallIntegerField()
    request = models.ForeignKey(Request, models.PROTECT, related_name="tickets")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    taken_at = models.DateTimeField()
    # Came too late for an own booking: before the other walk-ins.
    is_late_booker = models.BooleanField(default=False)
    called_at = models.DateTimeField(null=True, blank=True)
    booking = models.ForeignKey(Booking, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "on", "number"], name="ticket_number_once"),
            models.UniqueConstraint(
                fields=["request"], condition=Q(state="waiting"), name="ticket_waiting_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on:%F} {self.number}"


class Notice(models.Model):
    """A message to a lawyer, stored in the transaction that caused it; channels come later."""

    class Code(models.TextChoices):
        BOOKED = "booked", _("Your visit is booked.")
        MOVED = "moved", _("Your visit was moved to another time.")
        ROOM_CHANGED = "room_changed", _("Your visit is in another room.")
        CANCELLED = "cancelled", _("The centre had to cancel your visit.")
        WAITING_FILLED = "waiting_filled", _("A place became free and is booked for you.")
        CLIENT_GONE = "client_gone", _("The person is no longer held here. Do not come.")
        PAPER_ACCEPTED = "paper_accepted", _("Your paper was accepted.")
        PAPER_REFUSED = "paper_refused", _("Your paper was refused.")
        PAPER_EXPIRES = "paper_expires", _("Your paper expires soon.")
        MANDATE_LIVE = "mandate_live", _("You can now book visits with this client.")
        MANDATE_ENDED = "mandate_ended", _("You can no longer visit this client.")
        PERMISSION = "permission", _("There is an answer about the permission.")
        GREEN = "green", _("Your request is in the green channel.")

    lawyer = models.ForeignKey(Lawyer, models.PROTECT, related_name="notices")
    code = models.CharField(max_length=16, choices=Code)
    booking = models.ForeignKey(Booking, models.PROTECT, null=True, blank=True, related_name="+")
    request = models.ForeignKey(Request, models.PROTECT, null=True, blank=True, related_name="+")
    detail = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["lawyer", "-at"], name="notice_lawyer_at")]

    def __str__(self) -> str:
        return f"{self.lawyer_id} {self.code}"


class Rating(models.Model):
    """How satisfied a lawyer was with one visit: a number from 1 to 5 and no words."""

    booking = models.OneToOneField(Booking, models.PROTECT, related_name="rating")
    score = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(score__gte=1, score__lte=5), name="rating_one_to_five"
            )
        ]

    def __str__(self) -> str:
        return f"{self.booking_id}: {self.score}"
