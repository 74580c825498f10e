"""Comparing what events and booking hold, and mending what is apart."""

from __future__ import annotations

COMPARED = "venues-compared"
"""The timer that states what is, so that both sides can compare."""
