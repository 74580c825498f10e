"""Guests: asked to follow a link, and then like everybody."""
