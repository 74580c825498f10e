"""`foci hub`: a hub's data out of one cell and into another."""
