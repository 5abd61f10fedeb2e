"""Functions of other languages, and what to write here."""

from __future__ import annotations

_SIZE = "a size is a dim: declare `input x[N]` and write `N`"
_NEW = "declare the shape, `dim y[N]`: an array that `+=` writes begins as zeros"
_SUM = "write the sum: `sum[k](x[k] y[k])`"
_SPREAD = "write `mean[k]((x[k] - m)**2)`, with `m = mean[k](x[k])` in front"
_JOIN = "write each part to its place: `for j: y[N+j] = b[j]`"
_PARTS = "complex arrays have arithmetic, functions and `abs`: pass their parts as arrays of floats"
_RANDOM = "a run takes random numbers as an input"

INSTEAD = {
    **dict.fromkeys(("len", "shape", "size"), _SIZE),
    **dict.fromkeys(("zeros", "zeros_like", "ones", "ones_like", "empty", "full"), _NEW),
    **dict.fromkeys(("dot", "matmul", "einsum", "inner", "outer", "vdot"), _SUM),
    **dict.fromkeys(("var", "std"), _SPREAD),
    **dict.fromkeys(("concatenate", "concat", "cat", "stack"), _JOIN),
    **dict.fromkeys(("conj", "real", "imag"), _PARTS),
    **dict.fromkeys(("rand", "randn", "random", "normal", "uniform"), _RANDOM),
    **dict.fromkeys(("mirror", "symmetric"), "write `x[reflect(i-1)]`"),
    **dict.fromkeys(("replicate", "nearest", "edge"), "write `x[clamp(i-1)]`"),
    **dict.fromkeys(("periodic", "circular", "roll", "mod"), "write `x[wrap(i-1)]`; or `a % b`"),
    "swish": "write `silu(x)`",
    **dict.fromkeys(("leaky_relu", "leakyrelu", "lrelu", "prelu"), "write `max(x, 0.01 * x)`"),
    **dict.fromkeys(
        ("elu", "selu", "celu"), "write `where(x > 0, x, exp(x) - 1)`, and its factors"
    ),
    **dict.fromkeys(("hardtanh", "saturate"), "write `clip(x, -1, 1)`"),
    **dict.fromkeys(("hardsigmoid", "hard_sigmoid"), "write `clip(x / 6 + 0.5, 0, 1)`"),
    **dict.fromkeys(("hardswish", "hard_swish"), "write `x * clip(x / 6 + 0.5, 0, 1)`"),
    **dict.fromkeys(("tril", "triu"), "write a guard: `for i, j if j <= i: …`"),
    **dict.fromkeys(
        ("eye", "identity", "diag"), "write a condition: `(i == j)`, or `D[i,i] = d[i]`"
    ),
    **dict.fromkeys(("one_hot", "onehot"), "write a condition: `(k == y[n])`"),
    **dict.fromkeys(("reshape", "view", "flatten"), "write the places: `y[i*M + j] = x[i,j]`"),
    **dict.fromkeys(("flip", "reverse"), "write `x[N-1-i]`"),
    **dict.fromkeys(("heaviside", "step"), "a condition is a number: `(x > 0)`"),
    "relu6": "write `clip(x, 0, 6)`",
    "mish": "write `x * tanh(softplus(x))`",
    "logit": "write `ln(x / (1 - x))`",
    "norm": "write `sqrt(sum[k](x[k]**2))`",
    "log2": "write `ln(x) / ln 2`",
    "log10": "write `ln(x) / ln 10`",
    "exp2": "write `2**x`",
    "square": "write `x**2`",
    "rsqrt": "write `1 / sqrt(x)`",
    "isnan": "write `x != x`",
    "isinf": "write `abs(x) == inf`",
    "isfinite": "write `abs(x) < inf`",
    "maximum": "write `max(a, b)`",
    "minimum": "write `min(a, b)`",
    "fmod": "write `a % b`",
    "transpose": "write the subscripts in the other order: `A[j,i]`",
    "count": "a sum of conditions counts: `sum[k](x[k] > 0)`",
}
"""What to write, by the function's name without that of its library."""
