"""What is seen meanwhile: one way of showing each."""
