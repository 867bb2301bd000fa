"""What comes back from a provider's page, and what may be taken along."""

from __future__ import annotations

from foregate.rules import inputs
from foregate.rules.social import Attribute


class Returned(inputs.Answer, frozen=True):
    """What the provider's page, or its SDK in the bank's app, sent back. `surface`: `app` for the latter."""

    auth_code: inputs.ProviderCode
    state: inputs.ProviderState
    surface: inputs.SurfaceWord = ""


class Wanted(inputs.Answer, frozen=True):
    """Which account to link, and what may be taken along: each by itself, none by default."""

    provider: inputs.ProviderWord
    avatar: inputs.YesNo = False
    nickname: inputs.YesNo = False
    region: inputs.YesNo = False
    gender: inputs.YesNo = False

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """What was said yes to."""
        return tuple(attribute for attribute in Attribute if getattr(self, attribute.value))
