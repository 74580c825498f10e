"""Taking and leaving offered places."""
