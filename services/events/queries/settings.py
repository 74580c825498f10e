"""Reading a hub's choices about events."""
