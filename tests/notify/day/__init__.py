"""A day of many hubs in simulated time, and an account of it that shares nothing with the service."""
