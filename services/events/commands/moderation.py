"""Approving, returning, hiding and showing events."""
