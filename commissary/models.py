"""What may be bought, who asked for it, who allowed it and who signed for it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.money import FenField
from detention.lifecycle import Moves, may_move
from detention.models import Custody, Device, Facility, User

MOST_LINES = 50
MOST_OF_ONE = 99


def picture_path(name: str) -> str:
    """Return the static file of a product's or category's picture."""
    return f"commissary/products/{name}.svg"


def _in_language(zh: str, en: str) -> str:
    return en if (translation.get_language() or "").startswith("en") else zh


class Vendor(models.Model):
    """Who supplies goods to a facility and is owed for what was signed for."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="vendors")
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "name"], name="vendor_name_unique")
        ]

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """A shelf of the facility's shop.

    sensitive: what stands here is shown to nobody but officers (medical goods).
    outside_limit: what stands here does not count against the monthly limit.
    """

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="categories")
    code = models.SlugField(max_length=20)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=40)
    picture = models.CharField(max_length=40)  # file in static/commissary/products, without .svg
    sensitive = models.BooleanField(default=False)
    outside_limit = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(fields=["facility", "code"], name="category_code_unique")
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        """Return the name in the active language."""
        return _in_language(self.name_zh, self.name_en)


class Product(models.Model):
    """Something a detainee may order. Never deleted; withdrawn by `is_offered`."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="products")
    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="products")
    category = models.ForeignKey(Category, models.PROTECT, related_name="products")
    sku = models.SlugField(max_length=20)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    unit_zh = models.CharField(max_length=10)  # 块, 瓶, 包
    unit_en = models.CharField(max_length=20)
    picture = models.CharField(max_length=40)  # file in static/commissary/products, without .svg
    most_per_order = models.PositiveSmallIntegerField(default=5)
    is_offered = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "sku"], name="product_sku_unique"),
            models.CheckConstraint(
                condition=Q(most_per_order__gte=1, most_per_order__lte=MOST_OF_ONE),
                name="product_most_bounded",
            ),
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def name(self) -> str:
        """Return the name in the active language."""
        return _in_language(self.name_zh, self.name_en)

    @property
    def picture_path(self) -> str:
        return picture_path(self.picture)

    @property
    def unit(self) -> str:
        """Return the unit in the active language."""
        return _in_language(self.unit_zh, self.unit_en)


class PriceQuerySet(models.QuerySet["Price"]):
    def in_force(self, at: datetime) -> PriceQuerySet:
        """Approved prices that have begun, the one that counts first."""
        return self.filter(state=Price.State.APPROVED, effective_at__lte=at).order_by(
            "-effective_at", "-pk"
        )

    def on_shelf(self, at: datetime) -> PriceQuerySet:
        """The one price in force of each product that can be ordered, in shelf order."""
        newest = Price.objects.in_force(at).filter(product=OuterRef("product")).values("pk")[:1]
        return (
            self.filter(pk=Subquery(newest), product__is_offered=True)
            .select_related("product__category")
            .order_by(
                "product__category__position",
                "product__category_id",
                "product__position",
                "product_id",
            )
        )


class Price(models.Model):
    """What one unit of a product costs from one moment on; a second officer makes it count.

    Never changes after the decision: a new price is a new row.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")

    moves: ClassVar[Moves] = {State.PROPOSED: {State.APPROVED, State.REJECTED}}

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="prices", db_index=False)
    amount = FenField()
    effective_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)

    objects = PriceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["product", "state", "-effective_at"], name="price_lookup")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="price_positive"),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "approved", "rejected"]),
                name="price_state_known",
            ),
            # NULL must not slip through: past the proposal both officers are there and differ.
            models.CheckConstraint(
                condition=Q(state="proposed")
                | (Q(approved_by__isnull=False) & ~Q(approved_by=F("proposed_by"))),
                name="price_two_officers",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.amount} fen"


class Catalogue(models.Model):
    """How often the facility's shelf was changed; one row a facility, locked by those who do."""

    facility = models.OneToOneField(
        Facility, models.PROTECT, primary_key=True, related_name="catalogue"
    )
    revision = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.facility_id} r{self.revision}"


class Reason(models.TextChoices):
    """Why less was approved, picked or delivered than was asked for."""

    OUT_OF_STOCK = "out_of_stock", _("out of stock")
    NOT_PERMITTED = "not_permitted", _("not permitted for this person")
    MEDICAL = "medical", _("not allowed for medical reasons")
    TOO_MANY = "too_many", _("too many")
    DAMAGED = "damaged", _("damaged")
    WRONG_ITEM = "wrong_item", _("wrong product")
    NOT_WANTED = "not_wanted", _("no longer wanted")
    ABSENT = "absent", _("the person was away")
    RELEASED = "released", _("the person leaves")


class OrderQuerySet(models.QuerySet["Order"]):
    def waiting(self) -> OrderQuerySet:
        return self.filter(state=Order.State.PLACED)

    def to_pick(self) -> OrderQuerySet:
        return self.filter(state__in=[Order.State.APPROVED, Order.State.PART_APPROVED])

    def to_hand_over(self) -> OrderQuerySet:
        return self.filter(state=Order.State.PICKED)

    def counted(self) -> OrderQuerySet:
        """Orders that use up the monthly limit: everything but those that came to nothing."""
        return self.exclude(state__in=Order.CAME_TO_NOTHING)

    def overdue(self, at: datetime) -> OrderQuerySet:
        """Orders that nobody took up in time."""
        return self.filter(
            state__in=[s for s, to in Order.moves.items() if Order.State.EXPIRED in to],
            expires_at__lte=at,
        )


class Order(models.Model):
    """One detainee's order, from the tap on the tablet to the signature at the cell door.

    Placed by the detainee on a tablet (`recorded_by` empty) or by an officer from paper. Its money
    stays set aside in `hold` until the goods are signed for or the order comes to nothing.
    """

    class State(models.TextChoices):
        PLACED = "placed", _("waiting for approval")
        APPROVED = "approved", _("approved")
        PART_APPROVED = "part_approved", _("approved in part")
        REJECTED = "rejected", _("rejected")
        EXPIRED = "expired", _("expired")
        CANCELLED = "cancelled", _("cancelled")
        PICKED = "picked", _("out for delivery")
        HANDED_OVER = "handed_over", _("handed over")
        PART = "part", _("handed over in part")
        UNDELIVERED = "undelivered", _("not delivered")
        CLOSED = "closed", _("closed")

    moves: ClassVar[Moves] = {
        State.PLACED: {
            State.APPROVED,
            State.PART_APPROVED,
            State.REJECTED,
            State.EXPIRED,
            State.CANCELLED,
        },
        State.APPROVED: {State.PICKED, State.EXPIRED, State.CANCELLED},
        State.PART_APPROVED: {State.PICKED, State.EXPIRED, State.CANCELLED},
        State.PICKED: {State.HANDED_OVER, State.PART, State.UNDELIVERED},
        State.HANDED_OVER: {State.CLOSED},
        State.PART: {State.CLOSED},
    }
    CAME_TO_NOTHING = (State.REJECTED, State.EXPIRED, State.CANCELLED, State.UNDELIVERED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=10)  # for people to say and to type
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="orders", db_index=False)
    custody = models.ForeignKey(Custody, models.PROTECT, related_name="orders", db_index=False)
    state = models.CharField(max_length=15, choices=State, default=State.PLACED)
    # The envelope: what came in, so that the same again is recognised.
    client_id = models.UUIDField()
    body_hash = models.CharField(max_length=64)
    device = models.ForeignKey(
        Device, models.PROTECT, null=True, related_name="orders", db_index=False
    )
    sequence = models.BigIntegerField(null=True)  # the device's own count
    catalogue_version = models.PositiveIntegerField()
    recorded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    placed_at = models.DateTimeField()
    selected_at = models.DateTimeField(null=True)  # by the tablet's clock, which may be wrong
    expires_at = models.DateTimeField()  # when it comes to nothing unless somebody takes it up
    # Who approved or rejected it.
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=15, choices=Reason, blank=True)
    picked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    picked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Set in the transaction that places the order, which moves the money last.
    hold = models.OneToOneField("ledger.Hold", models.PROTECT, null=True, related_name="+")

    objects = OrderQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["facility", "state", "placed_at"], name="order_queue"),
            models.Index(fields=["custody", "placed_at"], name="order_custody_placed"),
            models.Index(fields=["state", "expires_at"], name="order_expiry"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["client_id"], name="order_client_once"),
            models.UniqueConstraint(fields=["number"], name="order_number_once"),
            models.UniqueConstraint(
                fields=["device", "sequence"],
                condition=Q(device__isnull=False),
                name="order_sequence_once",
            ),
            models.CheckConstraint(
                condition=Q(device=None, sequence=None) | Q(device__isnull=False, sequence__gte=1),
                name="order_device_counts",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "placed",
                        "approved",
                        "part_approved",
                        "rejected",
                        "expired",
                        "cancelled",
                        "picked",
                        "handed_over",
                        "part",
                        "undelivered",
                        "closed",
                    ]
                ),
                name="order_state_known",
            ),
            # NULL must not slip through: past approval there is an officer, and it is not the one
            # who recorded the order. Expired and cancelled orders may never have had one.
            models.CheckConstraint(
                condition=Q(approved_by=None, state__in=["placed", "expired", "cancelled"])
                | (
                    Q(approved_by__isnull=False)
                    & (Q(recorded_by=None) | ~Q(approved_by=F("recorded_by")))
                ),
                name="order_not_self_approved",
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(reason=""), name="order_rejected_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def can_cancel(self) -> bool:
        """Tell whether the goods are still on the shelf."""
        return may_move(self, self.State.CANCELLED)

    @property
    def is_decided(self) -> bool:
        return self.state != self.State.PLACED


class Line(models.Model):
    """One product of an order: how many were asked for, approved, picked and signed for.

    Later quantities are empty until that step and never larger than the one before.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="lines", db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()  # the detainee's own order: first things first
    price = models.ForeignKey(Price, models.PROTECT, related_name="+", db_index=False)
    unit_price = FenField()  # charged
    shown_price = FenField()  # what the person saw; never less than what is charged
    counts = models.BooleanField()  # against the monthly limit, as the category said then
    ordered = models.PositiveSmallIntegerField()
    approved = models.PositiveSmallIntegerField(null=True)
    picked = models.PositiveSmallIntegerField(null=True)
    delivered = models.PositiveSmallIntegerField(null=True)
    reason = models.CharField(max_length=15, choices=Reason, blank=True)  # why it got less

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "product"], name="line_product_unique"),
            models.CheckConstraint(
                condition=Q(ordered__gte=1, ordered__lte=MOST_OF_ONE), name="line_ordered_bounded"
            ),
            models.CheckConstraint(
                condition=Q(approved=None) | Q(approved__lte=F("ordered")),
                name="line_approved_within_ordered",
            ),
            models.CheckConstraint(
                condition=Q(picked=None) | Q(approved__isnull=False, picked__lte=F("approved")),
                name="line_picked_within_approved",
            ),
            models.CheckConstraint(
                condition=Q(delivered=None) | Q(picked__isnull=False, delivered__lte=F("picked")),
                name="line_delivered_within_picked",
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gt=0, unit_price__lte=F("shown_price")),
                name="line_never_dearer_than_shown",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.ordered} × {self.product_id}"

    @property
    def quantity(self) -> int:
        """Return how many this line stands at now."""
        for count in (self.delivered, self.picked, self.approved):
            if count is not None:
                return count
        return self.ordered

    @property
    def total(self) -> int:
        """Return what this line costs now, in fen."""
        total: int = self.quantity * self.unit_price
        return total


class HandOver(models.Model):
    """The end of an order at the cell door: what was signed for, or why nothing was. Never changes.

    Signed on the screen, or on the paper copy before a witness; nothing delivered needs a witness.
    """

    class Proof(models.TextChoices):
        SCREEN = "screen", _("signed on the screen")
        PAPER = "paper", _("signed on the paper copy")
        NONE = "none", _("nothing handed over")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    order = models.OneToOneField(Order, models.PROTECT, related_name="hand_over")
    proof = models.CharField(max_length=6, choices=Proof)
    strokes = models.JSONField(default=list)  # lists of [x, y] in a box of 1000 by 400
    strokes_hash = models.CharField(max_length=64, blank=True)
    officer = models.ForeignKey(User, models.PROTECT, related_name="+")
    witness = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    captured = FenField()
    released = FenField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(proof="screen") & ~Q(strokes_hash="")
                | Q(proof__in=["paper", "none"], witness__isnull=False),
                name="handover_proven",
            ),
            models.CheckConstraint(
                condition=Q(witness=None) | ~Q(witness=F("officer")),
                name="handover_witness_is_another",
            ),
            # The vendor is owed only for what was signed for.
            models.CheckConstraint(
                condition=Q(proof="none", captured=0)
                | Q(proof__in=["screen", "paper"], captured__gt=0),
                name="handover_paid_only_if_signed",
            ),
            models.CheckConstraint(condition=Q(released__gte=0), name="handover_released_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.proof} {self.captured} fen"
