"""HTTP to one host: connections, bodies, timeouts, redaction. Knows nothing of Akeneo's API."""
