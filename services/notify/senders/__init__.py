"""Sending in rounds: claim what is due, decide, send, mark."""
