"""Accounts, their ledger and their record, as they are kept."""
