"""Serving: one uvicorn worker per process; put as many processes behind a balancer as there are cores.

TLS is the balancer's, or this process's own where the settings name a certificate (`doors/tls.py`).
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from foregate.doors import loading
from foregate.rules import limits
from foregate.settings import Settings, refuse_weak

if TYPE_CHECKING:
    from foregate.doors.tls import Renewing

_SECRET_KEYS = frozenset({"code", "password", "pin", "card", "phone", "token", "secret", "name"})


def redact(logger: object, method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Blank every value whose key names a secret or a person's data. By key, never by position."""
    return {key: "***" if _SECRET_KEYS & set(key.lower().split("_")) else value for key, value in event.items()}


def set_up_logging() -> None:
    """One JSON line an event, to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,  # nothing configures it again
    )


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until told to stop. Raises BadSettings before the first byte when the settings are weak."""
    refuse_weak(settings)  # `is_demo` among them: what it excuses is for `foregate demo` alone
    if _has_tls(settings):
        from foregate.doors.tls import refuse_unfit

        refuse_unfit(settings)
    set_up_logging()
    run_fast(_serve(settings, host, port))


def run_fast(work: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop: half the price of a database round trip on asyncio's own loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


async def _serve(settings: Settings, host: str, port: int) -> None:
    from foregate.bootstrap import build

    house = await build(settings)
    loading.done()
    if not _has_tls(settings):
        await run(house.app, host, port)
        return
    from foregate.doors.tls import Renewing

    certificate = Renewing(settings)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, certificate.look)
    looking = asyncio.create_task(certificate.run())
    try:
        await run(house.app, host, port, certificate)
    finally:
        looking.cancel()


def _has_tls(settings: Settings) -> bool:
    """Say whether TLS is ours. What it needs is loaded then, and not by who stands behind a balancer."""
    return bool(settings.tls_certificate or settings.tls_key)


async def run(app: ASGIApp, host: str, port: int, certificate: Renewing | None = None) -> None:
    """Run one server. Access lines are the edge's: uvicorn's would carry addresses with their parameters."""
    protocol: Any = "auto"
    if certificate is not None:
        from foregate.doors.http2 import Chosen

        protocol = Chosen
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_level="warning",
        timeout_keep_alive=limits.KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=10,
        lifespan="on",
        http=protocol,
        ssl_context_factory=(lambda config, default: certificate.listening) if certificate else None,
    )
    await uvicorn.Server(config).serve()
