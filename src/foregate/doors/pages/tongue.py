"""The language switch. On a page with a form it is a button of that form, so what was typed comes along."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.doors.requests import caller_of, with_cookies
from foregate.doors.text import catalog

KEPT_SECONDS: Final = 400 * 86_400  # as long as browsers keep a cookie
# Our own pages alone: one slash, then plain words. Nothing that a browser could read as another host.
OWN_PAGE: Final = re.compile(r"/(?:[\w-]+(?:/[\w-][\w.-]*)*)?(?:\?[\w=&%.:+-]*)?", re.ASCII)


def wanted_language(form: Mapping[str, str]) -> str | None:
    """Return the language that a form asks for, if its language button was the one pressed."""
    language = form.get("language")
    return language if language in catalog.languages() else None


def set_language(request: Request, response: Response, language: str) -> Response:
    """Remember the choice on this browser."""
    request.app.state.cookies.set(response, "language", language, KEPT_SECONDS)
    return response


def own_page(path: str | None) -> str:
    """Return `path` when it is a page of ours, else the sign-in page."""
    return path if path and OWN_PAGE.fullmatch(path) else "/"


async def change_language(request: Request) -> Response:
    """Switch on a page without a form, and go back to it."""
    language = request.path_params["language"]
    back = own_page(request.query_params.get("back"))
    await caller_of(request)
    response = with_cookies(RedirectResponse(back, 303), None, request)
    return set_language(request, response, language) if language in catalog.languages() else response
