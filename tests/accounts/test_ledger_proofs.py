"""Somebody with the rights to switch the guards off alters one row: the proof names it."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.ledger import posting, proofs
from accounts.ledger.models import BalanceRow, Entry, Hold, Journal, Lot, LotUse, ProofRun
from accounts.ledger.posting import Line
from detention import triggers
from tests.accounts.ledger_situations import (
    AT,
    account,
    captured,
    deposited,
    held,
    open_book,
    post,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    """A book with a deposit, an open hold, a capture and a reversed allowance."""
    escrow = account(open_book())
    deposited(escrow, 100_00)
    hold = held(escrow, 60_00)
    captured(hold, 20_00, vendor=account(escrow.book, "VENDOR"))
    allowance = post("allowance", Line(account(escrow.book, "FACILITY"), -5_00), Line(escrow, 5_00))
    posting.reverse(allowance, key="r", at=AT, by=1, approved_by=2, reason="typo")
    return escrow


def guards_off():
    """Drop every guard, as the owner of a database file can."""
    connection.check_constraints()
    editor = connection.schema_editor()
    for guards in triggers.declared().values():
        triggers.drop(editor, guards)


def broken():
    """Return the named rows by invariant, without the guards' own."""
    result = proofs.run(at=AT)
    assert not result.ok
    return {
        finding["code"]: finding["named"]
        for finding in result.result
        if finding["violations"] and finding["code"] != "T1"
    }


def test_an_honest_ledger_holds_and_every_invariant_looked_at_rows(scene):
    result = proofs.run(at=AT)

    assert result.ok
    looked_at = {finding["code"]: finding["rows"] for finding in result.result}
    assert looked_at.pop("T1") == len(proofs._expected_triggers())
    assert looked_at == {
        "I1": 5,  # journals
        "I2": 9,  # entries
        "I3": 5,  # of live accounts
        "I4": 1,
        "I5": 1,
        "I6": 9,
        "I7": 5,
        "I8": 1,  # holds
        "I9": 1,  # reversals
        "L1": 2,  # lots
        "I10": 9,
    }
    assert result.rows == proofs.size()
    assert proofs.last() == result


def journal(kind):
    return Journal.objects.get(kind=kind)


def label(entry):
    return f"entry {entry.pk} of journal {entry.journal_id}"


def test_a_changed_amount_is_named(scene):
    entry = Entry.objects.get(journal__kind="order_captured", account__kind="VENDOR")
    guards_off()

    Entry.objects.filter(pk=entry.pk).update(amount=19_00)

    assert broken() == {"I1": [f"journal {entry.journal_id}"]}


def test_money_moved_from_one_line_to_another_is_named(scene):
    entry = Entry.objects.get(journal__kind="deposit_captured", account=scene)
    guards_off()

    Entry.objects.filter(pk=entry.pk).update(amount=99_00)
    Entry.objects.filter(journal=entry.journal, line=1).update(amount=-99_00)

    assert broken() == {"I3": [label(entry)], "L1": [label(entry)]}


def test_a_deleted_line_is_named(scene):
    entry = Entry.objects.get(journal__kind="order_captured", account__kind="VENDOR")
    guards_off()

    Entry.objects.filter(pk=entry.pk)._raw_delete("default")

    found = broken()
    assert found["I1"] == [f"journal {entry.journal_id}"]
    assert found["I10"] == [f"journal {entry.journal_id} order_captured"]


def test_a_balance_changed_behind_the_ledgers_back_is_named(scene):
    guards_off()

    BalanceRow.objects.filter(pk=scene.pk).update(posted=80_01)

    named = [f"account {scene.pk} ESCROW"]
    assert broken() == {"I4": named, "L1": named}


def test_a_missing_balance_is_named(scene):
    guards_off()

    BalanceRow.objects.filter(pk=scene.pk)._raw_delete("default")

    assert broken()["I4"] == [f"account {scene.pk} ESCROW"]


def test_a_raised_hold_is_named(scene):
    hold = Hold.objects.get()
    guards_off()

    Hold.objects.filter(pk=hold.pk).update(remaining=1)

    assert broken() == {"I8": [f"account {scene.pk} ESCROW", f"hold {hold.pk}"]}


def test_a_refilled_lot_is_named(scene):
    lot = Lot.objects.get(kind="deposit_captured")
    guards_off()

    Lot.objects.filter(pk=lot.pk).update(remaining=100_00)

    assert broken() == {"L1": [f"account {scene.pk} ESCROW", f"lot {lot.pk}"]}


def test_a_lot_use_moved_to_another_journal_is_named(scene):
    use = LotUse.objects.get(journal__kind="order_captured")
    guards_off()

    LotUse.objects.filter(pk=use.pk).update(journal=journal("deposit_captured"))

    assert broken() == {
        "L1": sorted(
            label(Entry.objects.get(journal__kind=kind, account=scene))
            for kind in ("order_captured", "deposit_captured")
        )
    }


def test_a_journal_of_another_day_is_named(scene):
    guards_off()

    Journal.objects.filter(kind="deposit_captured").update(business_date="2026-11-03")

    assert broken() == {"I7": [f"journal {journal('deposit_captured').pk}"]}


def test_a_journal_relabelled_as_another_kind_is_named(scene):
    guards_off()

    Journal.objects.filter(kind="order_captured").update(kind="vendor_paid")

    assert broken() == {"I10": [f"journal {journal('vendor_paid').pk} vendor_paid"]}


def test_a_reversal_that_reverses_something_else_is_named(scene):
    guards_off()

    Journal.objects.filter(kind="reversal").update(reverses=journal("deposit_captured"))

    assert broken() == {"I9": [f"journal {journal('reversal').pk}"]}


def test_a_line_number_taken_away_is_named(scene):
    entry = Entry.objects.get(journal__kind="deposit_captured", account=scene)
    second = Entry.objects.get(account=scene, seq=2)
    guards_off()

    Entry.objects.filter(pk=entry.pk).update(seq=None, posted_after=None, held_after=None)

    assert broken() == {"I3": [label(second)], "I6": [label(entry)]}


def test_a_balance_and_its_entry_changed_together_are_named(scene):
    guards_off()
    BalanceRow.objects.filter(pk=scene.pk).update(floor=None)
    last = Entry.objects.filter(account=scene).latest("seq")
    Entry.objects.filter(pk=last.pk).update(posted_after=-1)

    BalanceRow.objects.filter(pk=scene.pk).update(posted=-1)

    found = broken()
    assert found["I3"] == [label(last)]
    assert "I4" not in found


def test_a_missing_guard_is_part_of_the_proof(scene):
    guards_off()

    finding = next(each for each in proofs.run(at=AT).result if each["code"] == "T1")

    assert finding["violations"] == finding["rows"] == len(proofs._expected_triggers())
    assert finding["named"][0] == "trigger detention_auditrecord_no_delete is missing"


def test_a_proof_of_one_book_says_nothing_about_another(scene):
    elsewhere = account(open_book())
    deposited(elsewhere, 5_00)
    guards_off()
    BalanceRow.objects.filter(pk=elsewhere.pk).update(posted=6_00)

    here = {each["code"]: each["violations"] for each in proofs.run(at=AT, book=scene.book).result}
    there = proofs.run(at=AT, book=elsewhere.book)

    assert here["I4"] == 0
    assert {each["code"]: each["violations"] for each in there.result}["I4"] == 1


def command(*arguments):
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command("ledger_proof", *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        code = ended.code
    return code, out.getvalue()


def test_the_command_prints_a_line_for_each_invariant_and_ends_well(scene):
    code, printed = command()

    lines = printed.splitlines()
    assert code == 0
    assert lines[0] == (
        "I1           5 rows     0 violations  every journal balances and has all its lines"
    )
    assert len(lines) == len(proofs.INVARIANTS) + 3
    assert lines[-1] == "The ledger holds."


def test_the_command_ends_with_one_and_names_invariant_and_row(scene):
    guards_off()
    BalanceRow.objects.filter(pk=scene.pk).update(posted=80_01)

    code, printed = command()

    assert code == 1
    assert f"      I4 broken by account {scene.pk} ESCROW" in printed.splitlines()
    assert printed.splitlines()[-1] == "THE LEDGER IS BROKEN."
    assert not ProofRun.objects.get().ok


def test_the_command_speaks_json(scene):
    code, printed = command("--json", "--book", scene.book.code)

    told = json.loads(printed)
    assert (code, told["ok"]) == (0, True)
    assert told["invariants"] == ProofRun.objects.get().result


def test_the_command_knows_no_other_book(scene):
    with pytest.raises(CommandError, match="There is no book nowhere"):
        call_command("ledger_proof", "--book", "nowhere")
