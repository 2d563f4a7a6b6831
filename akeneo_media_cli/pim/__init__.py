"""The REST API of the PIM: one session, one token for all threads, answers and errors as types."""
