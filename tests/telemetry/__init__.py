"""Rules, dashboards and what leaves the processes: what those who watch over a stack rely on."""
