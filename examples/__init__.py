"""Programs to learn from; `examples.zoo` trains some of them."""
