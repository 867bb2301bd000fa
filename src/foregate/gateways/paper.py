"""PDF from a page of HTML, by WeasyPrint in a process of its own. Needs the extra `pdf`. Why so: decision 0022.

The process begins with the first PDF and is replaced now and then, so that neither start nor memory of a bank without
PDFs pays for it. It reads nothing from anywhere: a page that names a picture, a style or a font gets none.
"""

from __future__ import annotations

import asyncio
import importlib.util
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final

from foregate.ports import Busy
from foregate.ports.exports import NoPrinter

PAGES_PER_PROCESS: Final = 50  # then it is replaced: what the font library keeps, it keeps
QUEUE: Final = 8
HOW: Final = "PDF is not installed here: pip install 'foregate[pdf]', and Pango on the system"


class PdfPrinter:
    """`ports.exports.Printer`. Close it when done."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = 0
        self._lacks_libraries = False

    @property
    def is_there(self) -> bool:
        """Whether the extra is installed, and the system's libraries were not found missing."""
        return not self._lacks_libraries and importlib.util.find_spec("weasyprint") is not None

    async def __call__(self, html: str) -> bytes:
        """Print. Raises NoPrinter when the extra is missing, Busy when too many wait."""
        if importlib.util.find_spec("weasyprint") is None:
            raise NoPrinter(HOW)
        if self._waiting >= QUEUE:
            raise Busy("every place in the queue of the printer is taken")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor(), print_pdf, html)
        except NoPrinter:
            self._lacks_libraries = True
            raise
        except BrokenProcessPool:
            self._pool = None  # it was killed; the next one begins anew
            raise Busy("the printer died") from None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Drop what waits, let what runs end."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _executor(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not forked: a copy of our threads and sockets would come along.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=PAGES_PER_PROCESS)
        return self._pool


def print_pdf(html: str) -> bytes:
    """Return the PDF. Runs in the printer's process. Raises NoPrinter when the system's libraries are missing."""
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as missing:  # the extra is there, Pango is not
        raise NoPrinter(f"{HOW} ({missing})") from None

    class Nothing(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
        """Opens nothing."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            """Refuse."""
            raise ValueError("a paper needs nothing from elsewhere")

    return bytes(HTML(string=html, url_fetcher=Nothing()).write_pdf())
