"""Profiles in memory: exact, in both directions, kept like the tables."""
