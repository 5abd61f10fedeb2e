"""Room 1: what was written: the tree, the parser that makes it and the printer that prints it."""
