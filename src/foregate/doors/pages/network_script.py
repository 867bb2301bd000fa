"""The script of the network check: one file for each language, with its words and the tables the server decides by.

The words are in the script and not in the page, so that the page stays small; where no script runs, nobody would see
them. A browser keeps the file for a year.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import msgspec

from foregate.doors import network_words
from foregate.doors.pages import assets
from foregate.doors.text import catalog
from foregate.rules import diagnosis, network
from foregate.rules.network import ROWS, VERDICTS, Level

PLACE: Final = "'TABLES'"  # what stands in the source where the tables go


@cache
def measure(language: str) -> assets.Asset:
    """Return the script in one language."""
    tables = {
        "network": network.for_script(),
        "diagnosis": diagnosis.for_script(),
        "words": words(language),
        "group": diagnosis.GROUP,
    }
    text = assets.minified_js((assets.FOLDER / "network.js").read_text("utf-8"))
    return assets.asset(f"n-{language}", "js", text.replace(PLACE, msgspec.json.encode(tables).decode()))


def files() -> tuple[assets.Asset, ...]:
    """Return the script in every language."""
    return tuple(measure(language) for language in catalog.languages())


def words(language: str) -> dict[str, Any]:
    """Return the texts that the script puts together, with their facts still in braces."""
    texts = catalog.texts(language)
    return {
        "checking": texts["network.checking"],
        "none": texts["network.value.none"],
        "hint": texts["network.hint"],
        "saver": texts["network.hint-saver"],
        "client": texts["network.client"],
        "least": texts["network.client-least"],
        "levels": {level.value: texts[f"network.level.{level.value}"] for level in Level},
        "verdicts": {
            one.name: [
                *(texts[f"network.verdict.{one.name}.{part}"] for part in ("title", "advice")),
                *network_words.link_of(language, one.name),
            ]
            for one in VERDICTS
        },
        "rows": {row.name: _of_row(texts, row.name) for row in ROWS},
    }


def _of_row(texts: Any, name: str) -> dict[str, str]:
    """Return a row's title, its advice, and its value in every way that it may be said."""
    values = {variant: texts[network_words.key_of(name, variant)] for variant in network_words.variants_of(name)}
    return {"title": texts[f"network.row.{name}"], "advice": texts[f"network.advice.{name}"]} | values
