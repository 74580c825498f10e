"""What those who watch over a stack load into Prometheus and Grafana."""
