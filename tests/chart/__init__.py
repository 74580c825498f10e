"""The Helm chart: rendered by a real helm, checked against schemas, and asserted on. Run by `make chart`."""
