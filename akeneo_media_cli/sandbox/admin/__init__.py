"""The page at `/` and `/_sandbox`: what the sandbox shows and lets you change."""
