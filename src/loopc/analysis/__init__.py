"""Facts about programs, as values that functions return."""
