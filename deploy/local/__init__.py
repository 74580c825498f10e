"""The whole of Foci on one machine, as separate processes like in production."""
