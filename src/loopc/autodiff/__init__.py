"""Calculus: loop IR to loop IR."""
