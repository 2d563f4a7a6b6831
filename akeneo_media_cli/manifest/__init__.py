"""The formats that people write, read to one `Row`."""
