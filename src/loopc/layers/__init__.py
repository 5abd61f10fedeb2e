"""The layers that ship with the package: `use nn`."""
