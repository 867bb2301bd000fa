"""Why a database is refused at start. Each message says what to change."""

from __future__ import annotations


class UnfitDatabase(Exception):
    """The database may not be used as it is."""


class WeakDurability(UnfitDatabase):
    """It could lose what it has acknowledged: a used code would be good again after a power cut."""


class PlainTextLink(UnfitDatabase):
    """It is on another host and the way there is not encrypted."""


class WrongSchema(UnfitDatabase):
    """Its tables are not those of this version."""
