"""Random programs and random gradients: `python -m tests.fuzz`, `make fuzz`, `make fuzz-grad`."""
