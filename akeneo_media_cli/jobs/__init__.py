"""One module a command: what it does from start to end."""
