"""The stack on one machine: it starts, stays up, and leaves nothing behind."""
