"""Changing state: each function works in its caller's transaction; only the edges commit."""
