"""The history check: clients, kills, and what must still be true afterwards."""
