"""From manifest rows to a plan: what is sent, what can be skipped, what shares one file."""
