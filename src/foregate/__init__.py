"""Foregate: a bank's front door.

Customers, tellers and services sign in, prove who they are, and find their way
back in when they have lost a phone, a card or a password. The rules of the door
stand in `foregate.rules` and know no network, clock or database; everything
else serves them.
"""

__version__ = "0.1.0"
