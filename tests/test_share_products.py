"""Chains of products in their best order: the pass alone, and values and gradients with it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import loopc
from loopc import passes
from loopc.api.arrays import take
from loopc.ir.interpret import interpret
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Program
from loopc.ir.visit import updates
from loopc.passes.share_products import share_products

from .support import arrays_for, resolve

SIZES = {"I": 2, "J": 3, "K": 4, "L": 5, "M": 2, "N": 3}
WIDE = {"I": 512, "J": 512, "K": 512, "L": 512, "M": 8, "N": 512}

CHAIN = """
for i,k,j  X[i,k] += A[i,j] B[j,k]
for i,l,k  Y[i,l] += X[i,k] C[k,l]
for i,m,l  Z[i,m] += Y[i,l] D[l,m]
"""

CHANGED = {
    "from the right": CHAIN,
    "and summed": CHAIN + "for i,m  loss += Z[i,m] G[i,m]",
    "scaled and taken away": """
        for i,k,j  X[i,k] -= 2 A[i,j] B[j,k]
        for i,m,k  Z[i,m] -= s X[i,k] D[k,m] / q
    """,
    "the same names for other indices": """
        for i,j,k  X[i,j] += A[i,k] B[k,j]
        for i,j,k  Z[i,j] += X[i,k] D[k,j]
    """,
    "an alias": """
        for i,m  E[i,m] = G[i,m]
        for i,k,j  X[i,k] += A[i,j] B[j,k]
        for m,k,i  Z[m,k] += E[i,m] X[i,k]
    """,
    "an output of the same product": """
        for k,m,l  P[k,m] += C[k,l] D[l,m]
        for i,k,l,m  Z[i,m] += A[i,k] C[k,l] D[l,m]
        output P, Z
    """,
    "a factor twice": """
        for i,j,k  X[i,j] += A[i,k] A[j,k]
        for i,j,m  Z[i,m] += X[i,j] D[j,m]
    """,
    "a batch": """
        for b,i,k,j  X[b,i,k] += A[b,i,j] B[b,j,k]
        for b,i,m,k  Z[b,i,m] += X[b,i,k] D[k,m]
    """,
    "an index that no factor has, behind a product": """
        for i,k,j  X[i,k] += A[i,j] B[j,k]
        for n < 3, i, k: Y[i,n] -= X[i,k]
        for i,n  Z += Y[i,n]
    """,
    "a function as a factor": """
        for i,k,j  X[i,k] += A[i,j] B[j,k]
        for i,m,k  Z[i,m] += X[i,k] abs(D[k,m])
    """,
}

KEPT = {
    "a target with an index of its own": """
        for i, j, k, l, n < 3: P[i,l,n] += A[i,j] B[j,k] C[k,l]
        for j,k,l,m,i  Z[i,m] += A[i,j] B[j,k] C[k,l] D[l,m]
    """,
    "an index that no factor has": """
        input A[I,J], B[K]
        for k < K, i, j: X[i,k] += A[i,j]
        for i,k  Z += X[i,k]
        output Z
    """,
    "an output": CHAIN + "output X, Y, Z",
    "a function of it": """
        for i,k,j  X[i,k] += A[i,j] B[j,k]
        for i,m,k  Z[i,m] += tanh(X[i,k]) D[k,m]
    """,
    "a factor that is overwritten": """
        for i,k,j  X[i,k] += A[i,j] B[j,k]
        for j,k    B[j,k] = 2 B[j,k]
        for i,m,k  Z[i,m] += X[i,k] D[k,m]
    """,
    "a sum of two products": """
        for i,k,j  X[i,k] += A[i,j] B[j,k]
        for i,k    X[i,k] += C[i,k]
        for i,m,k  Z[i,m] += X[i,k] D[k,m]
    """,
    "a guard": """
        for i,k,j if j <= i:  X[i,k] += A[i,j] B[j,k]
        for i,m,k  Z[i,m] += X[i,k] D[k,m]
    """,
    "the diagonal": """
        for i,k,j  X[i,k] += A[i,j] B[j,k]
        for i,m    Z[i,m] += X[i,i] D[i,m]
    """,
}


def check(program: Program, sizes: Magnitudes) -> Program:
    shared = share_products(program, sizes)
    given = arrays_for(program, whole=True)
    dims = take(program, given).dims
    before, after = (interpret(p, given, dims) for p in (program, shared))
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)
    return shared


@pytest.mark.parametrize("name", CHANGED)
def test_order_changes_where_that_pays(name: str) -> None:
    program = resolve(CHANGED[name])
    assert check(program, Magnitudes(WIDE | {"B": 8})) is not program


@pytest.mark.parametrize("name", KEPT)
def test_program_stays_where_nothing_is_to_be_gained_or_more_is_read(name: str) -> None:
    program = resolve(KEPT[name])
    assert check(program, Magnitudes(WIDE)) is program


def test_a_chain_and_its_adjoint_share_their_products() -> None:
    program = loopc.compile(CHAIN + "for i,m  loss += Z[i,m] G[i,m]\noutput loss")
    shared = passes.run(program.with_adjoint._program, 2, Magnitudes(WIDE))
    sums = [u for _, u in updates(shared.body) if len(u.target.subscripts) == 2]
    names = {u.target.array for u in sums}
    assert not names & {"X", "Y", "Z", "X.grad", "Y.grad", "Z.grad"}
    assert len(sums) == 9  # five gradients, and four products that they share with the loss


def random_program(seed: int) -> str:
    """Return sums of products of inputs and of earlier sums, each over a few of the dims."""
    choose = random.Random(seed)
    shapes = {n: choose.sample("ijkl", 2) for n in "ABCD"}
    lines = []
    for name in ("P", "Q", "R", "S", "T"):
        factors = choose.choices(list(shapes), k=choose.choice((1, 2, 2, 3)))
        cells = []
        for factor in factors:
            names = choose.sample("ijkl", len(shapes[factor]))
            cells.append(f"{factor}[{','.join(names)}]")
        used = sorted({c for cell in cells for c in cell[2:-1].split(",")})
        target = choose.sample(used, min(len(used), choose.choice((1, 2, 2))))
        shapes[name] = target
        sign = choose.choice(("+=", "+=", "-="))
        lines.append(f"for {','.join(used)}  {name}[{','.join(target)}] {sign} {' '.join(cells)}")
    if choose.random() < 0.5:
        lines.append("for i,j  A[i,j] = 2 A[i,j]")
    return "input A[N,N], B[N,N], C[N,N], D[N,N]\n" + "\n".join(lines)


@pytest.mark.parametrize("seed", range(40))
def test_random_sums_of_products_keep_their_values(seed: int) -> None:
    program = resolve(random_program(seed))
    for extent in (2, 400):
        check(program, Magnitudes({"N": extent}))


@pytest.mark.parametrize("name", CHANGED)
def test_gradients_in_another_order_are_those_of_the_written_one(name: str) -> None:
    text = CHANGED[name]
    plain, fast = (loopc.compile(text, opt=opt) for opt in (0, 2))
    given: dict[str, Any] = arrays_for(plain._program, sizes=(3, 4, 2, 5))
    output = next(iter(plain.outputs))
    plain, fast = (loopc.compile(text, opt=opt, loss=output) for opt in (0, 2))
    seed = np.random.default_rng(1).normal(size=plain(given)[output].shape)
    expected = plain.grad(given, seed=seed)
    for key, value in fast.grad(given, seed=seed).items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-12, atol=1e-12)


def test_a_sum_over_cells_that_the_product_itself_writes_is_made_before_it() -> None:
    text = (
        "input x[B,I], u[I]\nfor i  c[i] = mean[b](x[b,i])\n"
        "for i  s[i] = sum[b]((x[b,i] - c[i])**2)\nfor i  L += u[i] s[i]\n"
    )
    rng = np.random.default_rng(0)
    x, u = rng.standard_normal((4, 3)), rng.standard_normal(3)
    found = loopc.compile(text, opt=2, loss="L").grad({"x": x, "u": u})["x"]
    np.testing.assert_allclose(found, 2 * (x - x.mean(axis=0)) * u, rtol=1e-12, atol=1e-12)
