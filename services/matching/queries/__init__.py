"""Reading: each function one statement, or a few, that change nothing."""
