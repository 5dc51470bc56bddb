"""A small shop and orders in every state, reached through the verbs."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from django.utils import timezone

from accounts import escrow
from accounts.ledger import posting
from accounts.ledger.models import Account, Journal
from commissary import catalogue, fulfilment, orders
from commissary.fulfilment import Signature
from commissary.models import Category, HandOver, Line, Order, Price, Product, Vendor
from commissary.orders import Envelope, Wish
from detention.models import Custody, Facility, Role, User
from tests import situations

SIGNED = Signature([[[100, 200], [180, 120], [260, 240]], [[300, 100], [300, 300]]])
# sku: (category, vendor, fen, most of one)
GOODS = {
    "soap": ("daily", "Household Ltd", 4_50, 3),
    "noodles": ("food", "Foods Ltd", 3_00, 10),
    "milk": ("food", "Foods Ltd", 6_00, 5),
    "book": ("books", "Foods Ltd", 30_00, 5),
    "ointment": ("medical", "Household Ltd", 12_00, 2),
}


def open_shop(facility: Facility) -> dict[str, Product]:
    """Fill the facility's shelf since yesterday; return sku → product.

    Written in bulk, because nearly every test needs a shop; the verbs that fill one have tests of
    their own.
    """
    boss, other = situations.officer(facility, Role.ADMINISTRATOR), finance(facility)
    since = timezone.now() - timedelta(days=1)
    shelves = Category.objects.bulk_create(
        Category(
            facility=facility,
            code=code,
            name_zh=f"{code}类",
            name_en=code.title(),
            picture=code,
            sensitive=code == "medical",
            outside_limit=code == "books",
            position=position,
        )
        for position, code in enumerate(dict.fromkeys(shelf for shelf, *_ in GOODS.values()))
    )
    vendors = Vendor.objects.bulk_create(
        Vendor(facility=facility, name=name)
        for name in dict.fromkeys(vendor for _, vendor, *_ in GOODS.values())
    )
    shelf_of = {shelf.code: shelf for shelf in shelves}
    vendor_of = {vendor.name: vendor for vendor in vendors}
    products = Product.objects.bulk_create(
        Product(
            facility=facility,
            vendor=vendor_of[vendor],
            category=shelf_of[shelf],
            sku=sku,
            name_zh=f"{sku}品",
            name_en=sku.title(),
            unit_zh="个",
            unit_en="piece",
            picture=sku,
            most_per_order=most,
        )
        for sku, (shelf, vendor, _fen, most) in GOODS.items()
    )
    Price.objects.bulk_create(
        Price(
            product=product,
            amount=GOODS[product.sku][2],
            effective_at=since,
            state=Price.State.APPROVED,
            proposed_by=boss,
            proposed_at=since,
            approved_by=other,
            approved_at=since,
        )
        for product in products
    )
    return {product.sku: product for product in products}


def finance(facility: Facility) -> User:
    return situations.officer(facility, Role.FINANCE)


def reprice(product: Product, fen: int, *, by=None, approver=None, at=None) -> Price:
    """Bring a new price into force now."""
    at = at or timezone.now()
    by = by or situations.officer(product.facility, Role.ADMINISTRATOR)
    price = catalogue.propose_price(product, fen, effective_at=at, by=by, at=at)
    return catalogue.approve_price(price, by=approver or finance(product.facility), at=at)


def shopper(fen: int = 500_00) -> tuple[Custody, dict[str, Product]]:
    """Return a person with money and the facility's open shop."""
    held = situations.held_person()
    if fen:
        situations.funded(held, fen)
    return held, open_shop(held.facility)


def envelope(goods: dict[str, Product], *, client_id: UUID | None = None, shown=None, **wanted):
    """Return an order of `wanted` (sku=quantity) at the prices in force, or at `shown` (sku → fen).

    `device` and `sequence` are taken as they come.
    """
    extra = {name: wanted.pop(name) for name in ("device", "sequence") if name in wanted}
    shown = {**{sku: GOODS[sku][2] for sku in wanted}, **(shown or {})}
    wishes = [
        Wish(sku=goods[sku].sku, quantity=n, shown_price=shown[sku]) for sku, n in wanted.items()
    ]
    version = 1
    return Envelope(
        client_id=client_id or uuid4(), catalogue_version=version, lines=wishes, **extra
    )


def place(held: Custody, goods: dict[str, Product], **wanted) -> Order:
    """Return the person's own order, waiting for approval."""
    return orders.place(held, envelope(goods, **wanted), by=held, at=timezone.now())


def placed(**wanted) -> Order:
    """Return an order of a fresh person; soap=2, noodles=3 (¥18.00) unless told otherwise."""
    held, goods = shopper()
    return place(held, goods, **(wanted or {"soap": 2, "noodles": 3}))


def approved(**wanted) -> Order:
    order = placed(**wanted)
    return orders.approve(order, by=situations.officer(order.facility), at=timezone.now())


def picked(**wanted) -> Order:
    order = approved(**wanted)
    return fulfilment.pick(order, by=situations.officer(order.facility), at=timezone.now())


def handed_over(**wanted) -> HandOver:
    order = picked(**wanted)
    return fulfilment.hand_over(
        order, signature=SIGNED, by=situations.officer(order.facility), at=timezone.now()
    )


def lines(order: Order) -> dict[str, Line]:
    """Return sku → line, as the database has them now."""
    return {line.product.sku: line for line in order.lines.select_related("product")}


def money(held: Custody) -> tuple[int, int]:
    """Return (posted, held) fen of the person."""
    balance = escrow.balance(held)
    return balance.posted, balance.held


def owed(facility: Facility) -> dict[str, int]:
    """Return vendor name → fen that the book owes them."""
    names = {vendor.public_id: vendor.name for vendor in Vendor.objects.filter(facility=facility)}
    accounts = Account.objects.filter(kind="VENDOR", owner__in=names)
    return {names[account.owner]: posting.balance(account).posted for account in accounts}


def moved() -> tuple[int, ...]:
    """Count whatever a refused act must leave alone."""
    return (
        Journal.objects.count(),
        Order.objects.count(),
        Line.objects.count(),
        HandOver.objects.count(),
    )
