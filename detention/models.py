"""Who is held where, who is asking, and what happened."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from detention.lifecycle import Moves


class UserManager(BaseUserManager["User"]):
    def create_user(self, login: str, password: str | None = None, **fields: Any) -> User:
        """Create a person who can sign in; `login` is stored as given, normalise it before."""
        user = self.model(login=login, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, login: str, password: str | None = None, **fields: Any) -> User:
        """Create an operator of the installation (management command only)."""
        return self.create_user(login, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in: relative, officer or lawyer. Detainees have no log-in of this kind."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Phone number in E.164, e-mail in lower case, or an officer's log-in name.
    login = models.CharField(max_length=190, unique=True)
    name = models.CharField(max_length=100)
    language = models.CharField(max_length=10, default="zh-hans")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.login})"


class Facility(models.Model):
    """One detention centre: one pot of money, one calendar, one set of officers."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.SlugField(max_length=20, unique=True)
    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100)
    time_zone = models.CharField(max_length=40, default="Asia/Shanghai")

    class Meta:
        verbose_name_plural = "facilities"

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        """Return the name in the active language."""
        return self.name_en if (translation.get_language() or "").startswith("en") else self.name_zh


class Role(models.TextChoices):
    GUARD = "guard", _("guard")
    FINANCE = "finance", _("finance")
    AUDITOR = "auditor", _("auditor")
    ADMINISTRATOR = "administrator", _("administrator")


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def valid(self, at: datetime) -> AppointmentQuerySet:
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=at), begins_at__lte=at)


class Appointment(models.Model):
    """One officer's role in one facility for a time; never deleted, only ended."""

    user = models.ForeignKey(User, models.PROTECT, related_name="appointments")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="appointments")
    role = models.CharField(max_length=20, choices=Role)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)  # exclusive

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "facility", "role"],
                condition=Q(ends_at=None),
                name="appointment_current_once",
            ),
            models.CheckConstraint(
                condition=Q(role__in=["guard", "finance", "auditor", "administrator"]),
                name="appointment_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}@{self.facility_id}"


class Cell(models.Model):
    """A room in which detainees live; products are delivered to it."""

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="cells")
    code = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "code"], name="cell_code_unique")
        ]

    def __str__(self) -> str:
        return self.code


class Detainee(models.Model):
    """A person who is or was held; one row for life, however many custodies."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    born_on = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({str(self.public_id)[:8]})"


class CustodyQuerySet(models.QuerySet["Custody"]):
    def open(self) -> CustodyQuerySet:
        return self.filter(state=Custody.State.OPEN)

    def locked(self) -> CustodyQuerySet:
        """Lock the rows for a money or visit verb; evaluated at once by `.get()`."""
        return self.select_for_update(of=("self",), no_key=True)


class Custody(models.Model):
    """One stay of one detainee in one facility, from admission to its end.

    The open row is the lock for everything that touches the detainee's money.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLOSING = "closing", _("closing")
        SETTLED = "settled", _("settled")
        CLOSED = "closed", _("closed")

    class Reason(models.TextChoices):
        RELEASED = "released", _("released")
        TRANSFERRED = "transferred", _("transferred")
        DIED = "died", _("died")
        ESCAPED = "escaped", _("escaped")

    class Visible(models.TextChoices):
        """What the detainee lets relatives see of purchases."""

        AMOUNTS = "amounts", _("amounts only")
        CATEGORIES = "categories", _("amounts and categories")
        PRODUCTS = "products", _("amounts, categories and products")

    moves: ClassVar[Moves] = {
        State.OPEN: {State.CLOSING},
        State.CLOSING: {State.SETTLED},
        State.SETTLED: {State.CLOSED},
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="custodies")
    detainee = models.ForeignKey(Detainee, models.PROTECT, related_name="custodies")
    number = models.CharField(max_length=20)
    cell = models.ForeignKey(Cell, models.PROTECT, related_name="custodies")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    admitted_at = models.DateTimeField()
    closing_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    closing_reason = models.CharField(max_length=12, choices=Reason, blank=True)
    visible = models.CharField(max_length=12, choices=Visible, default=Visible.CATEGORIES)
    deposits_frozen = models.BooleanField(default=False)
    spending_frozen = models.BooleanField(default=False)
    pin = models.CharField(max_length=128, blank=True)  # memory-hard hash
    pin_failures = models.PositiveSmallIntegerField(default=0)
    pin_locked_at = models.DateTimeField(null=True, blank=True)

    objects = CustodyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "custodies"
        constraints = [
            models.UniqueConstraint(fields=["facility", "number"], name="custody_number_unique"),
            models.UniqueConstraint(
                fields=["detainee"], condition=Q(state="open"), name="custody_open_unique"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "closing", "settled", "closed"]),
                name="custody_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closing_at=None, closing_reason="")
                | (~Q(state="open") & Q(closing_at__isnull=False) & ~Q(closing_reason="")),
                name="custody_closing_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class Relative(models.Model):
    """Who a relative is: identity as declared at registration. The number itself is not kept."""

    user = models.OneToOneField(User, models.PROTECT, related_name="relative")
    name = models.CharField(max_length=100)
    # Keyed digest of the identity number: equal numbers are found, none can be read back.
    identity_digest = models.CharField(max_length=64)
    identity_masked = models.CharField(max_length=18)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["identity_digest"], name="relative_identity_unique")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.identity_masked}"


class RelationshipQuerySet(models.QuerySet["Relationship"]):
    def verified(self) -> RelationshipQuerySet:
        return self.filter(state=Relationship.State.VERIFIED)


class Relationship(models.Model):
    """A relative's request to be linked with one person in custody, and an officer's answer."""

    class Kind(models.TextChoices):
        SPOUSE = "spouse", _("spouse")
        PARENT = "parent", _("parent")
        CHILD = "child", _("child")
        SIBLING = "sibling", _("brother or sister")
        OTHER = "other", _("other relative")

    class State(models.TextChoices):
        REQUESTED = "requested", _("waiting for review")
        VERIFIED = "verified", _("verified")
        REFUSED = "refused", _("refused")
        REVOKED = "revoked", _("revoked")

    moves: ClassVar[Moves] = {
        State.REQUESTED: {State.VERIFIED, State.REFUSED},
        State.VERIFIED: {State.REVOKED},
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    relative = models.ForeignKey(Relative, models.PROTECT, related_name="relationships")
    custody = models.ForeignKey(Custody, models.PROTECT, related_name="relationships")
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    requested_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)

    objects = RelationshipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["relative", "custody"],
                condition=Q(state__in=["requested", "verified"]),
                name="relationship_live_once",
            ),
            models.CheckConstraint(
                condition=Q(state="requested", decided_by=None)
                | (~Q(state="requested") & Q(decided_by__isnull=False)),
                name="relationship_decided_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.relative_id}-{self.custody_id} {self.state}"


class LinkAttempt(models.Model):
    """One try of a relative to name a person in custody; counted so that nobody can guess."""

    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "at"], name="linkattempt_user_at")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at:%F %T}"


class Device(models.Model):
    """A tablet in a cell; enrolled by an officer with a one-time code, then known by its token."""

    class State(models.TextChoices):
        ENROLLING = "enrolling", _("waiting for its code")
        ACTIVE = "active", _("active")
        QUARANTINED = "quarantined", _("quarantined")
        REVOKED = "revoked", _("revoked")

    moves: ClassVar[Moves] = {
        State.ENROLLING: {State.ACTIVE, State.REVOKED},
        State.ACTIVE: {State.QUARANTINED, State.REVOKED},
        State.QUARANTINED: {State.ACTIVE, State.REVOKED},
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="devices")
    cell = models.ForeignKey(Cell, models.PROTECT, related_name="devices")
    name = models.CharField(max_length=60)
    state = models.CharField(max_length=12, choices=State, default=State.ENROLLING)
    code_digest = models.CharField(max_length=64, blank=True)
    code_expires_at = models.DateTimeField(null=True, blank=True)
    token_digest = models.CharField(max_length=64, blank=True)
    enrolled_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    enrolled_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    last_sequence = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["token_digest"], condition=~Q(token_digest=""), name="device_token_unique"
            ),
            models.UniqueConstraint(
                fields=["code_digest"], condition=~Q(code_digest=""), name="device_code_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class TabletSession(models.Model):
    """A detainee signed in on a tablet; short-lived, ended by the next sign-in on that tablet."""

    device = models.ForeignKey(Device, models.PROTECT, related_name="sessions")
    custody = models.ForeignKey(Custody, models.PROTECT, related_name="+")
    token_digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.device_id}-{self.custody_id}"


class AccessToken(models.Model):
    """A key with which a program acts for one officer in one facility; ended, never deleted."""

    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)  # of the program
    token_digest = models.CharField(max_length=64, unique=True)
    issued_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()  # exclusive
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.user_id}@{self.facility_id})"


class PolicyVersion(models.Model):
    """One value of one rule of one facility from one moment on; a second officer makes it count."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")

    moves: ClassVar[Moves] = {State.PROPOSED: {State.APPROVED, State.REJECTED}}

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="policies")
    code = models.CharField(max_length=40)
    value = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    effective_at = models.DateTimeField()
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["facility", "code", "-effective_at"], name="policy_lookup")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="proposed")
                | (Q(decided_by__isnull=False) & ~Q(decided_by=models.F("proposed_by"))),
                name="policy_two_officers",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.facility_id} {self.code}={self.value}"


class AuditRecord(models.Model):
    """What somebody did, once and for ever: the database refuses to change or delete a row."""

    at = models.DateTimeField()
    action = models.CharField(max_length=60)
    facility = models.ForeignKey(Facility, models.PROTECT, null=True, related_name="+")
    # Nobody set means the system itself (a task).
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    custody = models.ForeignKey(Custody, models.PROTECT, null=True, related_name="+")
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
            models.Index(fields=["facility", "at"], name="audit_facility_at"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.action} {self.subject_type}:{self.subject_id}"


class Heartbeat(models.Model):
    """When a part of the system was last alive; one row a part."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.at:%F %T}"
