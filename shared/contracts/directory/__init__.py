"""What directory states and answers: hubs, persons, organisations, roles."""
