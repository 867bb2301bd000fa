"""One line of `bench/link.py` in every run: the first page over a slow link. The bench measures all, and exactly."""

from __future__ import annotations

import statistics

import pytest
from playwright.sync_api import Browser

from bench import link

RUNS = 3
PATIENCE = 2.5  # times the goal: other work of the machine is not the page's fault, twice the bytes or trips would be


@pytest.mark.alone
def test_the_first_page_over_slow_3g(chromium: Browser) -> None:
    """Usable soon after three round trips: with a redirect, or a style that has to be fetched, it would not be."""
    line = link.LINES[0]
    try:
        with link.bench(1, chromium.browser_type) as bench:
            times = link.measured(bench, line, RUNS)
    except link.CannotRun as why:
        pytest.skip(str(why))
    assert statistics.median(times) <= line.goal * PATIENCE, times
