"""TABLE: programs that are wrong, with the codes and the places that are reported.

`⟦…⟧` stands round each place, in the order of the codes; the program is the text without these
marks. So every row says where an error begins and ends, and that nothing else is reported.
"""

from __future__ import annotations

LIMITS = (
    ("L0004", "y = ⟦100000000000000000000⟧\n"),
    ("L0004", "y = ⟦1e999⟧\n"),
)

SYNTAX = (
    ("L0101", "y[i] ⟦/⟧= 2\n"),
    ("L0101", "for i  y[i] ⟦/⟧= x[i]\n"),
    ("L0101", "for i  y[i] ⟦**⟧= 2\n"),
    ("L0101", "for i  y[i] ⟦//⟧= 2\n"),
    ("L0101", "y ⟦:⟧= 2\n"),
    ("L0101", "y ⟦==⟧ 2\n"),
    ("L0101", "x[i]⟦⟧\n"),
    ("L0101", "for i: y[i] = x[i⟦;⟧j]\n"),
    ("L0101", "for i if x[i] ⟦=⟧ 1: y[i] = 1\n"),
    ("L0101", "if f(x[i], 1) ⟦=⟧ 1: y = 1\n"),
    ("L0106", "for i < N ⟦y[i]⟧ = x[i]\n"),
    ("L0114", "⟦For⟧ i: y[i] = x[i]\n"),
    ("L0101", "⟦3⟧ = y\n"),
    ("L0101", "⟦2⟧ y = 3\n"),
    ("L0101", "for i  y⟦(⟧i) = x[i]\n"),
    ("L0101", 'y = ⟦"a"⟧\n'),
    ("L0101", "use⟦⟧\n"),
    ("L0101", "def f(a)⟦:⟧ b = a\n"),
    (
        "L0101",
        "def f(a) -> ⟦:⟧\n    b = a\n",
    ),
    (
        "L0101",
        "def ⟦(⟧a) -> b:\n    b = a\n",
    ),
    (
        "L0101",
        "for⟦:⟧\n    y = 1\n",
    ),
    ("L0101", "for i,  y⟦[⟧i] = 1\n"),
    ("L0101", "for i,j, y⟦[⟧i] = 1\n"),
    ("L0101", "for i y[i] = 1⟦,⟧ 2\n"),
    ("L0101", "y = 1 +⟦⟧\n"),
    ("L0101", "y = ⟦*⟧ 2\n"),
    ("L0101", "y = ⟦[⟧1, 2]\n"),
    ("L0101", "input⟦⟧\n"),
    ("L0101", "input x[N] ⟦y⟧[N]\n"),
    ("L0101", "input x:⟦⟧ \n"),
    ("L0101", "input x: int ⟦float⟧\n"),
    ("L0101", "output⟦⟧\n"),
    ("L0101", "dim N =⟦⟧ \n"),
    ("L0101", "dim ⟦3⟧\n"),
    ("L0101", "param W[⟦:⟧, 3]\n"),
    ("L0101", "backward⟦⟧\n"),
    ("L0101", "backward L wrt⟦⟧\n"),
    ("L0101", "backward L as⟦⟧\n"),
    ("L0101", "backward L⟦,⟧ M\n"),
    ("L0101", "backward L wrt W0 ⟦B0⟧\n"),
    ("L0101", "a, b = c⟦,⟧ d\n"),
    ("L0101", "y = x[1,⟦]⟧\n"),
    ("L0101", "y = x[⟦,⟧1]\n"),
    ("L0101", "y = x[i ⟦for⟧ i]\n"),
    ("L0101", "y = x ⟦if⟧ a > 0\n"),
    ("L0101", "y = x[1⟦:⟧2]\n"),
    ("L0101", "y = lambda x⟦:⟧ x\n"),
    ("L0101", "y = x !=⟦⟧ \n"),
    ("L0101", "y = a <⟦>⟧ b\n"),
    ("L0101", "y = a ⟦=⟧ b\n"),
    ("L0101", "y += ⟦=⟧ 2\n"),
    ("L0101", "y = not⟦⟧\n"),
    ("L0101", "y = a and⟦⟧\n"),
    ("L0101", "y = a or ⟦or⟧ b\n"),
    ("L0101", "for i  y[i]  ⟦x⟧[i]\n"),
    ("L0101", "for i y[i]⟦⟧\n"),
    ("L0101", "y⟦⟧\n"),
    ("L0101", "for i  y[i] = sum'⟦[⟧k](x[k])\n"),
    (
        "L0101",
        "input c[4]: complex, x[4]\nfor i  z[i] = x[i] ⟦if⟧ c[i]\n",
    ),
    ("L0101", "y = 2 * ⟦:⟧\n"),
    ("L0101", "a, b = x⟦,⟧ 2\n"),
    ("L0101", "for i, j  y[i,j] = x[i] ⟦if⟧ j\n"),
    (
        "L0101",
        "z = 2 +⟦⟧\ny = z\ninput x[N]\n",
    ),
    (
        "L0101",
        "input x[N]\nz = 2 +⟦⟧\nfor i  y[i] = x[i] z\n",
    ),
    (
        "L0101",
        "def f(a) -> b:\n    b = 2 a +⟦⟧\ny = f(1)\n",
    ),
    (
        "L0101",
        "for i:\n    y[i] = x[i] +⟦⟧\n    z[i] = x[i]\n",
    ),
    (
        "L0101",
        "input x[N]\nfor i  y[i] = x[i] ⟦if⟧ i\n",
    ),
    ("L0101", "for i⟦⟧\n"),
    (
        "L0101",
        "def f(a) -> b: b = a\nf⟦(⟧2)\n",
    ),
    ("L0101", "y = x;  ⟦=⟧ 3\n"),
    ("L0102", "for i  y[i] = x[i] ⟦^⟧ 2\n"),
    ("L0102", "for i  y[i] = x[i] ⟦&&⟧ z[i]\n"),
    ("L0102", "y = ⟦!⟧x\n"),
    ("L0102", 'use ⟦"⟧a.loops\n'),
    ("L0102", "y = ⟦{⟧1}\n"),
    ("L0102", "y = x⟦.⟧\n"),
    ("L0102", "y = 1⟦_⟧000\n"),
    ("L0102", "⟦@⟧y = 1\n"),
    ("L0102", "y = ⟦$⟧x\n"),
    ("L0102", "y = x ⟦?⟧ 1 : 0\n"),
    ("L0102", "y = a ⟦\\⟧ b\n"),
    ("L0102", "y = ⟦`⟧a`\n"),
    ("L0102", "y = a⟦…⟧\n"),
    ("L0102", "y = ⟦½⟧ x\n"),
    ("L0102", "y = x⟦²⟧\n"),
    ("L0102", "y = ⟦√⟧x\n"),
    ("L0102", "y = ⟦∑⟧ x\n"),
    (
        "L0103",
        "for i  y[i] = A⟦[⟧i\nz = 2\n",
    ),
    (
        "L0103",
        "for i  y[i] = ⟦(⟧x[i] + 2\nfor j  z[j] = 2\n",
    ),
    ("L0103", "y = ⟦(⟧1 + 2\n"),
    ("L0103", "input x⟦[⟧N\n"),
    ("L0104", "for i  y[i] = x[i]⟦]⟧\n"),
    ("L0104", "input x[N]⟦]⟧\n"),
    (
        "L0105",
        "for i:\n    for j:\n      y[i,j] = 1\n   ⟦z⟧[i] = 2\n",
    ),
    ("L0106", "for i < 3  ⟦y[i]⟧ = 1\n"),
    ("L0106", "for i in range(3)  ⟦y[i]⟧ = 1\n"),
    ("L0106", "for i in range(3), j  ⟦y⟧[i,j] = x[j]\n"),
    ("L0106", "if a > 0 ⟦y⟧ = 1\n"),
    (
        "L0106",
        "⟦def f(a) -> b⟧\n    b = a\n",
    ),
    (
        "L0106",
        "⟦for i⟧\n    y[i] = 1\n",
    ),
    ("L0106", "for i in range(3), j in range(3) if i > j  ⟦y[i,j]⟧ = 1\n"),
    ("L0106", "for i, j if i <= j  ⟦y[i,j]⟧ = x[i,j]\n"),
    (
        "L0106",
        "⟦for i,j⟧\n    y[i,j] = 1\n",
    ),
    ("L0107", "y = x⟦\u200b⟧\n"),
    ("L0107", "y = x⟦\u202e⟧ + 1\n"),
    ("L0107", "y = x⟦\ufeff⟧\n"),
    ("L0108", "for i  ⟦in⟧ = 2\n"),
    ("L0108", "⟦for⟧ = 2\n"),
    ("L0108", "for ⟦for⟧  y[i] = 1\n"),
    ("L0108", "input ⟦for⟧[N]\n"),
    ("L0108", "dim ⟦in⟧\n"),
    ("L0109", "for i⟦:⟧\n"),
    (
        "L0109",
        "for i⟦:⟧\ny[i] = 1\n",
    ),
    (
        "L0109",
        "for i⟦:⟧ \n# comment\n",
    ),
    (
        "L0109",
        "if 1⟦:⟧\ny = 2\n",
    ),
    (
        "L0110",
        "y = 1\n  ⟦z⟧ = 2\n",
    ),
    (
        "L0110",
        "for i:\n    y[i] = 1\n\t⟦z⟧[i] = 2\n",
    ),
    (
        "L0110",
        "for i: y[i] = 1\n    ⟦z⟧ = 2\n",
    ),
    ("L0113", "y = ⟦x.1⟧\n"),
    ("L0113", "y = ⟦1.2.3⟧\n"),
    ("L0113", "y = ⟦0x10⟧\n"),
    (
        "L0114",
        "if a > 0: y = 1\n⟦else⟧: y = 2\n",
    ),
    (
        "L0114",
        "if a > 0:\n    y = 1\n⟦else⟧:\n    y = 2\n",
    ),
    (
        "L0114",
        "if a > 0:\n    y = 1\n⟦elif⟧ a < 0:\n    y = 2\n",
    ),
    ("L0114", "⟦while⟧ a > 0: y = 1\n"),
    ("L0114", "⟦return⟧ y\n"),
    ("L0114", "⟦let⟧ y = 2\n"),
)

SHAPES = (
    ("L0201", "for ⟦i⟧  y[i] = x[j]\n"),
    ("L0201", "for ⟦i⟧  y[i] = sum[i](x[i])\n"),
    ("L0201", "for ⟦i⟧  s += i\n"),
    ("L0201", "for ⟦i⟧  y[2*i] = 1\n"),
    ("L0201", "for i,⟦j⟧  y[i] += A[i,l]\n"),
    ("L0201", "for ⟦pi⟧  y[pi] = 1\n"),
    ("L0201", "for ⟦i⟧ if j > 2: y[i] = 1\n"),
    ("L0201", "y = sum[⟦i⟧](sum[i](x[i]))\n"),
    (
        "L0202",
        "dim N = ⟦-1⟧\nfor i < N: y[i] = 1\n",
    ),
    (
        "L0202",
        "input x[⟦-1⟧]\nfor i  y[i] = x[i]\n",
    ),
    (
        "L0204",
        "input A[3], B[4]\nfor i  s += A[i] B[⟦i⟧]\n",
    ),
    (
        "L0204",
        "input A[3,4]\nfor i  s += A[i,⟦i⟧]\n",
    ),
    (
        "L0204",
        "input A[3], B[1]\nfor i  s += A[i] B[⟦i⟧]\n",
    ),
    (
        "L0204",
        "def f(a[N], b[N]) -> c:\n    for i  c += a[i] b[⟦i⟧]\ninput u[3], v[4]\ny = f(u, v)\n",
    ),
    (
        "L0204",
        "input A[3,4], B[5,6]\nfor i,j,k  C[i,j] += A[i,k] B[⟦k⟧,j]\n",
    ),
    (
        "L0204 L0204",
        "input A[3,4], C[2,6]\nfor i,j  C[i,j] = A[⟦i⟧,⟦j⟧]\n",
    ),
    (
        "L0204 L0204",
        "dim C[2,6]\ninput A[3,4]\nfor i,j  C[i,j] = A[⟦i⟧,⟦j⟧]\n",
    ),
    (
        "L0204",
        "input x[N], c[N]\nfor i < N+1: r[i] = x[0]\nfor i  y[i] = c[⟦i⟧] (r[i+1] - r[i])\n",
    ),
    (
        "L0204",
        "input x[T,D]\ndim h[T+1,D]\nfor t, d: h[t+1,d] = h[t,d] + x[⟦t⟧,d]\n",
    ),
    (
        "L0204 L0302 L0210",
        "input A[3], B[4], C[N]\nfor i  s += A[i] B[⟦i⟧]\nt = ⟦foo⟧(s)\nu = C[⟦-1⟧]\n",
    ),
    (
        "L0205",
        "input p[K]: int, v[K]\nfor k  ⟦z[p[k]]⟧ += v[k]\n",
    ),
    (
        "L0210",
        "input x[N]\nfor i < N: y[i] = x[⟦i-1⟧]\n",
    ),
    (
        "L0210",
        "input x[N]\nfor i < N: y[i] = x[⟦i+1⟧]\n",
    ),
    (
        "L0210",
        "input x[N]\nfor i <= N: y[i] = x[⟦i⟧]\n",
    ),
    (
        "L0210",
        "input x[N]\ny = x[⟦N⟧]\n",
    ),
    (
        "L0210",
        "input x[N]\ny = x[⟦-1⟧]\n",
    ),
    (
        "L0210",
        "input x[3]\ny = x[⟦3⟧]\n",
    ),
    (
        "L0210",
        "input x[3]\nfor i < 3: y[i] = x[⟦2*i⟧]\n",
    ),
    (
        "L0210",
        "input x[N]\nfor i < N: y[⟦i-1⟧] = x[i]\n",
    ),
    (
        "L0210",
        "input x[N]\nfor i in range(1, N): x[⟦i-2⟧] = 1\n",
    ),
    (
        "L0210",
        "input x[4,4]\nfor i,j  y[i,j] = x[i, j+1] + x[⟦i+5⟧, 0]\n",
    ),
    (
        "L0210",
        "def f(a[3]) -> b:\n    b = a[⟦3⟧]\ny = 2\n",
    ),
    (
        "L0210",
        "input A[5]\nfor i  y[i] = A[i+1] - A[i-1]\nz = y[⟦5⟧]\n",
    ),
    (
        "L0210",
        "input A[5]\nfor i < 6: y[i] = A[⟦i⟧]\n",
    ),
    (
        "L0210",
        "input A[5]\nfor i < 5: y[i] = A[⟦4-2*i⟧]\n",
    ),
    (
        "L0210",
        "input A[5]\nfor i < 5: y[i] = A[⟦i//2+3⟧]\n",
    ),
    (
        "L0210 L0210",
        "input A[5]\ny = A[⟦5⟧]; z = A[⟦2**3⟧]\n",
    ),
)

NAMES = (
    (
        "L0333",
        "input weights[N]\nfor i  y[i] = ⟦weigths[i]⟧\n",
    ),
    ("L0335", "for i:\n    e[i] = exp(x[i])\n    p[i] = e[i] / sum[k](⟦e[k]⟧)\noutput p\n"),
    ("L0335", "for i,j:\n    q[i,j] = 2 x[i,j]\n    p[i,j] = softmax[j](⟦q[i,j]⟧)\noutput p\n"),
    (
        "L0335",
        "for n:\n    for i  u[n,i] = x[n,i]\n    for i  v[n,i] = max[m](⟦u[m,i]⟧)\noutput v\n",
    ),
    ("L0336", "def f(v[I], n) -> y:\n    for ⟦n < I⟧: y += v[n]\nz = f(x, 2)\nw = f(x, 3)\n"),
    ("L0336", "def f(v[I]) -> y:\n    y = sum[⟦v < 3⟧](v)\nz = f(x)\n"),
    ("L0336", "def f(v[I]) -> y:\n    t = 2\n    y = t sum[i < I, ⟦t < 3⟧](v[i] t)\nz = f(x)\n"),
    ("L0334", "input x\ny = 2 ⟦z⟧ + z\nz = x + 1\noutput y, z\n"),
    ("L0334", "for i  l += x[i]**2\nfor i  y[i] = ⟦x.grad[i]⟧\nbackward l wrt x\noutput y\n"),
    (
        "L0301",
        "output ⟦q⟧\ny = 1\n",
    ),
    ("L0331", "dim A = 2*B, B = ⟦A⟧\nfor i < A: y[i] = i\n"),
    ("L0331", "dim A = ⟦2*A⟧\nfor i < A: y[i] = i\n"),
    ("L0320", "def f(x, k: int) -> y: y = k x\ninput a\nb = f(a, ⟦2.5⟧)\n"),
    ("L0320", "def f(x, k: int) -> y: y = k x\ninput a, c: float\nb = f(a, ⟦c⟧)\n"),
    ("L0403", "def f(x, k: int) -> y: y = k x\ninput a\nb = f(a, ⟦2*a⟧)\n"),
    ("L0317", "def f(x, k: ⟦integer⟧) -> y: y = k x\ninput a\nb = f(a, 2)\n"),
    ("L0214", "def f(x[3]) -> y: y = x[0] x[2]\ninput a[4]\nb = f(⟦a[:]⟧)\n"),
    ("L0402", "input n: float, x[⟦2*n⟧]\nfor i  y[i] = x[i]\n"),
    (
        "L0331",
        "input x[⟦A[i]⟧]\nfor i  y[i] = x[i]\n",
    ),
    (
        "L0301",
        "input x[N]\nL = 2\nbackward ⟦M⟧\n",
    ),
    (
        "L0301",
        "for i  L += x[i]\nbackward L wrt ⟦q⟧\n",
    ),
    ("L0302", "for i  y[i] = ⟦sgimoid⟧(x[i])\n"),
    ("L0302", "for i  y[i] = ⟦foo⟧(x[i])\n"),
    (
        "L0302",
        "def ff(a) -> b:\n    b = a\ny = ⟦fff⟧(1)\n",
    ),
    (
        "L0302",
        "def f(a) -> b:\n    b = ⟦undefined_function⟧(a)\ny = 2\n",
    ),
    ("L0302", "for i < 3: y[i] = x[⟦padd⟧(i)]\n"),
    ("L0302", "for i  y[i] = ⟦sum⟧(A[i])\n"),
    ("L0302", "for i  y[i] = ⟦summ[k]⟧(A[i,k])\n"),
    (
        "L0302",
        "input x[N]\ndef f(a) -> b:\n    b = ⟦undefined_function⟧(a)\nfor i  y[i] = x[i]\n",
    ),
    (
        "L0302",
        "for i < 3:\n    y[i] = ⟦foo⟧(i)\n    z[i] = y[i]\nfor i  w[i] = y[i]\n",
    ),
    ("L0302", "y = 3 ⟦range⟧(2)\n"),
    ("L0303", "y = ⟦max()⟧\n"),
    ("L0303", "for i  y[i] = ⟦where(x[i], 1)⟧\n"),
    ("L0303", "for i  y[i] = ⟦clip(x[i])⟧\n"),
    ("L0303", "for i  y[i] = ⟦max(x[i])⟧\n"),
    ("L0303", "for i  y[i] = ⟦max'(x[i])⟧\n"),
    ("L0303", "for i  y[i] = ⟦where'(x[i])⟧\n"),
    ("L0304", "y = ⟦σ'⟧\n"),
    ("L0304", "for i  y[i] = ⟦exp⟧\n"),
    ("L0304", "for i  y[i] = exp x[i] ⟦exp⟧\n"),
    ("L0304", "for i  y[i] = ⟦exp⟧ -x[i]\n"),
    (
        "L0304",
        "def f(a) -> b:\n    b = 2 a\ny = ⟦f⟧\n",
    ),
    (
        "L0304",
        "def f(a) -> b:\n    b = 2 a\nfor i  y[i] = ⟦f[i]⟧\n",
    ),
    (
        "L0304",
        "for i < 3: y[i] = ⟦exp⟧\nz = sum\n",
    ),
    ("L0305", "for i  y[i] = ⟦exp⟧ 2**x[i]\n"),
    ("L0306", "for i  ⟦y[j] = x[i]⟧\n"),
    ("L0306", "for j,k  ⟦s[j] = A[j,k]⟧\n"),
    ("L0306", "for j,k: ⟦s[j] = A[j,k]⟧\n"),
    ("L0306", "for i  ⟦s = x[i]⟧\n"),
    (
        "L0307",
        "dim N, ⟦N⟧\nfor i < N: y[i] = 1\n",
    ),
    (
        "L0307",
        "dim N = 3, ⟦N = 4⟧\nfor i < N: y[i] = 1\n",
    ),
    (
        "L0307",
        "input x[N], ⟦x[N]⟧\nfor i  y[i] = x[i]\n",
    ),
    (
        "L0307",
        "input x[N]\nparam ⟦x[N]⟧\nfor i  y[i] = x[i]\n",
    ),
    (
        "L0307",
        "input x[N]\noutput y, ⟦y⟧\nfor i  y[i] = x[i]\n",
    ),
    (
        "L0307",
        "def f(a, ⟦a⟧) -> b:\n    b = 2 a\ny = f(1, 2)\n",
    ),
    (
        "L0307",
        "def f(a) -> b:\n    b = 2 a\n⟦def f(a) -> b:\n    b = 3 a⟧\ny = f(1)\n",
    ),
    (
        "L0307",
        "dim N\ninput x[N]\ndim ⟦N⟧\nfor i  y[i] = x[i]\n",
    ),
    (
        "L0307",
        "input x[N]\ndim y[N], ⟦y[N]⟧\nfor i  y[i] = x[i]\n",
    ),
    (
        "L0308",
        "dim N\ninput N[3]\nfor i < ⟦N⟧: y[i] = 1\n",
    ),
    (
        "L0308",
        "input x[N], y[N]\nfor i  z[i] = ⟦x[i,i]⟧\n",
    ),
    ("L0308", "for i  y[i] = x[i] + ⟦x⟧\n"),
    (
        "L0308",
        "for i  y[i] = x[i]\nfor i,j  ⟦y[i,j]⟧ = 1\n",
    ),
    (
        "L0308",
        "input x\nfor i  y[i] = ⟦x[i]⟧\n",
    ),
    (
        "L0308",
        "for i  y[i] = x\nz = ⟦x[1]⟧\n",
    ),
    (
        "L0308",
        "def f(a) -> b:\n    for i  b += ⟦a[i,0]⟧ a[i]\ny = 2\n",
    ),
    (
        "L0308",
        "sum = 3\ny = ⟦sum[k]⟧(x[k])\n",
    ),
    (
        "L0308",
        "def f(a[N]) -> b[N]:\n    for i  b[i] = ⟦a[i,0]⟧\ny = 2\n",
    ),
    (
        "L0308",
        "input x[N], p[K]: int\nfor k: x[p[k]] = 2 ⟦p[k,k]⟧\n",
    ),
    (
        "L0308",
        "input A[5]\nfor i < 5: y[i] = ⟦A[i, 0]⟧\n",
    ),
    ("L0308", "input x[N]; y = ⟦x⟧; z = 2\n"),
    (
        "L0308",
        "y = x[0]\nz = ⟦x⟧\n",
    ),
    ("L0309", "for i  y[i] = ⟦sum[k]⟧ A[i,k]\n"),
    ("L0309", "for i  y[i] = ⟦sum[]⟧(A[i])\n"),
    ("L0309", "y = ⟦max[]⟧(x[0])\n"),
    ("L0310", "for i  y[i] = sum[⟦2*k⟧](A[i,k])\n"),
    ("L0310", "for i  y[i] = sum[⟦k > 3⟧](A[i,k])\n"),
    ("L0310", "for i  y[i] = x[i if ⟦i > 2⟧]\n"),
    ("L0310", "y = x[⟦i in range(3)⟧]\n"),
    ("L0311", "for i in ⟦range(0, 3, 0)⟧: y[i] = 1\n"),
    ("L0311", "for i in ⟦1:3⟧: y[i] = 1\n"),
    ("L0311", "for i in ⟦1:3⟧  y[i] = 1\n"),
    ("L0311", "for i in ⟦1:3⟧:\n  y[i] = 1\n"),
    ("L0311", "for i in ⟦1:N-1⟧, j: y[i] = x[j]\n"),
    ("L0311", "for i in ⟦1:9⟧ if i > 2: y[i] = 1\n"),
    ("L0311", "for ⟦i =⟧ 1:3: y[i] = 1\n"),
    ("L0311", "w = 2\nfor i in ⟦range(0, 3, w)⟧: y[i] = 1\n"),
    ("L0311", "input w: int\nfor i in ⟦range(w, 3, w)⟧: w += i\n"),
    ("L0311", "input p[P]: int\nfor i in ⟦range(0, 3, p[0])⟧: y[i] = 1\n"),
    ("L0311", "input x[N]\ny = argmax[k in ⟦range(0, N, S)⟧](x[k])\n"),
    ("L0311", "for i in ⟦range(0, 3, 0.5)⟧: y[i] = 1\n"),
    ("L0311", "for i in ⟦range()⟧: y[i] = 1\n"),
    ("L0311", "for i in ⟦range(1,2,3,4)⟧: y[i] = 1\n"),
    ("L0311", "for i in ⟦10⟧: y[i] = 1\n"),
    ("L0311", "for i in ⟦x⟧: y[i] = 1\n"),
    ("L0311", "for i in reversed(⟦3⟧): y[i] = 1\n"),
    ("L0311", "for i in reversed(⟦x⟧): y[i] = 1\n"),
    ("L0311", "y = argmax[k in ⟦10⟧](x[k])\n"),
    ("L0312", "for i,⟦i⟧  D[i,i] = 1\n"),
    ("L0312", "for i: for ⟦i⟧: y[i] = x[i]\n"),
    ("L0312", "for i, j < i, ⟦i < 3⟧: y[i] = 1\n"),
    ("L0312", "for i  y[i] = sum[k,⟦k⟧](A[k,k])\n"),
    ("L0312", "y = sum[i, ⟦i⟧](x[i])\n"),
    ("L0313", "for i,j  ⟦i⟧ = 2\n"),
    (
        "L0313",
        "dim N\n⟦N⟧ = 3\n",
    ),
    ("L0313", "for i  ⟦i⟧ += 1\n"),
    ("L0314", "for i  y[i] = x[i,⟦:⟧]\n"),
    ("L0314", "for i  y[⟦:⟧] = x[i]\n"),
    (
        "L0314 L0320",
        "def f(a[N]) -> b[N]: b[0] = a[0]\nfor i  x[i, ⟦:⟧] += ⟦f(y[i, :])⟧ + 1\n",
    ),
    ("L0315", "for i  y[i] = ⟦pad⟧(x[i])\n"),
    ("L0315", "for i < 3: y[i] = x[⟦pad⟧(i)+1]\n"),
    ("L0315", "for i < 3: y[i] = x[⟦pad⟧(i,1)]\n"),
    ("L0315", "for i < 3: y[i] = x[⟦clamp⟧(i, 2)]\n"),
    ("L0315", "y = ⟦clamp⟧(3)\n"),
    ("L0316", "y = ⟦()⟧\n"),
    ("L0316", "for i  y[i] = sum[k]⟦(A[i,k], 2)⟧\n"),
    ("L0316", "y = 2 * ⟦(1, 2)⟧\n"),
    ("L0316", "y = ⟦(1, 2)⟧\n"),
    ("L0317", "input x[3]: ⟦str⟧\n"),
    (
        "L0317",
        "input x[N]: ⟦double⟧\nfor i  y[i] = x[i]\n",
    ),
    (
        "L0317",
        "input x[N]: ⟦Float⟧\nfor i  y[i] = x[i]\n",
    ),
    (
        "L0318",
        "input µ, ⟦μ⟧\ny = µ + μ\n",
    ),
    (
        "L0318",
        "input ϵ, ⟦ε⟧\ny = ϵ + ε\n",
    ),
    ("L0318", "for µ, ⟦μ⟧  y[µ, μ] = 1\n"),
    (
        "L0318",
        "input x[µ], ⟦y[μ]⟧\nfor i,j  z[i,j] = x[i] y[j]\n",
    ),
    (
        "L0318",
        "⟦def µ(a) -> b: b = a⟧\nμ = 3\ny = µ(2)\n",
    ),
    (
        "L0318",
        "µ = 2\n⟦μ⟧ = 3\n",
    ),
    ("L0319", "y = ⟦x'⟧\n"),
    ("L0319", "y = ⟦x''''⟧\n"),
    (
        "L0320",
        "def f(a) -> b:\n    b = 2 a\ny = ⟦f(1, 2)⟧\n",
    ),
    (
        "L0320",
        "def f(a) -> b:\n    b = 2 a\ny = ⟦f()⟧\n",
    ),
    (
        "L0320",
        "def f(a[N]) -> b:\n    for i  b += a[i]\ny = f(⟦x[i,j]⟧)\n",
    ),
    (
        "L0320",
        "def f(a[N]) -> b:\n    for i  b += a[i]\ny = f(⟦2⟧)\n",
    ),
    (
        "L0320",
        "def f(a[N]) -> b[N]:\n    for i  b[i] = a[i]\ny = 2 ⟦f(x)⟧\n",
    ),
    (
        "L0320",
        "def f(a) -> b, c:\n    b = a; c = 2 a\n⟦y = f(1)⟧\n",
    ),
    (
        "L0320",
        "def f(a) -> b, c:\n    b = a; c = 2 a\n⟦x, y, z = f(1)⟧\n",
    ),
    (
        "L0320",
        "def f(a) -> b:\n    b = ⟦a[0]⟧\ny = f(1)\n",
    ),
    (
        "L0320",
        "def f(a[N]) -> b[N]: b[0] = a[0]\nx = f(⟦y[:, :]⟧)\n",
    ),
    (
        "L0320",
        "def f(a[N]) -> b[N]: b[0] = a[0]\nfor i  ⟦x[i, i]⟧ = f(y[i, :])\n",
    ),
    (
        "L0321",
        "def f(a) -> b:\n    b = ⟦f(a)⟧\ny = f(1)\n",
    ),
    (
        "L0321",
        "def f(a) -> b:\n    b = g(a)\ndef g(a) -> b:\n    b = ⟦f(a)⟧\ny = f(1)\n",
    ),
    ("L0322", '⟦use "../other.loops"⟧\n'),
    ("L0322", '⟦use "/etc/passwd"⟧\n'),
    ("L0322", '⟦use "missing.loops"⟧\n'),
    ("L0322", "⟦use nothing⟧\n"),
    (
        "L0323",
        "def f(a) -> ⟦b⟧:\n    c = 2 a\ny = f(1)\n",
    ),
    (
        "L0324",
        "for i:\n    ⟦def f(a) -> b: b = a⟧\n    y[i] = f(x[i])\n",
    ),
    (
        "L0324",
        "def f(a) -> b:\n    ⟦input q⟧\n    b = a\ny = f(1)\n",
    ),
    (
        "L0324",
        "def f(a) -> b:\n    ⟦use nn⟧\n    b = a\ny = f(1)\n",
    ),
    (
        "L0324",
        "def f(a) -> b:\n    b = a\n    ⟦backward b⟧\ny = f(1)\n",
    ),
    (
        "L0324",
        "for i:\n    ⟦use nn⟧\n    y[i] = 1\n",
    ),
    (
        "L0324",
        "for i  L += x[i]\nfor i:\n    ⟦backward L⟧\n",
    ),
    (
        "L0324",
        "for i:\n    ⟦input x[N]⟧\n    y[i] = x[i]\n",
    ),
    (
        "L0324",
        "if x > 0:\n    ⟦param W⟧\n    y = W\n",
    ),
    ("L0325", "⟦a, b = 2⟧\n"),
    ("L0326", "output y = ⟦2⟧\n"),
    (
        "L0327",
        "input a, ⟦\u0430⟧\ny = a \u0430\n",
    ),
    ("L0327", "for b,i,⟦\u0456⟧  y[b,i,\u0456] = x[b,i] z[\u0456]\n"),
    ("L0329", "for row, col  y[row] += A[row, col] x[⟦coll⟧]\n"),
    ("L0329", "for batch < 3, ⟦batches < 4⟧: y[batch] += x[batch]\n"),
    ("L0331", "input A[N]: int, x[⟦A[0]⟧]\nfor i  y[i] = x[i]\n"),
    ("L0331", "input x[⟦n⟧]\nn = 3\nfor i  y[i] = x[i]\n"),
    ("L0331", "input A[N]\nparam W[N] = ⟦sum[k](A[k])⟧\nfor i  y[i] = W[i]\n"),
    ("L0328", "for i < ⟦j⟧, j < 3: y[i,j] = 1\n"),
    ("L0328", "for i < ⟦i⟧: y[i] = 1\n"),
    ("L0328", "for i in range(⟦j⟧, 3), j < 3: y[i,j] = 1\n"),
    (
        "L0328",
        "param W[3] = x[⟦i⟧]\nfor i  y[i] = W[i]\n",
    ),
    ("L0328", "for i in range(x[⟦i⟧], 3): y[i] = 1\n"),
    (
        "L0328",
        "def f(a) -> b:\n    for i < ⟦j⟧, j < 3: b += a\ny = f(1)\n",
    ),
    (
        "L0330",
        "def f(a) -> b:\n    b = 2 ⟦z⟧\nz = 3\ny = f(1)\n",
    ),
    (
        "L0330",
        "def f(a) -> b:\n    b = 2 ⟦z⟧\ny = f(1)\n",
    ),
    (
        "L0330",
        "def f(a[N]) -> b[N]:\n    for i  b[i] = a[i] + ⟦q[i]⟧\nfor n  y[n,:] = f(x[n,:])\n",
    ),
    ("L0332", "for i  y[i] = softmax[⟦k⟧](A[i,k])\n"),
    ("L0332", "y = softmax[⟦k⟧](x[k])\n"),
    (
        "L0332",
        "input c[N]: complex\n"
        "for i  s += c[i]\n"
        "for i  t *= c[i]\n"
        "for i  m[i] = softmax[⟦j⟧](c[j])\n",
    ),
)

TYPES = (
    (
        "L0402",
        "input N: float\nfor i < ⟦N⟧: y[i] = 1\n",
    ),
    (
        "L0402",
        "dim N = ⟦2.5⟧\nfor i < N: y[i] = 1\n",
    ),
    (
        "L0402",
        "input x[⟦2.5⟧]\nfor i  y[i] = x[i]\n",
    ),
    (
        "L0402",
        "input x[⟦N/2⟧]\nfor i  y[i] = x[i]\n",
    ),
    ("L0402", "for i < 4: y[i] = x[⟦i/2⟧]\n"),
    ("L0402", "for i < 4: y[i] = x[⟦0.5⟧]\n"),
    (
        "L0402",
        "input f[N]: float, x[M]\nfor i  y[i] = x[⟦f[i]⟧]\n",
    ),
    ("L0402", "for i < 4: y[i] = x[⟦exp(i)⟧]\n"),
    ("L0402", "for i < ⟦2.5⟧: y[i] = 1\n"),
    ("L0402", "for i in range(⟦0.5⟧, 3): y[i] = 1\n"),
    (
        "L0403",
        "dim z[4]: int\nfor i < 4: ⟦z[i] = 0.5 i⟧\n",
    ),
    (
        "L0403",
        "dim z[4]: int\ninput p[K]: int, v[K]\nfor k  ⟦z[p[k]] += v[k]⟧\n",
    ),
    (
        "L0403",
        "dim z[4]: bool\nfor i < 4: ⟦z[i] = 0.5⟧\n",
    ),
    (
        "L0403",
        "dim z[4]: float\ninput c[4]: complex\nfor i  ⟦z[i] = c[i]⟧\n",
    ),
    (
        "L0404",
        "input c[4]: complex\nfor i  z[i] = ⟦c[i] < 1⟧\n",
    ),
    (
        "L0404",
        "input c[4]: complex\nfor i  z[i] = ⟦max(c[i], 1)⟧\n",
    ),
    (
        "L0404",
        "input c[4]: complex\nfor i  ⟦z max= c[i]⟧\n",
    ),
    (
        "L0404",
        "input c[4]: complex\nfor i  z[i] = ⟦floor(c[i])⟧\n",
    ),
    (
        "L0404",
        "input c[4]: complex\nfor i  z[i] = ⟦c[i] // 2⟧\n",
    ),
    (
        "L0404",
        "input c[4]: complex\nfor i  z[i] = ⟦c[i] % 2⟧\n",
    ),
    (
        "L0404",
        "input c[4]: complex\nz = ⟦argmax[i](c[i])⟧\n",
    ),
    (
        "L0404",
        "input c: complex\nif ⟦c < 1⟧: y = 2\n",
    ),
    (
        "L0404",
        "input c[N]: complex\nfor i  ⟦m min= c[i]⟧\n",
    ),
    (
        "L0404 L0404",
        "input c[4]: complex\nfor i  z[i] = ⟦erf(c[i])⟧ + ⟦relu(c[i])⟧ + sign(c[i])\n",
    ),
    (
        "L0404 L0404",
        "input c[N]: complex\nfor i  m[i] = ⟦logsumexp[j](c[j])⟧ + ⟦max[j](c[j])⟧\n",
    ),
)

CALCULUS = (
    (
        "L0603",
        "input c[4]: complex, x[4]\nfor i  L += abs(c[i])\n⟦backward L wrt c⟧\n",
    ),
    (
        "L0603",
        "input n: int, x[N]\nfor i  L += n x[i]\n⟦backward L wrt n⟧\n",
    ),
    (
        "L0603",
        "input p[N]: int\nfor i  n += p[i]\n⟦backward n⟧\n",
    ),
    (
        "L0603",
        "param n: int\nfor i < n: y[i] = 1\nL = y[0]\n⟦backward L⟧\n",
    ),
    (
        "L0603",
        "x = 1\n⟦backward x wrt x⟧\n",
    ),
    (
        "L0606",
        "input x[N], z[N]\nfor i  L += x[i]\n⟦backward L wrt z⟧\n",
    ),
    (
        "L0606",
        "⟦backward L⟧\nfor i  L += x[i]\n",
    ),
)

WRONG = (*LIMITS, *SYNTAX, *SHAPES, *NAMES, *TYPES, *CALCULUS)
