"""Room 2: what a program means: loop IR, its tables, ranges and shapes, and the reference interpreter."""
