"""Factorisations and shortest paths in place: their gradients run in whole rows and columns."""

from __future__ import annotations

import re

import numpy as np
import pytest

import loopc

LOSS = "\nfor i, j  L += D[i,j] sin(D[i,j] + i + j)\noutput L"

IN_PLACE = {
    "paths": "for k < N, i < N, j < N: D[i,j] = min(D[i,j], D[i,k] + D[k,j])",
    "lu": """
for k < N:
    for i in range(k+1, N): D[i,k] = D[i,k] / D[k,k]
    for i in range(k+1, N), j in range(k+1, N): D[i,j] += -D[i,k] D[k,j]
""",
    "cholesky": """
for j < N:
    for k < j, i in range(j, N): D[i,j] += -D[i,k] D[j,k]
    D[j,j] = sqrt(D[j,j])
    for i in range(j+1, N): D[i,j] = D[i,j] / D[j,j]
""",
    "lu by rows": """
for i < N:
    for j < i:
        for k < j: D[i,j] -= D[i,k] D[k,j]
        D[i,j] = D[i,j] / D[j,j]
    for j in range(i, N), k < i: D[i,j] -= D[i,k] D[k,j]
""",
    "cholesky by rows": """
for i < N:
    for j < i:
        for k < j: D[i,j] -= D[i,k] D[j,k]
        D[i,j] = D[i,j] / D[j,j]
    for k < i: D[i,i] -= D[i,k]**2
    D[i,i] = sqrt(D[i,i])
""",
    "cholesky by rows, from the end": """
for i in reversed(range(N)):
    for j in reversed(range(i+1, N)):
        for k in range(j+1, N): D[i,j] -= D[i,k] D[j,k]
        D[i,j] = D[i,j] / D[j,j]
    for k in range(i+1, N): D[i,i] -= D[i,k]**2
    D[i,i] = sqrt(D[i,i])
""",
    "with a scalar": """
for i < N:
    for j < i:
        s = D[i,j]
        for k < j: s -= D[i,k] D[j,k]
        D[i,j] = s / D[j,j]
    d = D[i,i]
    for k < i: d -= D[i,k]**2
    D[i,i] = sqrt(d)
""",
    "ldl by rows": """
for i < N:
    for j < i:
        for k < j: D[i,j] -= D[i,k] D[k,k] D[j,k]
        D[i,j] = D[i,j] / D[j,j]
    for k < i: D[i,i] -= D[i,k]**2 D[k,k]
""",
    "triangular product": """
for i < N, j < N:
    for k in range(i+1, N): D[i,j] += 0.1 D[k,j] D[k,i]
    D[i,j] = 2 sin(D[i,j])
""",
    "unit lower inverse": """
for i < N, j < i:
    D[i,j] = -0.1 D[i,j]
    for k in range(j+1, i): D[i,j] -= 0.1 D[i,k] D[k,j]
""",
}


def matrix() -> np.ndarray:
    rng = np.random.default_rng(1)
    a = rng.uniform(0.5, 1.5, (6, 6))
    return a @ a.T + 6 * np.eye(6)


@pytest.mark.parametrize("name", IN_PLACE)
def test_values_and_gradients_are_the_reference_s(name: str) -> None:
    text = "param D[N,N]" + "\n" + IN_PLACE[name] + LOSS
    reference, program = loopc.compile(text, backend="reference"), loopc.compile(text)
    (expected, others), (found, gradients) = (
        p.value_and_grad(D=matrix()) for p in (reference, program)
    )
    np.testing.assert_allclose(found["L"], expected["L"], 1e-11)
    np.testing.assert_allclose(gradients["D"], others["D"], 1e-9, 1e-11)
    assert loopc.gradcheck(program, {"D": matrix()}, tolerance=1e-6)


@pytest.mark.parametrize("name", [n for n in IN_PLACE if n != "unit lower inverse"])
def test_one_loop_alone_is_left(name: str) -> None:
    text = "param D[N,N]" + "\n" + IN_PLACE[name] + LOSS
    gradient = loopc.compile(text).source.split("def _value_and_grad(")[1]
    found = re.findall(r"\n( +)for (\w+) in range", gradient)
    depths = [len(indent) for indent, loop in found if not loop.endswith("_from")]
    assert depths in ([4], [4, 4])  # the value's and the gradient's


@pytest.mark.parametrize("name", [n for n in IN_PLACE if n != "paths"])
def test_no_matrix_of_each_step_is_kept(name: str) -> None:
    text = "param D[N,N]" + "\n" + IN_PLACE[name] + LOSS
    made = re.findall(r"= np\.(?:zeros|empty)\(\((.*)\), ", loopc.compile(text).source)
    assert made
    assert not [shape for shape in made if shape.count("N") > 2]
