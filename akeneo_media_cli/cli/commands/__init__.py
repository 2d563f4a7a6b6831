"""One module a command: what it is called with, and the job that it starts."""
