"""SMPP 3.4: `texts` (what a message holds), `pdus` (bytes), `link` (one bound session), `gateway` (what is used)."""
