"""One function through which every state changes; the allowed moves stand beside the choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detention.errors import WrongMove

type Moves = Mapping[str, frozenset[str] | set[str]]


def may_move(row: Any, to: str) -> bool:
    """Tell whether `row.state` may become `to` by the class's `moves` table."""
    return to in row.moves.get(row.state, ())


def move(row: Any, to: str) -> None:
    """Set `row.state` to `to`, which the class's `moves` table must allow; does not save.

    Refuses WrongMove (wrong_state), with the state that was found. The caller holds the row's lock.
    """
    if not may_move(row, to):
        raise WrongMove(state=row.state)
    row.state = to
