"""What can go wrong between the house and the world, said in the house's own words."""

from __future__ import annotations


class Taken(Exception):
    """A name to sign in by, or an id, belongs to somebody already."""


class Busy(Exception):
    """No capacity now (connection, hash pool). The work was not begun; say when to come back."""


class Unreachable(Exception):
    """A system outside (core bank, SMS centre) did not answer. Nothing is known about the outcome."""


class AccountsAway(Unreachable):
    """The bank that keeps the accounts did not answer. Everything else goes on without it."""


class TooMuch(Exception):
    """It would take longer than anybody waits. Ask for less."""


class Rejected(Exception):
    """A system outside will never take this; trying again is of no use."""
