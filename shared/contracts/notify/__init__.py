"""The published language of notify."""
