"""Starting events."""
