"""The console of staff: its own sign-in, frame and pages. See `counter` for what its verbs do and refuse."""

from foregate.doors.console.routes import routes

__all__ = ["routes"]
