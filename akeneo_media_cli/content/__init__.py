"""What the bytes of a file are: what its name requires, what PHP takes it for, whether it is whole."""
