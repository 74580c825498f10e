"""Keeping what others have said of hubs and spaces."""
