"""The registry of identity documents."""
