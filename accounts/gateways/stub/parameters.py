"""Checking a request's parameters against the SDK's own parameter classes.

The real API refuses a parameter that it does not know; a simulator that ignored it would let a
misspelt or outdated one pass until the day of the first real payment.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, NotRequired, Required, get_args, get_origin
from urllib.parse import parse_qsl

from stripe import RequestOptions


class ApiError(Exception):
    """An answer of the API that says no, in Stripe's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        type: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": type, "message": message}
        if code:
            self.error["code"] = code
        if param:
            self.error["param"] = param


def decode(text: str) -> dict[str, Any]:
    """Turn `a[0][b]=c` into {"a": {"0": {"b": "c"}}}; every leaf is text."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        *path, leaf = name.replace("]", "").split("[")
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node[leaf] = value
    return tree


def checked(shape: type, text: str) -> dict[str, Any]:
    """Decode a form-encoded request and check it against one of the SDK's parameter classes.

    Returns the parameters with lists as lists and numbers as numbers.
    Errors: ApiError 400 for an unknown, missing or malformed parameter.
    """
    return _object(shape, decode(text), "")


@functools.cache
def _fields(shape: type) -> dict[str, Any]:
    # The two are imported for type checkers only, by the request options, which are no parameters.
    names = {"StripeContext": object, "Mapping": Mapping}
    hints = typing.get_type_hints(shape, localns=names, include_extras=True)
    options = set(RequestOptions.__annotations__)
    return {name: hint for name, hint in hints.items() if name not in options}


def _object(shape: type, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ApiError(400, f"Invalid object: {where}", param=where)
    fields = _fields(shape)
    for name in value:
        if name not in fields:
            param = _join(where, name)
            raise ApiError(
                400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param
            )
    result = {}
    for name, hint in fields.items():
        if name in value:
            result[name] = _value(hint, value[name], _join(where, name))
        elif get_origin(hint) is not NotRequired:
            param = _join(where, name)
            raise ApiError(
                400, f"Missing required param: {param}.", code="parameter_missing", param=param
            )
    return result


def _value(hint: Any, value: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin in (NotRequired, Required):
        return _value(get_args(hint)[0], value, where)
    if origin in (typing.Union, types.UnionType):
        return _one_of(get_args(hint), value, where)
    if origin is Literal:
        if value in get_args(hint):
            return value
        raise ApiError(400, f"Invalid {where}: must be one of {get_args(hint)}", param=where)
    if origin is list:
        if not isinstance(value, dict):
            raise ApiError(400, f"Invalid array: {where}", param=where)
        item = get_args(hint)[0]
        return [_value(item, value[index], f"{where}[{index}]") for index in value]
    if origin is dict:
        if not isinstance(value, dict):
            raise ApiError(400, f"Invalid object: {where}", param=where)
        return value
    # A TypedDict of typing_extensions, which typing does not recognise as its own.
    if hasattr(hint, "__required_keys__"):
        return _object(hint, value, where)
    return _leaf(hint, value, where)


def _one_of(hints: tuple[Any, ...], value: Any, where: str) -> Any:
    # `Literal[…] | str` lets a newer server add words; today's server knows only these.
    if any(get_origin(hint) is Literal for hint in hints):
        hints = tuple(hint for hint in hints if hint is not str)
    first: ApiError | None = None
    for hint in hints:
        try:
            return _value(hint, value, where)
        except ApiError as error:
            first = first or error
    assert first is not None
    raise first


def _leaf(hint: Any, value: Any, where: str) -> Any:
    if not isinstance(value, str):
        raise ApiError(400, f"Invalid string: {where}", param=where)
    if hint is bool:
        if value in ("true", "false"):
            return value == "true"
        raise ApiError(400, f"Invalid boolean: {value}", param=where)
    if hint in (int, float, Decimal):
        try:
            return hint(value)
        except (ValueError, ArithmeticError):
            raise ApiError(
                400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=where
            ) from None
    if hint is str:
        return value
    raise ApiError(400, f"Invalid value: {where}", param=where)


def _join(where: str, name: str) -> str:
    return f"{where}[{name}]" if where else name
