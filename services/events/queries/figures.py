"""Counting meetups, participants, and how little stood in the way."""
