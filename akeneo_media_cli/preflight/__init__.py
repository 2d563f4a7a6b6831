"""Rows checked against the PIM's catalogue before anything is sent."""
