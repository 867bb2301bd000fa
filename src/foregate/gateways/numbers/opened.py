"""Whoever the settings say is asked about numbers, with keys and secrets read from files."""

from __future__ import annotations

from foregate import sim_swap_settings
from foregate.gateways.numbers.credentials import ByAssertion, BySecret, Credentials, signing_key
from foregate.gateways.numbers.embedded import EmbeddedNumbers
from foregate.gateways.numbers.sim_swap import SCOPE, SimSwap
from foregate.ports import Clock
from foregate.ports.numbers import NumberChanges
from foregate.settings import BadSettings, Settings, secret_of


def open_numbers(settings: Settings, clock: Clock) -> NumberChanges | None:
    """Return who is asked; None: nobody. Raises BadSettings for a key that cannot be used."""
    if not settings.sim_swap_api:
        return None
    if settings.sim_swap_api == sim_swap_settings.EMBEDDED:
        return EmbeddedNumbers(clock)
    return SimSwap(
        settings.sim_swap_api,
        settings.sim_swap_token_url,
        _credentials(settings),
        clock,
        scope=settings.sim_swap_scope or SCOPE,
    )


def _credentials(settings: Settings) -> Credentials:
    client_id = settings.sim_swap_client_id
    try:
        if settings.sim_swap_key_file:
            key = signing_key(secret_of(settings.sim_swap_key_file))
            return ByAssertion(client_id, key, settings.sim_swap_key_id)
        return BySecret(client_id, secret_of(settings.sim_swap_secret_file).decode("ascii"))
    except (OSError, ValueError) as wrong:
        raise BadSettings(f"sim_swap_key_file or sim_swap_secret_file: {wrong}") from None
