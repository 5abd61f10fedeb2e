"""loopc: a compiler for array code written as loops over scalar assignments.

    import loopc
    p = loopc.compile("for h,i,j,k  Y[h,i,j] += A[h,i,k] B[h,j,k]")

Importing it loads the compiler's core, which needs neither lark nor NumPy; a public name's module
is imported when the name is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_CORE = ("loopc.autodiff.adjoint", "loopc.lower.program", "loopc.backends.numpy")
"""What every compilation needs: loaded by the import, so that the first one does not wait."""

for _module in _CORE:
    importlib.import_module(_module)

_PLACES = {
    "compile": "loopc.api.compile",
    "run": "loopc.api.compile",
    "gradcheck": "loopc.api.gradcheck",
    "GradcheckReport": "loopc.api.gradcheck",
    "Program": "loopc.api.program",
    "Results": "loopc.api.results",
    "Model": "loopc.api.model",
    "Report": "loopc.api.report",
    **dict.fromkeys(
        (
            "LoopcError",
            "ParseError",
            "ShapeError",
            "BoundsError",
            "DTypeError",
            "DifferentiationError",
            "LimitError",
            "CallError",
            "LoopcWarning",
        ),
        "loopc.diagnostics.errors",
    ),
}

if TYPE_CHECKING:
    from loopc.api.compile import compile, run
    from loopc.api.gradcheck import GradcheckReport, gradcheck
    from loopc.api.model import Model
    from loopc.api.program import Program
    from loopc.api.report import Report
    from loopc.api.results import Results
    from loopc.diagnostics.errors import (
        BoundsError,
        CallError,
        DifferentiationError,
        DTypeError,
        LimitError,
        LoopcError,
        LoopcWarning,
        ParseError,
        ShapeError,
    )

__all__ = [
    "BoundsError",
    "CallError",
    "DTypeError",
    "DifferentiationError",
    "GradcheckReport",
    "LimitError",
    "LoopcError",
    "LoopcWarning",
    "Model",
    "ParseError",
    "Program",
    "Report",
    "Results",
    "ShapeError",
    "__version__",
    "compile",
    "gradcheck",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'loopc' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
