"""What the worker does by the clock; installed each time a worker starts."""

from __future__ import annotations

from django_q.models import Schedule

# name: (task, minutes between two runs)
SCHEDULES: dict[str, tuple[str, int]] = {
    "heartbeat": ("config.tasks.heartbeat", 1),
    "sweep": ("config.tasks.sweep", 1),
}


def install() -> None:
    """Make the schedules what the table says: add, correct, and drop what it no longer names.

    Running it again changes nothing, the time of the next run included.
    """
    Schedule.objects.exclude(name__in=SCHEDULES).delete()
    for name, (task, minutes) in SCHEDULES.items():
        wanted = {"func": task, "schedule_type": Schedule.MINUTES, "minutes": minutes}
        rows = Schedule.objects.filter(name=name)
        if rows.count() != 1:
            rows.delete()
            Schedule.objects.create(name=name, **wanted)
        else:
            rows.update(**wanted)
