"""Example programs that ship with the package."""
