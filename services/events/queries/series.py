"""Reading series."""
