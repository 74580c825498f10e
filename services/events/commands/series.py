"""Starting and changing series."""
