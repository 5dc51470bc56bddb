"""Every product of the demo can be recognised without reading."""

from xml.etree import ElementTree

import pytest
from django.contrib.staticfiles import finders

from config import demo_shop


@pytest.mark.parametrize("sku", [good.sku for good in demo_shop.GOODS])
def test_every_product_of_the_demo_has_a_small_picture_of_its_own(sku):
    path = finders.find(f"commissary/products/{sku}.svg")

    assert path is not None
    with open(path) as file:
        text = file.read()
    assert ElementTree.fromstring(text).get("viewBox") == "0 0 96 96"
    assert len(text) < 3_000
    assert "style=" not in text
