"""The tablet's JSON doors, under /api/tablet/.

The tablet shows its own token (`Authorization: Bearer`) and, once a detainee signed in, theirs
(`X-Tablet-Session`). Amounts are integer fen. Names come in both languages: the tablet chooses.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils import timezone
from ninja import Router, Schema, Status
from ninja.throttling import AnonRateThrottle, AuthRateThrottle
from pydantic import AwareDatetime, ConfigDict, Field

from accounts import escrow
from commissary import catalogue, orders
from commissary.models import MOST_LINES, MOST_OF_ONE, Line, Order, Price, picture_path
from detention import devices
from detention.api import DeviceToken, signed_in_detainee
from detention.errors import NotFound
from detention.identity import masked_name
from detention.models import Device

router = Router(tags=["tablet"], auth=DeviceToken())

Count = Annotated[int, Field(strict=True, ge=1, le=2**53)]
Fen = Annotated[int, Field(strict=True, ge=1, le=10**12)]


class PerTablet(AuthRateThrottle):
    """Counts by the tablet: tablets of one building share an address."""

    def get_cache_key(self, request: HttpRequest) -> str:
        return f"tablet:{_device(request).pk}:{self.scope}"


class Body(Schema):
    model_config = ConfigDict(extra="forbid")


class EnrolIn(Body):
    code: str = Field(max_length=40)


class EnrolOut(Schema):
    token: str
    name: str
    cell: str


class SignInIn(Body):
    number: str = Field(max_length=40)
    pin: str = Field(max_length=20)


class SignInOut(Schema):
    session: str
    expires_at: datetime


class CategoryOut(Schema):
    code: str
    name_zh: str
    name_en: str
    picture: str
    outside_limit: bool


class ProductOut(Schema):
    sku: str
    category: str
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    picture: str
    price: int
    max_per_order: int
    outside_limit: bool


class ShelfOut(Schema):
    catalogue_version: int
    categories: list[CategoryOut]
    products: list[ProductOut]


class LimitOut(Schema):
    """What may be spent in the period; `next_on` is the day all of it is there again."""

    amount: int
    room: int
    orders: int
    orders_left: int
    begins_on: date
    next_on: date


class MeOut(Schema):
    name: str
    cell: str
    balance: int
    limit: LimitOut


class WishIn(Body):
    sku: str = Field(min_length=1, max_length=20)
    quantity: Annotated[int, Field(strict=True, ge=1, le=MOST_OF_ONE)]
    shown_price: Fen


class EnvelopeIn(Body):
    """An order as the tablet saved it; sent again with the same ids it is answered the same."""

    client_id: uuid.UUID
    sequence: Count
    catalogue_version: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
    placed_at: AwareDatetime | None = None
    lines: Annotated[list[WishIn], Field(min_length=1, max_length=MOST_LINES)]


class LineOut(Schema):
    sku: str
    name_zh: str
    name_en: str
    picture: str
    price: int
    ordered: int
    approved: int | None
    picked: int | None
    delivered: int | None
    reason: str


class OrderOut(Schema):
    """One order; `total` is what it costs as it stands now, `reason` a code of models.Reason."""

    id: uuid.UUID
    client_id: uuid.UUID
    number: str
    state: str
    reason: str
    placed_at: datetime
    expires_at: datetime
    total: int
    can_cancel: bool
    lines: list[LineOut]


class OrdersOut(Schema):
    orders: list[OrderOut]


@router.post("enrol", auth=None, throttle=[AnonRateThrottle("10/m")], response=EnrolOut)
def enrol(request: HttpRequest, body: EnrolIn) -> EnrolOut:
    """Turn an officer's one-time code into this tablet's token, once."""
    device, token = devices.enrol(body.code, at=timezone.now())
    return EnrolOut(token=token, name=device.name, cell=device.cell.code)


@router.post("sign-in", throttle=[PerTablet("20/m")], response=SignInOut)
def sign_in(request: HttpRequest, body: SignInIn) -> SignInOut:
    """Sign a detainee in with number and PIN; whoever was signed in here before is out."""
    made = devices.sign_in(_device(request), number=body.number, pin=body.pin, at=timezone.now())
    return SignInOut(session=made.token, expires_at=made.session.expires_at)


@router.post("sign-out", response={204: None})
def sign_out(request: HttpRequest) -> Status[None]:
    """End the detainee's sign-in."""
    devices.sign_out(signed_in_detainee(request), at=timezone.now())
    return Status(204, None)


@router.get("shelf", response={200: ShelfOut, 304: None})
def shelf(request: HttpRequest, response: HttpResponse) -> ShelfOut | Status[None]:
    """Return what can be ordered and at which price; unchanged shelves answer 304 by ETag."""
    facility = _device(request).facility
    now = timezone.now()
    tag = f'"{facility.code}-{catalogue.version(facility, at=now)}"'
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    if request.headers.get("If-None-Match") == tag:
        return Status(304, None)
    found = catalogue.shelf(facility, at=now)
    categories = {price.product.category_id: price.product.category for price in found.prices}
    return ShelfOut(
        catalogue_version=found.version,
        categories=[
            CategoryOut(
                code=category.code,
                name_zh=category.name_zh,
                name_en=category.name_en,
                picture=_picture(category.picture),
                outside_limit=category.outside_limit,
            )
            for category in categories.values()
        ],
        products=[_product(price) for price in found.prices],
    )


@router.get("me", response=MeOut)
def me(request: HttpRequest, response: HttpResponse) -> MeOut:
    """Return who is signed in (masked), what they can spend, and the room left in the period."""
    held = signed_in_detainee(request).custody
    response["Cache-Control"] = "no-store"
    standing = orders.standing_of(held, at=timezone.now())
    rules, usage, period = standing.rules, standing.usage, standing.period
    return MeOut(
        name=masked_name(held.detainee.name),
        cell=held.cell.code,
        balance=escrow.balance(held).available,
        limit=LimitOut(
            amount=rules.spend_month,
            room=standing.room,
            orders=rules.orders_month,
            orders_left=max(rules.orders_month - usage.orders, 0),
            begins_on=period.start.date(),
            next_on=period.end.date(),
        ),
    )


@router.post("orders", response=OrderOut)
def place(request: HttpRequest, body: EnvelopeIn) -> OrderOut:
    """Take an order in; the same envelope again returns the same order."""
    held = signed_in_detainee(request).custody
    envelope = orders.Envelope(
        client_id=body.client_id,
        catalogue_version=body.catalogue_version,
        lines=[
            orders.Wish(sku=line.sku, quantity=line.quantity, shown_price=line.shown_price)
            for line in body.lines
        ],
        device=_device(request),
        sequence=body.sequence,
        selected_at=body.placed_at,
    )
    return _order(orders.place(held, envelope, by=held, at=timezone.now()))


@router.get("orders", response=OrdersOut)
def list_orders(request: HttpRequest, response: HttpResponse) -> OrdersOut:
    """Return the signed-in person's newest orders with their states and reasons."""
    held = signed_in_detainee(request).custody
    response["Cache-Control"] = "no-store"
    found = Order.objects.filter(custody=held).order_by("-placed_at", "-pk")
    return OrdersOut(
        orders=[_order(order) for order in found.prefetch_related("lines__product")[:30]]
    )


@router.post("orders/{uuid:order_id}/cancel", response=OrderOut)
def cancel(request: HttpRequest, order_id: uuid.UUID) -> OrderOut:
    """Take an own order back before it is picked."""
    held = signed_in_detainee(request).custody
    order = Order.objects.filter(custody=held, public_id=order_id).first()
    if order is None:
        raise NotFound
    return _order(orders.cancel(order, by=held, at=timezone.now()))


def _device(request: HttpRequest) -> Device:
    device: Device = request.auth  # type: ignore[attr-defined]
    return device


def _picture(name: str) -> str:
    return static(picture_path(name))


def _product(price: Price) -> ProductOut:
    product = price.product
    return ProductOut(
        sku=product.sku,
        category=product.category.code,
        name_zh=product.name_zh,
        name_en=product.name_en,
        unit_zh=product.unit_zh,
        unit_en=product.unit_en,
        picture=_picture(product.picture),
        price=price.amount,
        max_per_order=product.most_per_order,
        outside_limit=product.category.outside_limit,
    )


def _order(order: Order) -> OrderOut:
    lines = sorted(order.lines.all(), key=lambda line: line.position)
    return OrderOut(
        id=order.public_id,
        client_id=order.client_id,
        number=order.number,
        state=order.state,
        reason=order.reason,
        placed_at=order.placed_at,
        expires_at=order.expires_at,
        total=sum(line.total for line in lines),
        can_cancel=order.can_cancel,
        lines=[_line(line) for line in lines],
    )


def _line(line: Line) -> LineOut:
    return LineOut(
        sku=line.product.sku,
        name_zh=line.product.name_zh,
        name_en=line.product.name_en,
        picture=_picture(line.product.picture),
        price=line.unit_price,
        ordered=line.ordered,
        approved=line.approved,
        picked=line.picked,
        delivered=line.delivered,
        reason=line.reason,
    )
