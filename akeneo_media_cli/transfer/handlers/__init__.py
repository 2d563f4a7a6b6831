"""What an answer means for a row: one module for each thing that can follow."""
