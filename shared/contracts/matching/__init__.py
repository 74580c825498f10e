"""The published language of matching."""
