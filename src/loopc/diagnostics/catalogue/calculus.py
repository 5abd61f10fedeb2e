"""Chapter L06: differentiation."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry
from loopc.diagnostics.errors import DifferentiationError

ENTRIES: tuple[Entry, ...] = (
    Entry(
        code="L0601",
        title="a loss that is not a scalar",
        raises=DifferentiationError,
        message="`{name}` has {rank} dimension(s); a gradient is taken of a scalar",
        hint="reduce it to a scalar, e.g. `{sum}`, or give its cotangent as `seed`",
        explanation=(
            "The gradient of an array needs a cotangent to start from: `p.grad(…, seed=…)`, "
            "`p.vjp(…)`, or an input `{name}.grad` where `backward {name}` is a statement."
        ),
        bad_call="loopc.compile('for i  y[i] = 2 x[i]\\n').grad(x=np.ones(3))",
        good_call="loopc.compile('for i  y[i] = 2 x[i]\\n').grad(x=np.ones(3), seed=np.ones(3))",
    ),
    Entry(
        code="L0602",
        title="no loss can be chosen",
        raises=DifferentiationError,
        message="which output is the loss? {candidates}",
        hint='name it: `loss="…"`, or call it `L`',
        bad_call="loopc.compile('a = 2 x\\nb = 3 x\\n').grad(x=1.0)",
        good_call="loopc.compile('a = 2 x\\nb = 3 x\\n', loss='a').grad(x=1.0)",
    ),
    Entry(
        code="L0603",
        title="a gradient by something that is not a float input",
        raises=DifferentiationError,
        message="no gradient can be taken by `{name}`: {why}",
        hint="differentiate by float inputs and params: {candidates}",
        bad_call="loopc.compile('for i  L += E[w[i]]\\n', wrt=['w'])",
        good_call="loopc.compile('for i  L += E[w[i]]\\n', wrt=['E'])",
    ),
    Entry(
        code="L0605",
        title="a loop over data overwrites what its adjoint needs",
        raises=DifferentiationError,
        message=(
            "the adjoint needs a value for each iteration of `{index}`, whose range is data and "
            "has no size that is known before"
        ),
        hint=(
            "let the loop run to a size that is known before, under a guard: "
            "`for {index} < N if {index} < …`"
        ),
        bad_call=(
            "loopc.compile('input n[T]: int\\nparam w\\ns = 1\\n"
            "for t, k < n[t]: s = sin(w s)\\nL = s\\n').grad(n=[1, 2], w=0.5)"
        ),
        good_call=(
            "loopc.compile('input n[T]: int\\nparam w\\ns = 1\\n"
            "for t, k < 9 if k < n[t]: s = sin(w s)\\nL = s\\n').grad(n=[1, 2], w=0.5)"
        ),
    ),
    Entry(
        code="L0606",
        title="a loss that does not depend on what it is differentiated by",
        raises=DifferentiationError,
        message="`{name}` does not depend on {wrt} here: the gradient is zero",
        hint="put `backward` below the statements that compute `{name}`, or leave {wrt} out",
        bad="input x[N], z[N]\nfor i  L += x[i]\nbackward L wrt z\n",
        good="input x[N], z[N]\nfor i  L += x[i] z[i]\nbackward L wrt z\n",
        severity="warning",
    ),
)
