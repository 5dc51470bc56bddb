"""`manage.py demo`: make the demo facilities, or what is missing of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config import demo


class Command(BaseCommand):
    help = "Make the demo facilities, officers and people in custody; again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo is not for production.")
        made = demo.build(at=timezone.now())
        self.stdout.write(f"{'facility':<10} {'role':<14} {'log-in':<20} password")
        for one in made:
            self.stdout.write(f"{one.facility:<10} {one.role:<14} {one.login:<20} {one.password}")
