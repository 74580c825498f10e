"""How long an offer stands, and codes for check-in."""
