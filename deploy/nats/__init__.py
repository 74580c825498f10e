"""The configuration of the bus, generated from the contracts."""
