"""Room 2: what a program means: loop IR, tables, ranges and shapes, the reference interpreter."""
