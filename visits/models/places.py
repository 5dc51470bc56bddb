"""Rooms, hours and escorts: what a visit needs before anybody asks for it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from detention.models import Facility, User

SLOTS_A_DAY = 10
WEEKDAYS = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)


class DayKind(models.TextChoices):
    WEEKDAY = "weekday", _("weekday")
    WEEKEND = "weekend", _("weekend")
    HOLIDAY = "holiday", _("public holiday")


class Room(models.Model):
    """A room in which a visit can take place; made by an administrator, never deleted."""

    class Kind(models.TextChoices):
        LAWYER = "lawyer", _("lawyer room")
        VIDEO = "video", _("video room")
        INTERROGATION = "interrogation", _("interrogation room (can be borrowed)")

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="rooms")
    code = models.CharField(max_length=20)
    kind = models.CharField(max_length=14, choices=Kind, default=Kind.LAWYER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "code"], name="room_code_unique"),
            models.CheckConstraint(
                condition=Q(kind__in=["lawyer", "video", "interrogation"]), name="room_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class RoomClosure(models.Model):
    """A room that cannot be used for a time; the visits in it are moved by a reaction."""

    room = models.ForeignKey(Room, models.PROTECT, related_name="closures")
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()  # exclusive
    reason = models.CharField(max_length=200)
    closed_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(begins_at__lt=F("ends_at")), name="closure_ends_after_begin"
            )
        ]

    def __str__(self) -> str:
        return f"{self.room_id} {self.begins_at:%F %T}"


class CalendarDay(models.Model):
    """What an administrator says about one date; wins over weekday and holiday calendar.

    A make-up working day is a row of kind `weekday` on a Saturday or Sunday.
    """

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="calendar_days")
    on = models.DateField()
    kind = models.CharField(max_length=10, choices=DayKind)
    note = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "on"], name="calendar_day_unique")
        ]

    def __str__(self) -> str:
        return f"{self.on:%F} {self.kind}"


class Timetable(models.Model):
    """The hours of one kind of day from one date on: ten slots, or none when closed.

    Never changed: a new version is a new row, and slots opened before keep their times.
    """

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="timetables")
    day_kind = models.CharField(max_length=10, choices=DayKind)
    effective_on = models.DateField()
    published_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "day_kind", "effective_on"], name="timetable_version_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.facility_id} {self.day_kind} from {self.effective_on:%F}"


class TimetableSlot(models.Model):
    """One of the ten lines of a timetable; local times of the facility."""

    timetable = models.ForeignKey(Timetable, models.CASCADE, related_name="lines")
    sequence = models.PositiveSmallIntegerField()
    begins = models.TimeField()
    ends = models.TimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["timetable", "sequence"], name="timetable_slot_sequence_unique"
            ),
            models.CheckConstraint(
                condition=Q(sequence__gte=1, sequence__lte=SLOTS_A_DAY),
                name="timetable_slot_one_of_ten",
            ),
            models.CheckConstraint(
                condition=Q(begins__lt=F("ends")), name="timetable_slot_ends_after_begin"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.begins:%H:%M}–{self.ends:%H:%M}"


class Slot(models.Model):
    """One of the ten times of one open day. Made by the horizon task, never changed."""

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="slots")
    on = models.DateField()
    sequence = models.PositiveSmallIntegerField()
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()  # exclusive
    timetable = models.ForeignKey(Timetable, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["begins_at", "pk"]
        indexes = [models.Index(fields=["facility", "begins_at"], name="slot_facility_begins")]
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "on", "sequence"], name="slot_sequence_unique"
            ),
            models.CheckConstraint(
                condition=Q(sequence__gte=1, sequence__lte=SLOTS_A_DAY), name="slot_one_of_ten"
            ),
            models.CheckConstraint(
                condition=Q(begins_at__lt=F("ends_at")), name="slot_ends_after_begin"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on:%F} #{self.sequence}"


class SlotRoom(models.Model):
    """One room in one slot and who may take it; closed when the room cannot be used.

    Says nothing about who has it: only an active claim does.
    """

    class Pool(models.TextChoices):
        GENERAL = "general", _("for everybody")
        RESERVE = "reserve", _("kept for the green channel")
        WALK_IN = "walk_in", _("kept for walk-ins")
        BORROWED = "borrowed", _("interrogation room")

    slot = models.ForeignKey(Slot, models.PROTECT, related_name="rooms", db_index=False)
    room = models.ForeignKey(Room, models.PROTECT, related_name="slot_rooms")
    pool = models.CharField(max_length=10, choices=Pool, default=Pool.GENERAL)
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slot", "room"], name="slot_room_unique"),
            models.CheckConstraint(
                condition=Q(pool__in=["general", "reserve", "walk_in", "borrowed"]),
                name="slot_room_pool_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slot_id}/{self.room_id} {self.pool}"


class StandingDuty(models.Model):
    """An escort's weekly hours; copied to single duties when a day is opened."""

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="standing_duties")
    officer = models.ForeignKey(User, models.PROTECT, related_name="+")
    weekday = models.PositiveSmallIntegerField()  # Monday is 0
    first = models.PositiveSmallIntegerField(default=1)
    last = models.PositiveSmallIntegerField(default=SLOTS_A_DAY)

    class Meta:
        verbose_name_plural = "standing duties"
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "officer", "weekday"], name="standing_duty_unique"
            ),
            models.CheckConstraint(
                condition=Q(weekday__lte=6, first__gte=1, first__lte=F("last"), last__lte=10),
                name="standing_duty_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.officer_id} {self.weekday}"

    @property
    def day_name(self) -> str:
        """Return the weekday in the active language."""
        return str(WEEKDAYS[self.weekday])


class Duty(models.Model):
    """An escort who can fetch one detainee in one slot; `is_present` is false when ill."""

    slot = models.ForeignKey(Slot, models.PROTECT, related_name="duties", db_index=False)
    officer = models.ForeignKey(User, models.PROTECT, related_name="duties")
    is_present = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "duties"
        constraints = [models.UniqueConstraint(fields=["slot", "officer"], name="duty_unique")]

    def __str__(self) -> str:
        return f"{self.slot_id}/{self.officer_id}"
