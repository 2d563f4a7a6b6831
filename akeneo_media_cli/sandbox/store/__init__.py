"""What the PIM holds: its catalogue, products, files and tokens."""
