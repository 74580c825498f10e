"""Notify: notices, choices, channels, webhooks."""
