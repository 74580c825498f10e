"""Facts in: who belongs where, and what becomes of those who leave."""
