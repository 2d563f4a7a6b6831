"""Typer commands: read options, call, choose the exit status."""
