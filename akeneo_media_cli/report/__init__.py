"""What is left behind: one way of writing each report format."""
