"""Independent implementations of the programs of examples/zoo: NumPy, and PyTorch's own layers."""

from zoo import (
    attention,
    decisions,
    discrete,
    generative,
    optimisation,
    probabilistic,
    recurrent,
    vision,
)

MODELS = (
    *vision.MODELS,
    *recurrent.MODELS,
    *attention.MODELS,
    *generative.MODELS,
    *discrete.MODELS,
    *decisions.MODELS,
    *probabilistic.MODELS,
    *optimisation.MODELS,
)
