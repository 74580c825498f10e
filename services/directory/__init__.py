"""Directory: hubs, persons, organisations, roles."""
