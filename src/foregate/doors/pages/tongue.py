"""The two switches of every page: its language, and care mode. Where a page has a form they are buttons of that form,
so what was typed comes along.

Rules
  1. What was wished is true for the answer to the wish already, and remembered by a cookie for all that follow.
  2. Care mode is chosen, never guessed: `1` is chosen, `0` is "not now" or left again, and neither is asked once more.
  3. A page says in `Foregate-Look` in which of its looks it is. A cache that tells pages apart by their address alone
     must not keep two looks side by side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.doors.requests import caller_of, with_cookies
from foregate.doors.text import catalog

KEPT_SECONDS: Final = 400 * 86_400  # as long as browsers keep a cookie
CARE: Final = {"1": True, "0": False}
# Our own pages alone: one slash, then plain words. Nothing that a browser could read as another host.
OWN_PAGE: Final = re.compile(r"/(?:[\w-]+(?:/[\w-][\w.-]*)*)?(?:\?[\w=&%.:+-]*)?", re.ASCII)


class Wish(msgspec.Struct, frozen=True):
    """How a visitor wants to see pages from now on; None: as before."""

    language: str | None = None
    care: bool | None = None


def wished(request: Request, form: Mapping[str, str]) -> Wish | None:
    """Return what one of the switches asks for, if one was the button pressed. What is rendered now is rendered so."""
    language = form.get("language")
    wish = Wish(language if language in catalog.languages() else None, CARE.get(form.get("care", "")))
    if wish == Wish():
        return None
    request.state.wish = wish
    return wish


def remember(request: Request, response: Response, wish: Wish) -> Response:
    """Remember the choice on this browser."""
    cookies = request.app.state.cookies
    if wish.language is not None:
        cookies.set(response, "language", wish.language, KEPT_SECONDS)
    if wish.care is not None:
        cookies.set(response, "care", "1" if wish.care else "0", KEPT_SECONDS)
    return response


def own_page(path: str | None) -> str:
    """Return `path` when it is a page of ours, else the sign-in page."""
    return path if path and OWN_PAGE.fullmatch(path) else "/"


async def change_language(request: Request) -> Response:
    """Switch the language on a page without a form, and go back to it."""
    return await _switch(request, {"language": request.path_params["language"]})


async def change_care(request: Request) -> Response:
    """Take up care mode, or leave it, on a page without a form, and go back to it."""
    return await _switch(request, {"care": request.path_params["care"]})


async def _switch(request: Request, asked: Mapping[str, str]) -> Response:
    back = own_page(request.query_params.get("back"))
    await caller_of(request)
    response = with_cookies(RedirectResponse(back, 303), None, request)
    wish = wished(request, asked)
    return remember(request, response, wish) if wish is not None else response
