"""Complete models in the language, and `python -m examples.zoo.train` to train some of them."""
