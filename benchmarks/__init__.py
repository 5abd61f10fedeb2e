"""Benchmarks against other ways to do the same work; see `report.py`."""
