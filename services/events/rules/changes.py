"""What a change of an event changes."""
