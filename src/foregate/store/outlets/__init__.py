"""Outlets and appointments, as they are kept."""
