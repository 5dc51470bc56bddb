"""Numbers an administrator may change: each with its unit, its default and its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from detention import audit
from detention.errors import Refusal
from detention.lifecycle import move
from detention.models import Facility, PolicyVersion, User
from detention.verbs import verb


class UnknownPolicy(Refusal):
    code = "unknown_policy"
    status = 404
    message = _("There is no such rule.")


class PolicyOutOfRange(Refusal):
    code = "policy_out_of_range"
    status = 422
    message = _("The value must lie between %(low)s and %(high)s.")


class PolicySelfApproval(Refusal):
    code = "self_approval"
    status = 403
    message = _("Another officer must approve what you proposed.")
    constraint = "policy_two_officers"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One number: `unit` is fen, times, minutes, hours, days or yes (1) and no (0)."""

    code: str
    label: Any
    unit: str
    default: int
    low: int = 0
    high: int = 10**12


RULES: dict[str, Rule] = {}


def declare(
    code: str, label: Any, *, unit: str, default: int, low: int = 0, high: int = 10**12
) -> None:
    """Make a rule known; called at import by the module that reads it."""
    RULES[code] = Rule(code=code, label=label, unit=unit, default=default, low=low, high=high)


def number(facility: Facility, code: str, *, at: datetime) -> int:
    """Return the value in force at `at`: the newest approved version, else the default."""
    rule = RULES[code]
    value = (
        PolicyVersion.objects.filter(
            facility=facility,
            code=code,
            state=PolicyVersion.State.APPROVED,
            effective_at__lte=at,
        )
        .order_by("-effective_at", "-pk")
        .values_list("value", flat=True)
        .first()
    )
    return rule.default if value is None else value


@verb
def propose(
    facility: Facility, code: str, value: int, *, effective_at: datetime, by: User, at: datetime
) -> PolicyVersion:
    """Propose a new value for a rule; it counts only after another officer approved it.

    Refuses UnknownPolicy, PolicyOutOfRange.
    """
    rule = RULES.get(code)
    if rule is None:
        raise UnknownPolicy
    if not rule.low <= value <= rule.high:
        raise PolicyOutOfRange(field="value", low=rule.low, high=rule.high)
    version = PolicyVersion.objects.create(
        facility=facility,
        code=code,
        value=value,
        effective_at=effective_at,
        proposed_by=by,
        proposed_at=at,
    )
    audit.record(
        "policy.proposed", by=by, at=at, subject=version, facility=facility, code=code, value=value
    )
    return version


@verb
def approve(version: PolicyVersion, *, by: User, at: datetime) -> PolicyVersion:
    """Put a proposed value into force from its effective moment.

    Refuses PolicySelfApproval (self_approval), WrongMove. Locks the version.
    """
    version = PolicyVersion.objects.select_for_update().get(pk=version.pk)
    if version.proposed_by_id == by.pk:
        raise PolicySelfApproval
    move(version, PolicyVersion.State.APPROVED)
    version.decided_by = by
    version.decided_at = at
    version.save(update_fields=["state", "decided_by", "decided_at"])
    audit.record("policy.approved", by=by, at=at, subject=version, facility=version.facility)
    return version
