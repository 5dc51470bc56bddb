import unicodedata
from contextlib import suppress

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts import money
from accounts.ledger.models import BalanceRow
from tests.accounts.ledger_situations import account, open_book

AMOUNTS = st.integers(min_value=1, max_value=money.LARGEST_FEN)


@given(AMOUNTS)
def test_whatever_is_shown_is_read_back_as_the_same_amount(fen):
    assert money.parse(money.show(fen)) == fen


@given(AMOUNTS, st.sampled_from(["{}", "¥{}", "￥{}", "{}元", " {} 元 ", "¥ {}"]), st.booleans())
def test_symbols_spaces_and_full_width_digits_do_not_change_the_amount(fen, dress, wide):
    plain = f"{fen // 100}.{fen % 100:02d}"
    typed = dress.format(plain)
    if wide:
        typed = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in typed)

    assert unicodedata.normalize("NFKC", typed) == unicodedata.normalize(
        "NFKC", dress.format(plain)
    )
    assert money.parse(typed) == fen


@given(st.one_of(st.text(max_size=20), st.floats(), st.booleans(), st.decimals(), st.none()))
def test_anything_else_is_an_amount_within_bounds_or_refused(typed):
    try:
        fen = money.parse(typed)
    except money.BadAmount:
        return

    assert isinstance(typed, str)
    assert 0 < fen <= money.LARGEST_FEN


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("200", 20_000),
        ("200.5", 20_050),
        ("0.01", 1),
        ("007", 700),
        ("1,234.50", 123_450),
        ("1，234.50", 123_450),
        ("２００．５０", 20_050),
        ("￥1,000,000元", 100_000_000),
        ("10000000000", 10**12),
    ],
)
def test_amounts_as_people_type_them(typed, fen):
    assert money.parse(typed) == fen


@pytest.mark.parametrize(
    "typed",
    [
        *["", " ", "元", "0", "0.00", "-5", "−5", "+5", "1.234", "1.", ".5", "1e3", "1E3", "0x10"],
        *[
            "12,34",
            "1,23",
            "1,2345",
            ",5",
            "1..2",
            "1.2.3",
            "1/2",
            "五十",
            "贰佰元整",
            "abc",
            "NaN",
        ],
        *["inf", "١٢", "10000000000.01", "9" * 30, "1" * 61, 200, 2.5, True, None, b"200"],
    ],
)
def test_what_is_not_an_amount_is_refused_with_an_example(typed):
    with pytest.raises(money.BadAmount) as refused:
        money.parse(typed, field="sum")

    assert refused.value.field == "sum"
    assert "200.50" in refused.value.text()


@pytest.mark.parametrize(
    ("fen", "shown"), [(0, "¥0.00"), (5, "¥0.05"), (123_450, "¥1,234.50"), (-20_000, "−¥200.00")]
)
def test_amounts_are_shown_in_yuan(fen, shown):
    assert money.show(fen) == shown


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (105, "壹元零伍分"),
        (20_000, "贰佰元整"),
        (123_450, "壹仟贰佰叁拾肆元伍角整"),
        (100_001, "壹仟元零壹分"),
        (1_000_500, "壹万零伍元整"),
        (1_001_000, "壹万零壹拾元整"),
        (10_500_000, "壹拾万伍仟元整"),
        (100_000_100, "壹佰万零壹元整"),
        (10_000_000_000, "壹亿元整"),
        (10_000_100_012, "壹亿零壹仟元壹角贰分"),
        (1_000_000_000_000, "壹佰亿元整"),
    ],
)
def test_receipts_write_amounts_in_capital_numerals(fen, words):
    assert money.capitals(fen) == words


@pytest.mark.django_db
@pytest.mark.parametrize("value", [1.5, True, "12", 10.0])
def test_a_money_column_takes_nothing_but_integers_from_python(value):
    escrow = account(open_book())

    with pytest.raises(TypeError, match="integer fen"), transaction.atomic():
        BalanceRow.objects.filter(account=escrow).update(floor=value)

    assert BalanceRow.objects.get(account=escrow).floor == 0


@pytest.mark.django_db
def test_no_database_keeps_a_fraction_of_a_fen():
    escrow = account(open_book())

    # PostgreSQL rounds what comes past Django; SQLite would keep it, so there it is refused.
    with suppress(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_balance SET floor = -1.5")

    kept = BalanceRow.objects.values_list("floor", flat=True).get(account=escrow)
    assert (type(kept), kept) in [(int, 0), (int, -2)]
