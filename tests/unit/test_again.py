"""What is run a second time, and what is not."""

import pytest

from tests.again import FAILURES_MAX, to_run_again

LOOK, PAGES = "tests/browser/test_every_look.py", "tests/browser/test_pages.py"


@pytest.mark.parametrize(
    ("failed", "files"),
    [
        ([], []),
        ([f"{LOOK}::test_a[text]"], [LOOK]),
        ([f"{PAGES}::test_b", f"{LOOK}::test_a", f"{LOOK}::test_c"], [LOOK, PAGES]),
        ([f"{LOOK}::test_{n}" for n in range(FAILURES_MAX + 1)], []),
        ([f"{LOOK}::test_a", "tests/unit/test_words.py::test_d"], []),
        (["tests/attack/test_codes.py::test_e"], []),
        (["tests/browser_like/test_f.py::test_f"], []),
    ],
)
def test_only_a_few_failures_in_a_browser_are_run_again(failed: list[str], files: list[str]) -> None:
    """Whole files, for a test may lean on the one before it; anything else stays failed."""
    assert files == to_run_again(failed)
