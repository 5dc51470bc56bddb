"""What happened: one append-only row for each act."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

from detention.models import AuditRecord, Custody, Facility, User
from detention.verbs import assert_in_transaction

# Who acts: a person who signed in, a detainee on a tablet, or None for the system itself.
type Actor = User | Custody | None


def record(
    action: str,
    *,
    by: Actor,
    at: datetime,
    subject: models.Model,
    facility: Facility | None = None,
    **facts: Any,
) -> AuditRecord:
    """Write down one act.

    action: dotted past, `order.approved`. subject: the row acted on. facts: JSON-able, no names
    of people, no free text about them. Within the caller's transaction.
    """
    assert_in_transaction()
    return AuditRecord.objects.create(
        at=at,
        action=action,
        facility=facility,
        user=by if isinstance(by, User) else None,
        custody=by if isinstance(by, Custody) else None,
        subject_type=subject._meta.label_lower,
        subject_id=subject.pk,
        facts=facts,
    )
