"""What the settings say of the networks' SIM Swap service, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from foregate.addresses import is_safe

if TYPE_CHECKING:
    from foregate.settings import Settings

EMBEDDED: Final = "embedded"
TRUST, REFUSE = "trust", "refuse"


def faults(settings: Settings) -> list[str]:
    """Return what is wrong, each with what to set. Nothing where nobody is asked."""
    found = []
    if settings.sim_swap_unknown not in (TRUST, REFUSE):
        found.append("sim_swap_unknown must be trust or refuse: what a code is worth whose number nobody knows about")
    if not settings.sim_swap_api:
        return found
    if settings.sim_swap_api == EMBEDDED:
        return [*found, "sim_swap_api must not be embedded: that one knows the demo's numbers alone"]
    for name in ("sim_swap_api", "sim_swap_token_url"):
        if not is_safe(getattr(settings, name)):
            found.append(f"{name}: use https://, whose number is asked about must not travel in clear")
    if not settings.sim_swap_client_id:
        found.append("sim_swap_client_id is not set: the networks' service answers those it knows")
    return [*found, *_bad_files(settings)]


def _bad_files(settings: Settings) -> list[str]:
    given = [name for name in ("sim_swap_key_file", "sim_swap_secret_file") if getattr(settings, name)]
    if len(given) != 1:
        return ["set sim_swap_key_file or sim_swap_secret_file, one of the two: how we show who we are"]
    try:
        return [] if Path(getattr(settings, given[0])).read_bytes().strip() else [f"{given[0]}: is empty"]
    except OSError as wrong:
        return [f"{given[0]}: cannot be read: {wrong.strerror}"]
