"""`manage.py ledger_proof`: prove that every fen is where the ledger says it is."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from accounts.ledger import proofs
from accounts.ledger.models import Book, ProofRun


class Command(BaseCommand):
    help = "Check every invariant of the ledger; ends with 1 and names the rows when one is broken."
    # The guards are one of the invariants: a broken one shall be reported, not stop the report.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument("--book", metavar="CODE", help="only this facility's book")

    def handle(self, *args: Any, **options: Any) -> None:
        book = _book(options["book"])
        with tqdm(
            total=proofs.size(book), unit=" rows", file=sys.stderr, leave=False, disable=None
        ) as bar:

            def step(code: str, rows: int) -> None:
                bar.set_description(code)
                bar.update(rows)

            result = proofs.run(at=timezone.now(), book=book, progress=step)
        self.stdout.write(_as_json(result) if options["json"] else _as_lines(result))
        if not result.ok:
            sys.exit(1)


def _book(code: str | None) -> Book | None:
    if code is None:
        return None
    try:
        return Book.objects.get(code=code)
    except Book.DoesNotExist:
        raise CommandError(f"There is no book {code}.") from None


def _as_json(result: ProofRun) -> str:
    whole = {"at": result.at.isoformat(), "ok": result.ok, "invariants": result.result}
    return json.dumps(whole, indent=2)


def _as_lines(result: ProofRun) -> str:
    lines = []
    for finding in result.result:
        count = f"{finding['rows']:>10,} rows  {finding['violations']:>4} violations"
        lines.append(f"{finding['code']:<4}{count}  {finding['title']}")
        lines += [f"      {finding['code']} broken by {label}" for label in finding["named"]]
        if finding["violations"] > len(finding["named"]):
            lines.append(f"      and {finding['violations'] - len(finding['named'])} more")
    lines.append("The ledger holds." if result.ok else "THE LEDGER IS BROKEN.")
    return "\n".join(lines)
