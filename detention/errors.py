"""The one base of everything a person can cause and the program refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _


class Refusal(Exception):
    """An act that was refused; nothing has changed.

    Subclasses are one sentence each, defined beside the verb that raises them:
    `code` is stable and machine-readable, `status` is the HTTP status, `message` is a
    lazily translated sentence that may name facts as `%(limit)s`.

    field: name of the form field the sentence belongs to, if any.
    record: what must be kept although the act was refused (a wrong PIN, an attempted
    self-approval); the door runs it in a transaction of its own after the rollback.
    facts: values for the sentence and for problem+json; never secrets.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    message: ClassVar[Any] = _("This cannot be done.")
    # Name of the database constraint that says the same; its violation becomes this refusal.
    constraint: ClassVar[str] = ""

    by_constraint: ClassVar[dict[str, type[Refusal]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.constraint:
            Refusal.by_constraint[cls.constraint] = cls

    def __init__(
        self,
        *,
        field: str | None = None,
        record: Callable[[], object] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(self.code)
        self.field = field
        self.record = record
        self.facts = facts

    def text(self) -> str:
        """Return the sentence in the active language, with its facts filled in."""
        return str(self.message) % {name: self.show(value) for name, value in self.facts.items()}

    def show(self, value: Any) -> str:
        """Render one fact for a person; money apps override this for amounts."""
        return str(value)

    def __str__(self) -> str:
        return self.text()


class NotFound(Refusal):
    """The thing does not exist, or the asker may not know that it does."""

    code = "not_found"
    status = 404
    message = _("We could not find that.")


class NotAllowed(Refusal):
    """The person's role does not permit this act here."""

    code = "not_allowed"
    status = 403
    message = _("You are not allowed to do this.")


class Busy(Refusal):
    """The database was too busy three times in a row."""

    code = "busy"
    status = 503
    message = _("The system is busy. Nothing was changed. Try again in a moment.")


class WrongMove(Refusal):
    """The thing is not in a state from which this act is allowed."""

    code = "wrong_state"
    message = _("This was already decided or is no longer possible.")
