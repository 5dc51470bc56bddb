"""The demo's shelf: a small shop as centres run it, made through the verbs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commissary import catalogue
from commissary.models import Product
from detention.models import Facility, User


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """One category; its picture is that of its first product."""

    code: str
    zh: str
    en: str
    sensitive: bool = False
    outside_limit: bool = False


@dataclass(frozen=True)
class Good:
    """One product. fen: its price; most: in one order. The picture has the sku's name."""

    shelf: str
    sku: str
    zh: str
    en: str
    unit_zh: str
    unit_en: str
    fen: int
    most: int


SHELVES = (
    Shelf(code="daily", zh="日用品", en="Daily needs"),
    Shelf(code="food", zh="食品", en="Food"),
    Shelf(code="drinks", zh="饮品", en="Drinks"),
    Shelf(code="clothes", zh="衣物", en="Clothes"),
    Shelf(code="writing", zh="文具", en="Writing"),
    Shelf(code="books", zh="图书", en="Books", outside_limit=True),
    Shelf(code="medical", zh="医药", en="Medical", sensitive=True, outside_limit=True),
)
GOODS = (
    Good("daily", "soap", "香皂", "Soap", "块", "bar", 4_50, 3),
    Good("daily", "toothpaste", "牙膏", "Toothpaste", "支", "tube", 8_00, 2),
    Good("daily", "toothbrush", "软柄牙刷", "Toothbrush", "把", "piece", 3_50, 2),
    Good("daily", "towel", "毛巾", "Towel", "条", "piece", 12_00, 2),
    Good("daily", "tissue", "卫生纸", "Tissue", "卷", "roll", 2_50, 10),
    Good("daily", "shampoo", "洗发水", "Shampoo", "瓶", "bottle", 16_00, 1),
    Good("food", "noodles", "方便面", "Instant noodles", "桶", "cup", 5_00, 10),
    Good("food", "biscuits", "饼干", "Biscuits", "包", "pack", 6_80, 5),
    Good("food", "apples", "苹果", "Apples", "斤", "500 g", 5_50, 5),
    Good("drinks", "milk", "纯牛奶", "Milk", "盒", "carton", 3_80, 12),
    Good("drinks", "tea", "茶叶", "Tea", "袋", "bag", 9_00, 2),
    Good("clothes", "socks", "棉袜", "Socks", "双", "pair", 7_00, 4),
    Good("clothes", "slippers", "拖鞋", "Slippers", "双", "pair", 14_00, 1),
    Good("writing", "notebook", "笔记本", "Notebook", "本", "piece", 4_00, 3),
    Good("writing", "pen", "软笔", "Soft pen", "支", "piece", 2_00, 3),
    Good("books", "book", "图书", "Book", "本", "copy", 28_00, 3),
    Good("medical", "plaster", "创可贴", "Plasters", "盒", "box", 6_00, 2),
)
VENDORS = {"food": "晨光食品商行", "drinks": "晨光食品商行"}
OTHER_VENDOR = "利民日用百货"


def build(facility: Facility, *, at: datetime) -> None:
    """Fill the facility's shelf if it is empty; two officers stand behind every price."""
    if Product.objects.filter(facility=facility).exists():
        return
    boss = User.objects.get(login=f"{facility.code}-admin-1")
    other = User.objects.get(login=f"{facility.code}-admin-2")
    shelves = {
        shelf.code: catalogue.add_category(
            facility,
            code=shelf.code,
            name_zh=shelf.zh,
            name_en=shelf.en,
            picture=next(good.sku for good in GOODS if good.shelf == shelf.code),
            sensitive=shelf.sensitive,
            outside_limit=shelf.outside_limit,
            position=position,
            by=boss,
            at=at,
        )
        for position, shelf in enumerate(SHELVES, start=1)
    }
    for position, good in enumerate(GOODS, start=1):
        vendor = VENDORS.get(good.shelf, OTHER_VENDOR)
        product = catalogue.add_product(
            shelves[good.shelf],
            vendor=catalogue.add_vendor(facility, name=vendor, by=boss, at=at),
            sku=good.sku,
            name_zh=good.zh,
            name_en=good.en,
            unit_zh=good.unit_zh,
            unit_en=good.unit_en,
            picture=good.sku,
            most_per_order=good.most,
            position=position,
            by=boss,
            at=at,
        )
        price = catalogue.propose_price(product, good.fen, effective_at=at, by=boss, at=at)
        catalogue.approve_price(price, by=other, at=at)
