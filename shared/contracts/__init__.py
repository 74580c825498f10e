"""The published language: facts and requests of every service, pydantic only, no I/O."""
