"""How the agreement on a room goes on."""
