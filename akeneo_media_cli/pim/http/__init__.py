"""HTTP to one host: connections, bodies, time-outs, redaction. Knows nothing of Akeneo's API."""
