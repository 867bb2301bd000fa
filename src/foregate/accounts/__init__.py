"""Accounts: statements read from files, checked, and told to the ledger. How they are kept is the store's."""
