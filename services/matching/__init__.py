"""Matching: skills, profiles, introductions, and what is missing in town."""
