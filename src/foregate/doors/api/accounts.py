"""Accounts over `/v1`: for a whole session, of its own customer. Everybody else hears what is missing, or nothing.

An ETag changes with whatever the answer says: with the account's version, with the day (a balance has a date), and with
the question. So an app that asks again gets 304 without a record being read.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from foregate import __version__
from foregate.desk.accounts import MyAccounts
from foregate.desk.view import Told
from foregate.doors.account_query import Asked, asked_of_api
from foregate.doors.api import account_schema as schema
from foregate.doors.api.app import problem, refuse
from foregate.doors.requests import language_of, seconds_to_wait, session_of
from foregate.ports.accounts import Account, BadCursor
from foregate.rules import limits
from foregate.situation import Refused


async def list_accounts(request: Request) -> Response:
    """Every account and its balances."""
    if await seconds_to_wait(request, "accounts", limits.ACCOUNT_LOOKS_PER_MINUTE):
        return await refuse(request, "too-many-requests")
    held = await _accounts(request).all(await session_of(request))
    if isinstance(held, Refused):
        return await refuse(request, held.cause)
    out = [
        schema.HoldingOut(
            schema.account_out(one.account),
            [schema.balance_out(balance, one.account.time_zone) for balance in one.balances],
        )
        for one in held
    ]
    return _json(request, schema.AccountsOut(out))


async def list_balances(request: Request) -> Response:
    """Every balance of one account."""
    account = await _account(request)
    if isinstance(account, Response):
        return account
    if (same := _unchanged(request, _tag(request, account))) is not None:
        return same
    balances = await _accounts(request).balances(account)
    out = [schema.balance_out(balance, account.time_zone) for balance in balances]
    return _json(request, schema.BalancesOut(account.account_id, out), _tag(request, account))


async def list_transactions(request: Request) -> Response:
    """The record of one account, newest first."""
    account = await _account(request)
    if isinstance(account, Response):
        return account
    asked = asked_of_api(request.query_params, account.currency)
    if asked.faults:
        return _misunderstood(request, asked.faults)
    if (same := _unchanged(request, _tag(request, account))) is not None:
        return same
    return await _transactions(request, account, asked)


async def show_transaction(request: Request) -> Response:
    """One entry."""
    if await seconds_to_wait(request, "accounts", limits.ACCOUNT_LOOKS_PER_MINUTE):
        return await refuse(request, "too-many-requests")
    found = await _accounts(request).entry(
        await session_of(request), request.path_params["account_id"], request.path_params["transaction_id"]
    )
    if isinstance(found, Refused):
        return await refuse(request, found.cause)
    return _json(request, schema.transaction_out(*found))


def routes() -> list[Route]:
    """Return the routes of accounts."""
    account = "/v1/accounts/{account_id}"
    return [
        Route("/v1/accounts", list_accounts, methods=["GET"]),
        Route(f"{account}/balances", list_balances, methods=["GET"]),
        Route(f"{account}/transactions", list_transactions, methods=["GET"]),
        Route(f"{account}/transactions/{{transaction_id}}", show_transaction, methods=["GET"]),
    ]


# ---------------------------------------------------------------- helpers


def _accounts(request: Request) -> MyAccounts:
    accounts: MyAccounts = request.app.state.accounts
    return accounts


async def _account(request: Request) -> Account | Response:
    if await seconds_to_wait(request, "accounts", limits.ACCOUNT_LOOKS_PER_MINUTE):
        return await refuse(request, "too-many-requests")
    found = await _accounts(request).one(await session_of(request), request.path_params["account_id"])
    return await refuse(request, found.cause) if isinstance(found, Refused) else found


async def _transactions(request: Request, account: Account, asked: Asked) -> Response:
    try:
        page = await _accounts(request).entries(account, asked.wanted, asked.cursor, asked.limit)
    except BadCursor:
        return _misunderstood(request, ("cursor",))
    return _json(request, schema.page_out(account, page), _tag(request, account))


def _misunderstood(request: Request, faults: tuple[str, ...]) -> Response:
    reply = request.app.state.desk.told_outside("input-invalid", fields=dict.fromkeys(faults, "shape"))
    told: Told = reply.told
    return problem(request, told)


def _tag(request: Request, account: Account) -> str:
    """Return the validator of an answer before it is made; none where the accounts are kept by a bank that counts no
    versions: there the answer itself has to be made and compared."""
    if not account.version:
        return ""
    today = _accounts(request).today(account)
    said = f"{__version__} {account.account_id} {account.version} {account.status} {today} {request.url.path}"
    return f'W/"{hashlib.sha256(f"{said}?{request.url.query}".encode()).hexdigest()[:20]}"'


def _unchanged(request: Request, tag: str) -> Response | None:
    if not tag or tag not in (one.strip() for one in request.headers.get("if-none-match", "").split(",")):
        return None
    return Response(status_code=304, headers={"ETag": tag})


def _json(request: Request, value: Any, tag: str = "") -> Response:
    body = msgspec.json.encode(value)
    tag = tag or f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Content-Language": language_of(request)}
    return _unchanged(request, tag) or Response(body, headers=headers, media_type="application/json")
