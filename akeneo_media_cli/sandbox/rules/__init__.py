"""What the PIM accepts and what it refuses, with the texts of its refusals."""
