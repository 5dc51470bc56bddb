"""The shelf: vendors, categories, products, and prices that two officers stand behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.errors import MoneyRefusal
from commissary.models import Catalogue, Category, Price, Product, Vendor
from detention import access, audit
from detention.errors import Refusal
from detention.lifecycle import move
from detention.models import Facility, Role, User
from detention.verbs import assert_in_transaction, verb


class PriceSelfApproval(Refusal):
    """The officer who proposed a price may not approve it."""

    code = "self_approval"
    status = 403
    message = _("Another officer must approve what you proposed.")
    constraint = "price_two_officers"


class PriceUnchanged(MoneyRefusal):
    """The proposed price is the one in force."""

    code = "price_unchanged"
    status = 422
    message = _("This product already costs %(price)s.")


class SkuTaken(Refusal):
    """Another product of the facility has this number."""

    code = "sku_taken"
    message = _("Another product already has this number.")
    constraint = "product_sku_unique"


class ElsewhereProduct(Refusal):
    """Vendor, category and product must belong to one facility."""

    code = "other_facility"
    status = 422
    message = _("This belongs to another facility.")


@verb
def add_vendor(facility: Facility, *, name: str, by: User, at: datetime) -> Vendor:
    """Register a supplier; the same name again returns the one that is there.

    Refuses NotAllowed (administrator).
    """
    access.require(by, facility, Role.ADMINISTRATOR)
    vendor, new = Vendor.objects.get_or_create(facility=facility, name=name.strip())
    if new:
        audit.record("vendor.added", by=by, at=at, subject=vendor, facility=facility)
    return vendor


@verb
def add_category(
    facility: Facility,
    *,
    code: str,
    name_zh: str,
    name_en: str,
    picture: str,
    sensitive: bool = False,
    outside_limit: bool = False,
    position: int = 0,
    by: User,
    at: datetime,
) -> Category:
    """Put up a shelf; the same code again returns the one that is there.

    Refuses NotAllowed (administrator). Changes the catalogue version.
    """
    access.require(by, facility, Role.ADMINISTRATOR)
    category, new = Category.objects.get_or_create(
        facility=facility,
        code=code,
        defaults={
            "name_zh": name_zh,
            "name_en": name_en,
            "picture": picture,
            "sensitive": sensitive,
            "outside_limit": outside_limit,
            "position": position,
        },
    )
    if new:
        _changed(facility)
        audit.record("category.added", by=by, at=at, subject=category, facility=facility)
    return category


@verb
def add_product(
    category: Category,
    *,
    vendor: Vendor,
    sku: str,
    name_zh: str,
    name_en: str,
    unit_zh: str,
    unit_en: str,
    picture: str,
    most_per_order: int,
    position: int = 0,
    by: User,
    at: datetime,
) -> Product:
    """Put a product on a shelf; it can be ordered once a price of it is in force.

    Refuses NotAllowed (administrator), ElsewhereProduct, SkuTaken. Changes the catalogue version.
    """
    facility = category.facility
    access.require(by, facility, Role.ADMINISTRATOR)
    if vendor.facility_id != facility.pk:
        raise ElsewhereProduct(field="vendor")
    _changed(facility)
    product = Product.objects.create(
        facility=facility,
        vendor=vendor,
        category=category,
        sku=sku,
        name_zh=name_zh,
        name_en=name_en,
        unit_zh=unit_zh,
        unit_en=unit_en,
        picture=picture,
        most_per_order=most_per_order,
        position=position,
    )
    audit.record("product.added", by=by, at=at, subject=product, facility=facility, sku=sku)
    return product


@verb
def offer(product: Product, *, by: User, at: datetime) -> Product:
    """Put a withdrawn product back on the shelf; again is harmless."""
    return _set_offered(product, True, by=by, at=at)


@verb
def withdraw(product: Product, *, by: User, at: datetime) -> Product:
    """Take a product off the shelf; orders already placed go on. Again is harmless."""
    return _set_offered(product, False, by=by, at=at)


def _set_offered(product: Product, offered: bool, *, by: User, at: datetime) -> Product:
    access.require(by, product.facility, Role.ADMINISTRATOR)
    _changed(product.facility)
    product.refresh_from_db()
    if product.is_offered != offered:
        product.is_offered = offered
        product.save(update_fields=["is_offered"])
        action = "product.offered" if offered else "product.withdrawn"
        audit.record(action, by=by, at=at, subject=product, facility=product.facility)
    return product


@verb
def propose_price(
    product: Product, amount: int, *, effective_at: datetime, by: User, at: datetime
) -> Price:
    """Propose what one unit shall cost from `effective_at` on; counts once another approved it.

    amount: fen. Refuses NotAllowed (administrator, finance), PriceUnchanged.
    """
    access.require(by, product.facility, Role.ADMINISTRATOR, Role.FINANCE)
    current = Price.objects.in_force(at).filter(product=product).first()
    if current is not None and current.amount == amount:
        raise PriceUnchanged(field="amount", price=amount)
    price = Price.objects.create(
        product=product,
        amount=amount,
        effective_at=max(effective_at, at),
        proposed_by=by,
        proposed_at=at,
    )
    audit.record(
        "price.proposed", by=by, at=at, subject=price, facility=product.facility, amount=amount
    )
    return price


@verb
def approve_price(price: Price, *, by: User, at: datetime) -> Price:
    """Put a proposed price into force, never back in time.

    Refuses NotAllowed, PriceSelfApproval (kept in the audit), WrongMove. Locks the price.
    """
    price = _lock_price(price.pk)
    facility = price.product.facility
    access.require(by, facility, Role.ADMINISTRATOR, Role.FINANCE)
    if price.proposed_by_id == by.pk:
        raise PriceSelfApproval(record=lambda: _keep_attempt(price, by=by, at=at))
    move(price, Price.State.APPROVED)
    # The version of the catalogue counts prices in force: it may only grow with time.
    price.effective_at = max(price.effective_at, at)
    _decide(price, by=by, at=at)
    audit.record("price.approved", by=by, at=at, subject=price, facility=facility)
    return price


@verb
def reject_price(price: Price, *, by: User, at: datetime) -> Price:
    """Turn a proposed price down.

    Refuses NotAllowed, PriceSelfApproval (two officers for this too), WrongMove. Locks the price.
    """
    price = _lock_price(price.pk)
    facility = price.product.facility
    access.require(by, facility, Role.ADMINISTRATOR, Role.FINANCE)
    if price.proposed_by_id == by.pk:
        raise PriceSelfApproval
    move(price, Price.State.REJECTED)
    _decide(price, by=by, at=at)
    audit.record("price.rejected", by=by, at=at, subject=price, facility=facility)
    return price


def _decide(price: Price, *, by: User, at: datetime) -> None:
    price.approved_by = by
    price.approved_at = at
    price.save(update_fields=["state", "effective_at", "approved_by", "approved_at"])


def _lock_price(pk: int) -> Price:
    return (
        Price.objects.select_for_update(of=("self",)).select_related("product__facility").get(pk=pk)
    )


def _keep_attempt(price: Price, *, by: User, at: datetime) -> None:
    audit.record(
        "price.self_approval_refused",
        by=by,
        at=at,
        subject=price,
        facility=price.product.facility,
    )


def _changed(facility: Facility) -> None:
    """Count one change of the facility's shelf; locks its catalogue row."""
    assert_in_transaction()
    Catalogue.objects.get_or_create(facility=facility)
    Catalogue.objects.filter(facility=facility).update(revision=F("revision") + 1)


def version(facility: Facility, *, at: datetime) -> int:
    """Return the number of the catalogue as it stands at `at`.

    Grows with every change of the shelf and with every price that comes into force, also one that
    was approved ahead of its day; never shrinks.
    """
    row = Catalogue.objects.filter(facility=facility).first()
    prices = Price.objects.in_force(at).filter(product__facility=facility).order_by().count()
    return (row.revision if row else 0) + prices


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The catalogue at one moment: its number and, in shelf order, each product's price."""

    version: int
    prices: Sequence[Price]


def shelf(facility: Facility, *, at: datetime) -> Shelf:
    """Return what the facility sells at `at`."""
    return Shelf(
        version=version(facility, at=at),
        prices=list(Price.objects.filter(product__facility=facility).on_shelf(at)),
    )
