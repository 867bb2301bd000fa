"""The console: the door by which staff come in."""
