"""Grafana's dashboards of a stack, one a module."""
