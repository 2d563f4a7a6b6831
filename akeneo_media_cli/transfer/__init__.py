"""What goes next, how many requests run at once, what an answer means, and the threads that do it."""
