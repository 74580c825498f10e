"""Technical tools without a business word: transactions, outbox, bus, requests, timers, telemetry."""
