"""A hub's choices about events."""
