"""Giving places back."""
