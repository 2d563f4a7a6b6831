"""One call of a command, from its options to its reports."""
