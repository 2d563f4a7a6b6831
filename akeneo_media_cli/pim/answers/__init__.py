"""What the PIM answers: typed results, and what an error means."""
