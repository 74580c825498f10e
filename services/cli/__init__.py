"""The `foci` command line: a client of the gateway, plus the operator's commands."""
