"""Anything that can happen to what people are told, and an account of it that shares nothing with the service."""
