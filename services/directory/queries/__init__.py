"""Reading, by noun: one statement each."""
