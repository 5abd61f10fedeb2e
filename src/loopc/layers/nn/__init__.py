"""The library of layers, losses and update rules: `use nn`."""
