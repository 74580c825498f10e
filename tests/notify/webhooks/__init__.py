"""Webhooks, with receivers that check signatures with the official library."""
