"""TABLE: calls that are wrong: the code, what the message names, the program, and the call.

The call is Python over `p`, the compiled program, `loopc`, `np`, and the names of `GIVEN`.
"""

from __future__ import annotations

import numpy as np


class Tensor:
    """What a tensor that requires grad looks like."""

    requires_grad = True
    shape = (4,)

    def __array__(self, *args: object, **named: object) -> np.ndarray:
        raise RuntimeError("cannot be an array")


GIVEN = {
    "x": np.arange(4.0),
    "W": np.ones((3, 4)),
    "tensor": Tensor(),
    "masked": np.ma.array([1.0, 2.0]),
    "ids": np.array([0, 1]),
}

TWICE = "for i  y[i] = 2 x[i]\n"
GATHER = "input w[N]: int, E[V]\nfor i  y[i] = E[w[i]]\n"
SCATTER = "dim z[4]\ninput w[N]: int, v[N]\nfor i  z[w[i]] += v[i]\nfor i < 4: L += z[i]**2\n"
SQUARES = "for j,i  y[j] += W[j,i] x[i]\nfor j  L += y[j]**2\n"
LABEL = "input y: int, P[N]\nL = -ln P[y]\n"
TIME = "for t in range(1, T): h[t] = a h[t-1]\n"
COUNT = "input n: int\nfor i < n: y[i] = i\n"
ABSOLUTE = "for i  L += abs(z[i])\n"

WRONG_CALLS = (
    # Names
    ("L0701", "`x`", TWICE, "p()"),
    ("L0701", "`x`", TWICE, "p({})"),
    ("L0701", "`W`", SQUARES, "p(x=x)"),
    ("L0701", "`W`", SQUARES, "p.grad(x=x)"),
    ("L0701", "`W`", SQUARES, "p.value_and_grad({'x': x})"),
    ("L0701", "`W`", SQUARES, "p.vjp({'x': x}, {'y': np.ones(3)})"),
    ("L0701", "`W`", SQUARES, "p.jvp({'x': x}, {'x': x})"),
    ("L0701", "`W`", SQUARES, "p.hvp({'x': x}, {'x': x})"),
    ("L0701", "`W`", SQUARES, "p.hessian('x', x=x)"),
    ("L0701", "`W`", SQUARES, "p.jacobian('y', 'x', x=x)"),
    ("L0701", "`W`", SQUARES, "p.bind(x=x).forward()"),
    ("L0701", "`W`", SQUARES, "p.specialize(x=x)"),
    ("L0701", "`W`", SQUARES, "loopc.gradcheck(p, x=x)"),
    ("L0702", "`z`", TWICE, "p(x=x, z=x)"),
    ("L0702", "`W`?", SQUARES, "p(w=W, x=x)"),
    ("L0702", "`z`", SQUARES, "p.grad(x=x, W=W, z=x)"),
    ("L0702", "`z`", SQUARES, "p.bind(z=x)"),
    ("L0702", "`z`", SQUARES, "loopc.gradcheck(p, x=x, W=W, z=3)"),
    ("L0702", "`z`", TWICE, "p.explain(z=3)"),
    ("L0702", "loopc.compile(…, wrt=…)", SQUARES, "p.grad(x=x, W=W, wrt='x')"),
    ("L0709", "`wrt` must be names", SQUARES, "loopc.compile(str(p), wrt=3)"),
    ("L0709", "`wrt` must be names", SQUARES, "loopc.compile(str(p), wrt=[['W']])"),
    ("L0709", "`outputs` must be names", SQUARES, "loopc.compile(str(p), outputs=3)"),
    ("L0709", "`cotangents` must", SQUARES, "p.vjp({'x': x, 'W': W}, 2.0)"),
    ("L0709", "`tangents` must", SQUARES, "p.jvp({'x': x, 'W': W}, 2.0)"),
    ("L0709", "`program` must", SQUARES, "loopc.gradcheck(str(p), x=x, W=W)"),
    ("L0709", "mapping", TWICE, "p(x)"),
    ("L0709", "mapping", TWICE, "p([1.0, 2.0])"),
    ("L0709", "mapping", TWICE, "p.grad(3)"),
    ("L0709", "mapping", TWICE, "p.vjp(x, {})"),
    ("L0709", "mapping", TWICE, "p.jvp({'x': x}, x)"),
    ("L0709", "mapping", TWICE, "p.bind(x)"),
    ("L0709", "mapping", TWICE, "p.explain([3])"),
    ("L0709", "mapping", TWICE, "p.specialize(x)"),
    # What cannot be an array
    ("L0703", "<U3", TWICE, "p(x='abc')"),
    ("L0703", "<U1", TWICE, "p(x=np.array(['a']))"),
    ("L0703", "object", TWICE, "p(x=np.array([1, None], dtype=object))"),
    ("L0703", "object", TWICE, "p(x=None)"),
    ("L0703", "object", TWICE, "p(x={})"),
    ("L0703", "object", TWICE, "p(x={1.0, 2.0})"),
    ("L0703", "object", TWICE, "p(x=(i for i in range(3)))"),
    ("L0703", "inhomogeneous", TWICE, "p(x=[[1], [2, 3]])"),
    ("L0703", "masked", TWICE, "p(x=masked)"),
    ("L0703", "requires grad", TWICE, "p(x=tensor)"),
    ("L0703", "datetime64", TWICE, "p(x=np.array(['2020-01-01'], dtype='M8[D]'))"),
    ("L0703", "('a'", TWICE, "p(x=np.zeros(3, dtype=[('a', 'f8')]))"),
    ("L0703", "|S3", TWICE, "p(x=b'abc')"),
    ("L0703", "64 bits", "y = n + 1\n", "p(n=2**70)"),
    ("L0703", "<U1", TWICE, "p.grad(x=x, seed='a')"),
    # Ranks and sizes
    ("L0207", "2 dimensions", TWICE, "p(x=np.ones((2, 2)))"),
    ("L0207", "0 dimensions", TWICE, "p(x=2.0)"),
    ("L0207", "1 dimensions", COUNT, "p(n=np.array([2]))"),
    ("L0207", "0 dimensions", TWICE, "p.grad(x=x, seed=1.0)"),
    ("L0204", "5 from `W` and 4 from `x`", SQUARES, "p(W=np.ones((3, 5)), x=x)"),
    ("L0204", "1 from `W` and 4 from `x`", SQUARES, "p(W=np.ones((3, 1)), x=x)"),
    ("L0204", "4 from `W` and 1 from `x`", SQUARES, "p(W=W, x=np.ones(1))"),
    ("L0204", "4 from `W` and 0 from `x`", SQUARES, "p(W=W, x=np.ones(0))"),
    ("L0204", "5 from `W` and 4 from `x`", SQUARES, "p.grad(W=np.ones((3, 5)), x=x)"),
    ("L0204", "4 from `x` and 3", TWICE, "p.grad(x=x, seed=np.ones(3))"),
    ("L0208", "`3` is 3", "input x[3]\nfor i  y[i] = x[i]\n", "p(x=x)"),
    ("L0208", "`2*N` is 8", "input x[N], z[2*N]\nfor i  y[i] = x[i] + z[2*i]\n", "p(x=x, z=x)"),
    ("L0208", "`2*N` is 4", "input z[2*N]\nfor i < N: y[i] = z[2*i]\n", "p(z=np.ones(5))"),
    ("L0208", "`1` is 1", "input x[N], s[1]\nfor i < N: y[i] = x[i] s[0]\n", "p(x=x, s=x)"),
    ("L0212", "(4,)", TWICE, "p.vjp({'x': x}, {'y': np.ones(3)})"),
    ("L0212", "(4,)", TWICE, "p.jvp({'x': x}, {'x': np.ones(3)})"),
    ("L0212", "(4,)", SQUARES, "p.hvp({'x': x, 'W': W}, {'x': np.ones(3)})"),
    ("L0212", "(4,)", SQUARES, "p.hvp({'x': x, 'W': W}, {'x': 1.0})"),
    # Dims
    ("L0206", "`T`", TIME, "p(a=1.0)"),
    ("L0206", "`I`", TWICE, "p.explain()"),
    ("L0401", "float", TIME, "p(a=1.0, T=2.5)"),
    ("L0401", "float64", TIME, "p(a=1.0, T=np.ones(3))"),
    ("L0401", "str", TIME, "p(a=1.0, T='x')"),
    ("L0401", "str", TWICE, "p.explain(I='a')"),
    ("L0209", "-3", TIME, "p(a=1.0, T=-3)"),
    ("L0209", "-1", TWICE, "p.explain(I=-1)"),
    ("L0005", "`h`", TIME, "p(a=1.0, T=2**62)"),
    ("L0005", "`h`", TIME, "p(a=1.0, T=2**90)"),
    ("L0005", "`y`", COUNT, "p(n=2**62)"),
    ("L0005", "`z`", "for i < N, j < N: z[i,j] = 1\n", "p(N=2**31)"),
    # Types
    ("L0401", "float64", GATHER, "p(E=x, w=np.array([0.0, 1.0]))"),
    ("L0401", "bool", GATHER, "p(E=x, w=np.array([True, False]))"),
    ("L0401", "float64", LABEL, "p(P=x, y=1.0)"),
    ("L0401", "float64", COUNT, "p(n=2.5)"),
    ("L0401", "complex128", "input x[N]: float\nfor i  y[i] = x[i]\n", "p(x=x + 0j)"),
    ("L0401", "int64", "input m[N]: bool\nfor i  y[i] = m[i]\n", "p(m=ids)"),
    ("L0401", "complex128", "input x[N]: float32\nfor i  y[i] = x[i]\n", "p(x=x + 0j)"),
    ("L0404", "`<`", "for i  y[i] = x[i] < 1\n", "p(x=x + 0j)"),
    ("L0404", "`softmax`", "for i  y[i] = softmax[i](x[i])\n", "p(x=x + 0j)"),
    ("L0404", "`max`", "for i  y[i] = max(x[i], 0)\n", "p(x=x * 1j)"),
    ("L0404", "`max=`", "for i  y max= x[i]\n", "p(x=x * 1j)"),
    # Data as an index
    ("L0231", "axis 1 of `E`, index `w[i]`: 4 is outside 0 .. 3", GATHER, "p(E=x, w=[0, 4])"),
    ("L0231", "-1 is outside 0 .. 3", GATHER, "p(E=x, w=[0, -1])"),
    ("L0231", "-5 is outside 0 .. 3", GATHER, "p(E=x, w=[-5, 0])"),
    ("L0231", "9223372036854775808", GATHER, "p(E=x, w=np.array([0, 2**63], dtype=np.uint64))"),
    ("L0231", "255 is outside", GATHER, "p(E=x, w=np.array([255], dtype=np.uint8))"),
    ("L0231", "0 is outside", GATHER, "p(E=np.ones(0), w=[0])"),
    ("L0231", "7 is outside 0 .. 3", SCATTER, "p(w=[0, 7], v=np.ones(2))"),
    ("L0231", "-1 is outside 0 .. 3", SCATTER, "p(w=[0, -1], v=np.ones(2))"),
    ("L0231", "-1 is outside 0 .. 3", SCATTER, "p.grad(w=[0, -1], v=np.ones(2))"),
    ("L0231", "7 is outside 0 .. 3", SCATTER, "p.value_and_grad(w=[0, 7], v=np.ones(2))"),
    (
        "L0231",
        "axis 2 of `E`",
        "input a[N]: int, E[V,D]\nfor i  y[i] = E[0,a[i]]\n",
        "p(a=[0, 9], E=np.ones((3, 2)))",
    ),
    (
        "L0231",
        "axis 1 of `a`, index `b[i]`: 5",
        "input a[N]: int, b[M]: int, E[V]\nfor i  y[i] = E[a[b[i]]]\n",
        "p(a=[0, 9], b=[0, 5], E=np.ones(3))",
    ),
    (
        "L0231",
        "4 is outside 0 .. 3",
        "input a[N]: int, E[V]\nfor i  y[i] = E[a[i]+2]\n",
        "p(a=[0, 2], E=x)",
    ),
    ("L0211", "9", LABEL, "p(P=x, y=9)"),
    ("L0211", "-1", LABEL, "p(P=x, y=-1)"),
    ("L0211", "index 2", "input x[N]\ny = x[2]\n", "p(x=np.ones(2))"),
    ("L0232", "`argmax`", "y = argmax[i](x[i])\n", "p(x=np.ones(0))"),
    # Derivatives
    ("L0601", "`y`", TWICE, "p.grad(x=x)"),
    ("L0601", "`y`", TWICE, "p.hvp({'x': x}, {'x': x})"),
    ("L0601", "`y`", TWICE, "p.hessian('x', x=x)"),
    ("L0602", "`a`, `b`", "a = 2 x\nb = 3 x\n", "p.grad(x=1.0)"),
    ("L0602", "none", "\n", "p.grad()"),
    ("L0603", "complex", ABSOLUTE, "p.grad(z=x + 0j)"),
    ("L0603", "computed", TWICE, "p.jvp({'x': x}, {'y': x})"),
    ("L0603", "computed", SQUARES, "p.jacobian('x', 'y', x=x, W=W)"),
    ("L0603", "type int", GATHER, "loopc.compile(str(p), wrt=['w'])"),
    ("L0705", "`q`", TWICE, "p.vjp({'x': x}, {'q': x})"),
    ("L0705", "`q`", TWICE, "p.jvp({'x': x}, {'q': x})"),
    ("L0705", "`q`", SQUARES, "p.jacobian('q', 'x', x=x, W=W)"),
    ("L0705", "`q`", SQUARES, "p.jacobian('y', 'q', x=x, W=W)"),
    ("L0705", "`q`", SQUARES, "p.hessian('q', x=x, W=W)"),
    ("L0706", "forward", SQUARES, "p.bind(x=x).backward()"),
    # Options
    ("L0704", "`nope`", TWICE, "loopc.compile(str(p), backend='nope')"),
    ("L0704", "`7`", TWICE, "loopc.compile(str(p), opt=7)"),
    ("L0704", "`2`", TWICE, "loopc.compile(str(p), opt='2')"),
    ("L0704", "`float99`", TWICE, "loopc.compile(str(p), dtype='float99')"),
    ("L0704", "`int32`", TWICE, "loopc.compile(str(p), dtype='int32')"),
    ("L0705", "`q`", TWICE, "loopc.compile(str(p), wrt=['q'])"),
    ("L0705", "`q`", TWICE, "loopc.compile(str(p), wrt='q')"),
    ("L0705", "`q`", TWICE, "loopc.compile(str(p), loss='q')"),
    ("L0705", "`q`", TWICE, "loopc.compile(str(p), outputs=['q'])"),
    ("L0709", "bytes", TWICE, "loopc.compile(str(p), memory_limit='1GB')"),
    ("L0709", "bytes", TWICE, "loopc.compile(str(p), memory_limit=-1)"),
    ("L0003", "144 bytes", TWICE, "loopc.compile(str(p), memory_limit=10)(x=x)"),
    ("L0709", "int", TWICE, "loopc.compile(3)"),
    ("L0709", "NoneType", TWICE, "loopc.compile(None)"),
    ("L0709", "bytes", TWICE, "loopc.compile(b'y = 1')"),
    ("L0709", "list", TWICE, "loopc.run(['y = 1'])"),
    ("L0112", "nope.loops", TWICE, "loopc.compile('nope.loops')"),
    ("L0112", "directory", TWICE, "loopc.compile(__import__('pathlib').Path('/'))"),
    ("L0708", "no_such", TWICE, "p.save('no_such_folder/m.py')"),
)
