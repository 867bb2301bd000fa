"""The command `foregate diagnosis`: what a code says that somebody reads out over the telephone."""

from __future__ import annotations

import sys
from typing import Literal


def diagnosis(code: str, *, language: Literal["zh", "en"] = "zh") -> int:
    """Say what a diagnosis code of the network check means. Nothing is looked up: the code says it all.

    Example: foregate diagnosis TBJ-72B --language en

    Parameters
    ----------
    code
        the six characters, with or without a hyphen
    language
        zh or en

    Returns the exit code: 0, or 2 when it is no code.
    """
    from foregate.doors import network_words
    from foregate.doors.text import catalog
    from foregate.rules import diagnosis as codes

    read = codes.read(code)
    if read is None:
        title, detail = (catalog.text(language, f"network.misheard.{part}") for part in ("title", "detail"))
        print(f"{title}: {detail}", file=sys.stderr)
        return 2
    sentence = network_words.spoken(language, read.verdict)
    print(f"{codes.in_groups(read.code)}  {sentence.title}\n{sentence.advice}\n")
    for title, value in network_words.explained(language, read):
        print(f"  {title}: {value}")
    return 0
