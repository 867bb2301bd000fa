"""What is over its budget. The budgets are limits: `rules/limits.py`, drawn into docs/reference/limits.md."""

from __future__ import annotations

from collections.abc import Mapping


def breaches(sizes: Mapping[str, int], budget: int) -> dict[str, int]:
    """Return what is larger than the budget, and how large."""
    return {name: size for name, size in sizes.items() if size > budget}
