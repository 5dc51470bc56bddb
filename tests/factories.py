"""Rows that have no verb of their own; everything else is made through verbs (situations.py)."""

from __future__ import annotations

import datetime as dt

import factory
from django.utils import timezone

from detention.models import Appointment, Cell, Facility, Role, User

PASSWORD = "correct horse battery"


class FacilityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Facility

    code = factory.Sequence(lambda n: f"centre-{n}")
    name_zh = factory.LazyAttribute(lambda o: f"看守所{o.code}")
    name_en = factory.LazyAttribute(lambda o: f"Detention centre {o.code}")


class CellFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Cell

    facility = factory.SubFactory(FacilityFactory)
    code = factory.Sequence(lambda n: f"A{n}")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    login = factory.Sequence(lambda n: f"person{n}@example.org")
    name = factory.Sequence(lambda n: f"Person {n}")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return model_class.objects.create_user(*args, password=PASSWORD, **kwargs)


class AppointmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Appointment

    user = factory.SubFactory(UserFactory)
    facility = factory.SubFactory(FacilityFactory)
    role = Role.GUARD
    begins_at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(days=30))
