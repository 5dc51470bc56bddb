"""The simulated API: one function from a request to Stripe's answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model, Q, QuerySet
from stripe.params import RefundCreateParams, RefundListParams, RefundRetrieveParams
from stripe.params.checkout import (
    SessionCreateParams,
    SessionExpireParams,
    SessionListParams,
    SessionRetrieveParams,
)

from accounts.gateways.stub import letters, shapes, shopper
from accounts.gateways.stub.models import CheckoutSession, Payment, Refund, StoredAnswer
from accounts.gateways.stub.parameters import ApiError, checked

KEY_LIFE = timedelta(hours=24)
SHORTEST_PAGE = timedelta(minutes=30)
LONGEST_PAGE = timedelta(hours=24)
LARGEST_AMOUNT = 99_999_999
# What Alipay is offered in, which cards take as well.
CURRENCIES = {"aud", "cad", "cny", "eur", "gbp", "hkd", "jpy", "myr", "nzd", "sgd", "usd"}
METHODS = {"card", "alipay"}
EXPANDABLE = {"payment_intent", "payment_intent.latest_charge"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it arrives; `text` is its form-encoded body or query."""

    method: str
    path: str
    text: str
    authorization: str
    idempotency_key: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: str
    headers: Mapping[str, str]


def answer(request: Request) -> Answer:
    """Serve one request, in a transaction of the provider's own.

    A POST with an idempotency key that was served within a day gets the same answer again, and
    IdempotencyError if its parameters differ. Refused parameters are not remembered.
    """
    try:
        _authenticate(request)
        if request.method == "POST" and request.idempotency_key:
            return _once(request)
        with transaction.atomic():
            return _answered(200, _dispatch(request))
    except ApiError as error:
        return _answered(error.status, {"error": error.error})


def _authenticate(request: Request) -> None:
    if not request.authorization.startswith("Bearer sk_test_"):
        raise ApiError(401, "Invalid API Key provided", type="invalid_request_error")


def _once(request: Request) -> Answer:
    """Serve a request under its key; a twin that commits first leaves its answer for us."""
    for _attempt in range(2):
        if stored := _stored(request):
            return stored
        try:
            with transaction.atomic():
                fresh = _answered(200, _dispatch(request))
                StoredAnswer.objects.create(
                    key=request.idempotency_key,
                    fingerprint=_fingerprint(request),
                    status=fresh.status,
                    body=fresh.body,
                    created_at=request.at,
                )
                return fresh
        except IntegrityError:
            continue
    raise ApiError(409, "There is another request in progress with this key.")


def _stored(request: Request) -> Answer | None:
    StoredAnswer.objects.filter(created_at__lte=request.at - KEY_LIFE).delete()
    stored = StoredAnswer.objects.filter(key=request.idempotency_key).first()
    if stored is None:
        return None
    if stored.fingerprint != _fingerprint(request):
        raise ApiError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were"
            f" first used with. Try using a key other than '{stored.key}'.",
            type="idempotency_error",
        )
    return Answer(
        status=stored.status, body=stored.body, headers=_headers() | {"Idempotent-Replayed": "true"}
    )


def _fingerprint(request: Request) -> str:
    return hashlib.sha256(f"{request.path}?{request.text}".encode()).hexdigest()


def _answered(status: int, body: dict[str, Any]) -> Answer:
    return Answer(status=status, body=json.dumps(body), headers=_headers())


def _headers() -> dict[str, str]:
    return {"Content-Type": "application/json"}


def _dispatch(request: Request) -> dict[str, Any]:
    for method, pattern, serve in _ROUTES:
        match = re.fullmatch(pattern, request.path)
        if match and method == request.method:
            return serve(request, *match.groups())
    raise ApiError(404, f"Unrecognized request URL ({request.method}: {request.path}).")


def _create_session(request: Request) -> dict[str, Any]:
    asked = _supported(
        checked(SessionCreateParams, request.text),
        "allowed_payment_method_types",
        "cancel_url",
        "client_reference_id",
        "expand",
        "expires_at",
        "line_items",
        "locale",
        "metadata",
        "mode",
        "payment_intent_data",
        "success_url",
    )
    for name in ("mode", "line_items", "success_url"):
        if name not in asked:
            raise ApiError(
                400, f"Missing required param: {name}.", code="parameter_missing", param=name
            )
    if asked["mode"] != "payment":
        raise ApiError(400, "The simulator knows only mode=payment.", param="mode")
    currency, amount, description = _line(asked["line_items"])
    methods = asked.get("allowed_payment_method_types", sorted(METHODS))
    if not methods or not set(methods) <= METHODS:
        raise ApiError(
            400, f"Invalid payment methods: {methods}", param="allowed_payment_method_types"
        )
    session = CheckoutSession.objects.create(
        reference=_text(asked, "client_reference_id", 200),
        amount=amount,
        currency=currency,
        methods=methods,
        description=description,
        success_url=asked["success_url"],
        cancel_url=asked.get("cancel_url", ""),
        locale=asked.get("locale", "auto"),
        metadata=asked.get("metadata", {}),
        payment_metadata=asked.get("payment_intent_data", {}).get("metadata", {}),
        created_at=request.at,
        expires_at=_end(asked.get("expires_at"), at=request.at),
    )
    return shapes.session(session, _expanded(asked))


def _line(lines: list[dict[str, Any]]) -> tuple[str, int, str]:
    if len(lines) != 1 or "price_data" not in lines[0] or lines[0].get("quantity") != 1:
        raise ApiError(400, "The simulator sells one line with price_data.", param="line_items")
    price = _supported(lines[0]["price_data"], "currency", "product_data", "unit_amount")
    where = "line_items[0][price_data]"
    if price["currency"] not in CURRENCIES:
        raise ApiError(400, f"Invalid currency: {price['currency']}.", param=f"{where}[currency]")
    amount = price.get("unit_amount", 0)
    if amount <= 0:
        raise ApiError(
            400,
            "Invalid positive integer",
            code="parameter_invalid_integer",
            param=f"{where}[unit_amount]",
        )
    if amount > LARGEST_AMOUNT:
        raise ApiError(
            400,
            f"The total amount must be no more than {LARGEST_AMOUNT}",
            code="amount_too_large",
            param=f"{where}[unit_amount]",
        )
    return price["currency"], amount, _text(price.get("product_data", {}), "name", 250)


def _end(expires_at: int | None, *, at: datetime) -> datetime:
    if expires_at is None:
        return at + LONGEST_PAGE
    # Stripe counts in whole seconds.
    life_s = expires_at - int(at.timestamp())
    if not SHORTEST_PAGE.total_seconds() <= life_s <= LONGEST_PAGE.total_seconds():
        raise ApiError(
            400,
            "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from"
            " Checkout Session creation.",
            param="expires_at",
        )
    return datetime.fromtimestamp(expires_at, UTC)


def _retrieve_session(request: Request, id: str) -> dict[str, Any]:
    asked = _supported(checked(SessionRetrieveParams, request.text), "expand")
    return shapes.session(_session(id, at=request.at), _expanded(asked))


def _expire_session(request: Request, id: str) -> dict[str, Any]:
    asked = _supported(checked(SessionExpireParams, request.text), "expand")
    _session(id, at=request.at)
    try:
        return shapes.session(shopper.expire(id, at=request.at), _expanded(asked))
    except shopper.PageClosed as error:
        raise ApiError(400, f"Only open Checkout Sessions expire; this one is {error}.") from error


def _list_sessions(request: Request) -> dict[str, Any]:
    asked = _supported(
        checked(SessionListParams, request.text), "created", "expand", "limit", "starting_after"
    )
    rows = CheckoutSession.objects.select_related("payment__session")
    if "created" in asked:
        rows = _created(rows, asked["created"])
    page, more = _page(rows, CheckoutSession, asked)
    expand = _expanded(asked, prefix="data.")
    return shapes.listing(
        request.path, [shapes.session(session, expand) for session in page], more=more
    )


def _create_refund(request: Request) -> dict[str, Any]:
    asked = _supported(
        checked(RefundCreateParams, request.text), "amount", "metadata", "payment_intent"
    )
    payment = _payment(asked.get("payment_intent", ""))
    left = payment.amount_received - payment.refunded()
    amount = asked.get("amount", left)
    if payment.status != Payment.Status.SUCCEEDED:
        raise ApiError(
            400,
            f"This PaymentIntent ({payment.id}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
        )
    if left == 0:
        raise ApiError(
            400,
            f"Charge {payment.charge_id} has already been refunded.",
            code="charge_already_refunded",
        )
    if amount <= 0:
        raise ApiError(
            400, "Invalid positive integer", code="parameter_invalid_integer", param="amount"
        )
    if amount > left:
        raise ApiError(
            400,
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    refund = Refund.objects.create(
        payment=payment,
        amount=amount,
        metadata=asked.get("metadata", {}),
        created_at=request.at,
    )
    shape = shapes.refund(refund)
    letters.write("refund.created", shape, at=request.at)
    return shape


def _payment(id: str) -> Payment:
    # The row is the lock that keeps two refunds from taking the same money.
    payment = Payment.objects.select_for_update().filter(pk=id).first()
    if payment is None:
        raise ApiError(
            404,
            f"No such payment_intent: '{id}'",
            code="resource_missing",
            param="payment_intent",
        )
    return payment


def _retrieve_refund(request: Request, id: str) -> dict[str, Any]:
    _supported(checked(RefundRetrieveParams, request.text))
    refund = Refund.objects.select_related("payment").filter(pk=id).first()
    if refund is None:
        raise ApiError(404, f"No such refund: '{id}'", code="resource_missing", param="id")
    return shapes.refund(refund)


def _list_refunds(request: Request) -> dict[str, Any]:
    asked = _supported(
        checked(RefundListParams, request.text), "limit", "payment_intent", "starting_after"
    )
    rows = Refund.objects.select_related("payment")
    if "payment_intent" in asked:
        rows = rows.filter(payment=asked["payment_intent"])
    page, more = _page(rows, Refund, asked)
    return shapes.listing(request.path, [shapes.refund(row) for row in page], more=more)


def _session(id: str, *, at: datetime) -> CheckoutSession:
    try:
        return shopper.look(id, at=at)
    except CheckoutSession.DoesNotExist:
        raise ApiError(
            404, f"No such checkout.session: {id}", code="resource_missing", param="session"
        ) from None


def _supported(asked: dict[str, Any], *names: str) -> dict[str, Any]:
    """Refuse what Stripe knows and the simulator does not, rather than pass over it."""
    for name in asked.keys() - set(names):
        raise ApiError(400, f"The simulator does not support the parameter {name}.", param=name)
    return asked


def _expanded(asked: dict[str, Any], *, prefix: str = "") -> Collection[str]:
    paths = asked.get("expand", [])
    names: set[str] = set()
    for path in paths:
        name = path.removeprefix(prefix)
        if not path.startswith(prefix) or name not in EXPANDABLE:
            raise ApiError(400, f"This property cannot be expanded ({path}).", param="expand")
        # Expanding a deeper one expands what leads to it.
        names |= {name, name.split(".")[0]}
    return names


def _text(asked: dict[str, Any], name: str, longest: int) -> str:
    value: str = asked.get(name, "")
    if len(value) > longest:
        raise ApiError(400, f"Invalid string: {name} must be at most {longest}.", param=name)
    return value


def _created[M: Model](rows: QuerySet[M], asked: int | dict[str, int]) -> QuerySet[M]:
    bounds = {"gte": asked, "lte": asked} if isinstance(asked, int) else asked
    for bound, second in bounds.items():
        moment = datetime.fromtimestamp(second, UTC)
        rows = rows.filter(Q(**{f"created_at__{bound}": moment}))
    return rows


def _page[M: Model](
    rows: QuerySet[M], kind: type[M], asked: dict[str, Any]
) -> tuple[list[M], bool]:
    """Return one page, newest first, and whether there are more."""
    limit = asked.get("limit", 10)
    if not 1 <= limit <= 100:
        raise ApiError(400, "The limit must be between 1 and 100.", param="limit")
    if cursor := asked.get("starting_after"):
        last: Any = kind._default_manager.filter(pk=cursor).first()
        if last is None:
            raise ApiError(
                404, f"No such object: '{cursor}'", code="resource_missing", param="starting_after"
            )
        older = Q(created_at__lt=last.created_at)
        rows = rows.filter(older | Q(created_at=last.created_at, pk__lt=last.pk))
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


_ROUTES: list[tuple[str, str, Callable[..., dict[str, Any]]]] = [
    ("POST", r"/v1/checkout/sessions", _create_session),
    ("GET", r"/v1/checkout/sessions", _list_sessions),
    ("GET", r"/v1/checkout/sessions/([\w]+)", _retrieve_session),
    ("POST", r"/v1/checkout/sessions/([\w]+)/expire", _expire_session),
    ("POST", r"/v1/refunds", _create_refund),
    ("GET", r"/v1/refunds", _list_refunds),
    ("GET", r"/v1/refunds/([\w]+)", _retrieve_refund),
]
