"""Every program of examples/zoo against independent implementations, at every level."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loopc
from loopc.diagnostics.span import Source
from loopc.syntax.parser import parse
from loopc.syntax.printer import print_module
from support import TESTS
from zoo import MODELS
from zoo.model import Model, complex_step

ZOO = TESTS.parent / "examples" / "zoo"
TOLERANCE = 1e-9


@pytest.fixture(params=MODELS, ids=[m.name for m in MODELS])
def model(request: pytest.FixtureRequest) -> Model:
    return request.param


def path(model: Model) -> Path:
    return ZOO / f"{model.name}.loops"


@cache
def compiled(name: str, outputs: tuple[str, ...] | None = None, **options: Any) -> loopc.Program:
    return loopc.compile(ZOO / f"{name}.loops", outputs=outputs, **options)


def arrays_of(model: Model) -> dict[str, Any]:
    return model.arrays(np.random.default_rng(7))


def trained(model: Model) -> dict[str, tuple[str, str]]:
    return model.gradients(list(compiled(model.name).params))


def with_gradients(model: Model, **options: Any) -> loopc.Program:
    """Return the program that returns its gradients beside its outputs."""
    gradients = tuple(gradient for _, gradient in trained(model).values() if model.suffix)
    return compiled(model.name, (*compiled(model.name).outputs, *gradients), **options)


def assert_close(found: Any, expected: Any, name: str, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance, err_msg=name)


def assert_agrees(found: loopc.Results, losses: dict, gradients: dict, model: Model) -> None:
    arrays = arrays_of(model)
    for name, value in losses.items():
        assert_close(found[name], np.real(value), name)
    for param, (_, gradient) in trained(model).items():
        if model.suffix:
            assert_close(found[gradient], gradients[param], gradient)
        updated = model.step(arrays[param], gradients[param], arrays)
        assert_close(found[param], updated, f"{param} after the step")


def by_name(result: Any, model: Model) -> dict[str, Any]:
    return result if isinstance(result, dict) else {model.loss: result}


def test_the_table_holds_every_program_of_the_folder() -> None:
    assert sorted(m.name for m in MODELS) == sorted(p.stem for p in ZOO.glob("*.loops"))


def test_the_program_agrees_with_numpy(model: Model) -> None:
    arrays = arrays_of(model)
    losses = by_name(model.numpy(**arrays), model)
    gradients = {}
    for name in losses:
        params = tuple(p for p, (loss, _) in trained(model).items() if loss == name)
        gradients |= complex_step(
            lambda n=name, **a: by_name(model.numpy(**a), model)[n], arrays, params
        )
    assert gradients
    assert_agrees(with_gradients(model)(arrays), losses, gradients, model)


def peers_wanted() -> bool:
    """Whether a peer that is missing is an error, as under `make test-all`."""
    return bool(os.environ.get("LOOPC_TEST_ALL"))


def test_the_program_agrees_with_pytorch(model: Model) -> None:
    if importlib.util.find_spec("torch") is None:
        if peers_wanted():
            pytest.fail("PyTorch is not installed: pip install 'loopc[peers]'")
        pytest.skip("PyTorch is not installed")
    if model.torch is None:
        return
    import torch
    from torch.nn import functional

    arrays = {n: torch.as_tensor(np.asarray(v)) for n, v in arrays_of(model).items()}
    params = {p: arrays[p].requires_grad_() for p in trained(model)}
    losses = by_name(model.torch(functional, **arrays), model)
    gradients = {}
    for name, value in losses.items():
        own = [p for p in params if trained(model)[p][0] == name]
        found = torch.autograd.grad(value, [params[p] for p in own], retain_graph=True)
        gradients |= {p: g.numpy() for p, g in zip(own, found, strict=True)}
    plain = {n: v.detach().numpy() for n, v in losses.items()}
    assert_agrees(with_gradients(model)(arrays_of(model)), plain, gradients, model)


def test_every_level_agrees_with_the_reference(model: Model) -> None:
    arrays = arrays_of(model)
    expected = with_gradients(model, backend="reference")(arrays)
    for opt in (0, 1, 2):
        program = with_gradients(model, **({} if opt == 2 else {"opt": opt}))
        found = program(arrays)
        assert list(found) == list(expected)
        for name, value in expected.items():
            assert found[name].dtype == value.dtype, name
            assert_close(found[name], value, f"{name} at opt {opt}", 1e-11)


def test_the_adjoint_agrees_with_central_differences(model: Model) -> None:
    for loss in dict.fromkeys(loss for loss, _ in trained(model).values()):
        wrt = tuple(p for p, (of, _) in trained(model).items() if of == loss)
        program = compiled(model.name, (loss,), loss=loss, wrt=wrt)
        if "stopgrad" not in path(model).read_text(encoding="utf-8"):
            report = loopc.gradcheck(program, arrays_of(model), tolerance=1e-6, max_cells=3)
            assert report, report


def test_the_printed_program_is_the_same_program(model: Model) -> None:
    arrays = arrays_of(model)
    expected = with_gradients(model)(arrays)
    printed = str(with_gradients(model).expanded)
    again = loopc.compile(printed)
    assert str(again) == printed
    found = again(arrays)
    for name, value in expected.items():
        assert_close(found[name], value, name, 1e-12)


def test_loops_are_left_for_recurrences_alone(model: Model) -> None:
    report = with_gradients(model).explain(arrays_of(model))
    for row in report.rows:
        if row.python_loop:
            assert row.text.startswith("for ")
            header = re.split(r":| \w+\[", row.text)[0]
            assert set(re.findall(r"\w+", header)) & set(model.serial), row.text


def test_float32_stays_float32(model: Model) -> None:
    wide = arrays_of(model)
    narrow = {n: _narrow(v) for n, v in wide.items()}
    for name, value in with_gradients(model)(narrow).items():
        assert value.dtype != np.float64, name
        assert_close(value, with_gradients(model)(wide)[name], name, 2e-3)


def _narrow(value: Any) -> Any:
    value = np.asarray(value)
    return value.astype(np.float32) if value.dtype == np.float64 else value


def test_the_program_is_in_canonical_layout_under_a_header(model: Model) -> None:
    text = path(model).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert print_module(parse(Source(path(model).name, text))) == text


def test_the_independent_implementation_takes_every_array(model: Model) -> None:
    inspect.signature(model.numpy).bind(**arrays_of(model))
    program = compiled(model.name)
    assert set(arrays_of(model)) >= {*program.inputs, *program.params}
