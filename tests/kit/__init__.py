"""The kit against real PostgreSQL and NATS servers."""
