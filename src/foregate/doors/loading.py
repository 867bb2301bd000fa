"""Starting quickly: nothing of what is loaded at a start becomes garbage, so nobody looks for any meanwhile.

Looking takes a quarter of the time that loading takes. Once the house stands, what was loaded is put aside for good:
later looks, which happen between requests, pass over it.
"""

from __future__ import annotations

import gc


def begin() -> None:
    """Load without looking for garbage, until `done`."""
    gc.disable()


def done() -> None:
    """Put aside what was loaded, and look for garbage as usual."""
    gc.freeze()
    gc.enable()
