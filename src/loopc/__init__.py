"""loopc: a compiler for array code written as loops."""
