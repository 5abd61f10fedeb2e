"""Programs that random ones shrank to, with the arrays that they went wrong on."""

from __future__ import annotations

from typing import Any

import numpy as np


def whole(*shape: int) -> np.ndarray:
    """Return small whole numbers."""
    return (np.arange(int(np.prod(shape))) * 7 % 5 - 1.0).reshape(shape)


PROGRAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "a sum that wraps in a loop on numbers": (
        "input x[P,N], p[N]: int, t[3]\noutput t\nfor a < N:\n    t[1] -= t[a % 2]\n"
        "    for i in range(p[a], min(2*p[a]+1, N)):\n        t[0] = -x[wrap(3*i-4),a]\n",
        {"x": whole(5, 4), "p": np.array([2, 1, 0, 0]), "t": whole(3)},
    ),
    "a sum in blocks of a running sum under another name": (
        "input x[N], p[N]: int, w[N]\n"
        "for i < N: t[i] = sum[j < N if w[j] > 0](cumsum[i < N](x[p[i]] w[i]) x[j])\n",
        {"x": whole(4), "p": np.arange(4), "w": whole(4)},
    ),
    "whether a masked minimum is needed hangs on another one": (
        "input x[N], w[K]\n"
        "for i:\n"
        "    y[i] = x[i] * where(\n"
        "        min[c < K if x[i] > 1](c) < N - 1, 3, min(9, min[c < K if x[i] > 1](c)))\n"
        "    z[i] = x[i] * where(\n"
        "        max[c < K if x[i] > 1](c) > -9, 3, max(-9, max[c < K if x[i] > 1](c)))\n"
        "    u[i] = x[i] * where(\n"
        "        min[c < K if x[i] > 1](c) < 9, argmin[c < K if x[i] > 1](w[c]), -1)\n",
        {"x": np.array([1.0, 2, 1, 3]), "w": whole(3)},
    ),
    "a product of a zero and a negative prints with its sign": (
        "input x[N]\nfor i < N: t[i] = -0 * -x[i]\nfor i: y[i] = t[i] x[i]\n",
        {"x": whole(3)},
    ),
    "a sum of integers beside a contraction is a float32": (
        "input x0, t[N], x[K], p[K]: int, b[K]: bool\n"
        "for c < K: x0 += t[N-1] x[c] + p[c] + (b[c] and x[c] > 0) + c\n"
        "for n, c: y[n] += t[n] x[c] + p[c] p[c]\n",
        {
            "x0": np.float32(3),
            "t": whole(3).astype(np.float32),
            "x": whole(4).astype(np.float32),
            "p": np.arange(4, dtype=np.int16),
            "b": whole(4) > 0,
        },
    ),
    "a running maximum at the count of a loop in symbolic steps": (
        "input x[N,M], y[N]\n"
        "for a in range(N - 1, -1, -M - 1):\n"
        "    s += max[i < N](cummax[a < N if a > i](x[a,0] + y[i]))\n",
        {"x": whole(4, 1), "y": whole(4)},
    ),
    "pieces of a loop that an outer loop takes in another order": (
        "input x[N,N]\ndim t[N,N]\nfor i < N, a < N: t[i,a] = x[i,a] - N\n"
        "for i in range(1, N), a < N if i >= a: t[i,a] max= t[clamp(i+1),i] + i\n",
        {"x": whole(4, 4)},
    ),
    "a padded read at the last index of a triangle": (
        "input x[N], z[K,M]\nfor c < K, j in range(c, M):\n    t[0] = x[pad(2*j-1)] z[0,0]\n",
        {"x": whole(3), "z": whole(3, 2)},
    ),
    "a slope of literals times an integer": (
        "input x[N]\nfor a < N: t[a] = a\n"
        "for a < N: t[a] *= relu'(where(2 < x[a], 2, 1))\nfor a < N: y[a] = t[a] x[a]\n",
        {"x": whole(3)},
    ),
    "a row of values is scattered over more cells under a mask": (
        "input x[N], y[M], z[K]\ndim t[K]\n"
        "for a < N, j < M: t[pad(2*j-1)] += x[a]\nfor k < K: z[k] = z[k] + t[k]\n",
        {"x": whole(2), "y": whole(3), "z": whole(4)},
    ),
    "a literal is not there where its loop is empty": (
        "input x[K], y[N]\nfor c < K: t = 2\nfor i < N: z[i] = t + y[i]\n",
        {"x": whole(0), "y": whole(3)},
    ),
    "an array of literals is not there where an outer loop is empty": (
        "input x[K], y[N]\nfor c < K, i < N: t[i] = 2\nfor i < N: z[i] = t[i] y[i]\n",
        {"x": whole(0), "y": whole(3)},
    ),
    "a value that is read lazily is recorded lazily": (
        "input x[N]\ndim t[N]\nfor i < N: t[i] = 1\n"
        "for a < N, i < N: t[i - i % 2] max= where(i >= 1, t[i-1] x[i], x[i])\n",
        {"x": whole(3)},
    ),
    "a value under the guard of a sum is recorded under it": (
        "input x[N]\ndim t[N]\nfor i < N: t[i] = x[i]\n"
        "for i < N: t[i] = clip(sum[a < N if a > 0](t[a-1] t[a-1]), -9, 9) - t[i] x[i]\n",
        {"x": whole(3)},
    ),
    "a lost value under or": (
        "input x[N], p[N]: int\ndim t[N]\nfor i < N: t[i] = 2 x[i]\n"
        "for j < N, i < N: t[p[i]] min= i < 1 or t[i-1] > 0\n",
        {"x": whole(3), "p": np.array([2, 0, 0])},
    ),
    "a lost value under a condition on the indices of its sum": (
        "input x[N], p[N]: int\nfor a < N: t[a] = x[pad(2*a-1)]\n"
        "s += sum[b < 3, a < b + 1 if b != t[p[p[a]]]](t[N - 1 - a])\nfor b < 3: t[N-1] += 2\n",
        {"x": whole(3), "p": np.array([2, 0, 1])},
    ),
    "a window in which one index moves through every dimension": (
        "input x[3,3,1], z[1,3,3]\nfor b < 3, a in range(min(b, 1), 1):\n"
        "    t[a] min= cummin[a in reversed(range(1, 1, 2))]"
        "(x[clamp(a),b,reflect(a-1)] z[-a,wrap(b+a),pad(2*a-1)])\n",
        {"x": whole(3, 3, 1), "z": whole(1, 3, 3)},
    ),
    "the order of an outer loop, round one that carries a dependence": (
        "input x[N,N]\n"
        "for i < N - 1, j in range(1, N): x[i,j] = x[i,j-1] + 2 x[i+1,j-1]\n"
        "for i < N, j < N: y[i,j] = x[i,j] x[i,j]\n",
        {"x": whole(4, 4)},
    ),
    "the order of an outer loop, round one that is cut at a point": (
        "input x[N]\ndim t[N,N]\nfor i < N, a < N if i >= a: t[i,a] = t[N-1-i,i] + x[i]\n",
        {"x": whole(4)},
    ),
    "the order of an outer loop over what one cell sums": (
        "input x[N,M,K]\ndim t[N,M,K]\nfor i < N, j < M, k < K: t[i,j,k] = x[i,j,k]\n"
        "for k < K, i < N: t[N-1-i,M-1,0] += 1 + t[1,1,k]\n",
        {"x": whole(3, 2, 4)},
    ),
    "the range of a sum is evaluated though the sum is empty": (
        "input x[N,K], p[K]: int\ndim y[K]\nfor c in range(0, K, 2): y[c] = where("
        "x[0,c] < sum[a < min(p[c], N) if x[N-1-a,0] > x[a,c]](x[0,c]), 1, x[0,c])\n",
        {"x": whole(3, 3), "p": np.array([2, 0, 2])},
    ),
    "a hoisted product inside a running sum over the loop's own index": (
        "input x[M,N]\nfor c < N if c < N - 1: t[c] += cumsum[c < N](prod[b < M](x[b,c]))\n",
        {"x": whole(3, 4)},
    ),
    "equal terms of a scattered maximum": (
        "input x[N], p[N]: int\ndim y[2]\nfor i < N: y[p[i]] max= x[i]\n"
        "for i < 2: z[i] = clip(y[i], -9, 9)\n",
        {"x": np.array([2.0, 2, 1, 1]), "p": np.array([0, 0, 1, 1])},
    ),
    "equal terms of a maximum along diagonals": (
        "input x[N]\ndim y[2*N]\nfor i < N, j < N: y[i + j] max= x[i] x[j]\n"
        "for i < 2*N: z[i] = clip(y[i], -9, 9)\n",
        {"x": np.ones(2)},
    ),
    "equal terms of a maximum in a block that runs in order": (
        "input x[N]\noutput m, h\ndim h[N]\n"
        "for t in range(1, N):\n    m max= x[t]\n    h[t] = h[t-1] + x[t-1]\n",
        {"x": np.array([3.0, 2, 2])},
    ),
    "derivatives that are comparisons count as numbers": (
        "input x[N]\nfor i < N: y[i] = relu'(x[i]) + relu'(x[i]) - relu''(x[i])\n"
        "for i < N: z[i] = -relu'(x[i]) sum[k < N](relu'(x[k]) relu'(x[i])) x[i]\n",
        {"x": whole(4)},
    ),
    "reductions of one statement over ranges of one name": (
        "input x[N,K]\nfor i < N: "
        "y[i] = max[k in range(1, K)](x[i,k] x[i,k]) - max[k < K](x[i,k] - i)\n",
        {"x": whole(3, 4)},
    ),
    "an index that was counted out, and one of its name": (
        "input x[N], w[M], p[N]: int, z[K]\n"
        "for i < N, j < M: s[i,j] = sum[c < min(p[i], K) - 1](1)\ndim y[N]\n"
        "for i < N - M + 1, j < M: y[i] += x[i+j]\n",
        {"x": whole(3), "w": whole(0), "p": np.array([2, 0, 1]), "z": whole(2)},
    ),
    "a product hoisted out of a guard, a branch": (
        "input x[K,M], y[K]\nL = clip(max[k < K if k > 0](prod[j < M](x[k-1,j]) y[k]), -9, 9)\n"
        "for k < K: z[k] = where(k < 1, y[k], prod[j < M](x[k-1,j]) y[k])\n",
        {"x": whole(3, 2), "y": whole(3)},
    ),
    "a hoisted running sum whose loops follow one another": (
        "input x[K]\ndim t[K,K]\n"
        "for i < K, a in range(i, K): t[a,i] += cumsum[i < K - 1](-x[a % K])\n",
        {"x": whole(3)},
    ),
    "bools in sums of floats": (
        "input x[N], n[N]: bool\nfor i < N: y[i] = n[i] - x[i] + n[i]\n"
        "for i < N: z[i] += sum[j < N](n[j] + x[i] + n[i])\nfor i < N: w[i] = x[i] round(n[i])\n",
        {"x": whole(3), "n": np.array([True, False, True])},
    ),
    "sizes and bools beside float32": (
        "input x[N], n[N]: bool\nfor i < N: y[i] = max(-N, 2, x[i])\ns = max(-N, 2, x[0])\n"
        "for i < N: t += (n[pad(2*i-1)] + x[0]) / 2\n",
        {"x": whole(3).astype(np.float32), "n": np.array([True, False, True])},
    ),
    "a bool beside a literal in front of a float32": (
        "input x[N], b[N]: bool\nfor i < N: y[i] = 0.5 1 b[i] x[i]\n"
        "for i < N: z[i] = max(b[i], 0.5, x[i]) + (b[i] + 0.25 + x[i])\n",
        {"x": whole(3).astype(np.float32), "b": np.array([True, False, True])},
    ),
    "a range that follows a cell which the program makes": (
        "input n[N]: int, x[K]\ndim t[N], y[K]\nfor i < N: t[i] = 2 n[i]\n"
        "for k < K if k == t[1]:\n    y[k] += x[k] t[clamp(k)]\n"
        "    for a in range(1, N): y[reflect(a-1)] = 9 x[0]\n",
        {"x": whole(3), "n": np.array([0, 1])},
    ),
    "a scatter of numbers that a padded subscript leaves out": (
        "input x[K,M]\ndim t[M]\nfor k < K, b < M, c < K: t[pad(2*c-1)] min= b x[0,b]\n"
        "for k < M, i < k: t[1] += x[0,k]\n",
        {"x": whole(2, 3)},
    ),
    "a scatter of which a padded subscript leaves out what is 0": (
        "input x[K,M]\ndim t[M]\nfor k < K, b < M, c < K: t[pad(2*c-1)] min= b x[0,b]\n",
        {"x": whole(2, 3)},
    ),
    "the last value of a loop that has none": (
        "input x[N,M], w[K]\ndim t[K]\nfor k < K: t[k] = w[k]\n"
        "for i < N, b in range(min(i, M), M):\n    t[K-1] = x[clamp(1-i),pad(2*i-1)]\n",
        {"x": np.zeros((0, 2)), "w": whole(3)},
    ),
    "what is kept for a loop, inside a running maximum of the same index": (
        "input x[K], w[K]\n"
        "for k < K - 1, c < K: x[c] += w[c] + 0.5 * x[0] * cummax[k < K](x[1] <= k)\n",
        {"x": whole(3), "w": whole(3)},
    ),
    "a comparison as a subscript": (
        "input x[N]\ndim z[2]\nfor i < N: y[i] = x[i == 1]\nfor i < N: z[i < 2] += x[i] x[i]\n",
        {"x": whole(4)},
    ),
    "an equal value of another type": (
        "input x[N]\ndim s[N]\nfor i < N: s[i] = 3 - 2*i\nfor i < N: t[i] = 3 - 2*i\n"
        "for i < N: s[i] min= x[i]\noutput s, t\n",
        {"x": whole(3)},
    ),
    "windows in blocks of what they are added to": (
        "input x[B,P], w[K], t[B+1,P+K-1]\nfor n < B, i < P: y[n,i] = 2 x[n,i] x[n,i] + 1\n"
        "for n in reversed(range(B)), i < P, k < K: t[n+1,i+k] += y[n,i] w[k] max(t[n,i], 1)\n"
        "output t\n",
        {"x": whole(4, 5), "w": whole(3), "t": whole(5, 7)},
    ),
    "a running sum of picked rows beside one of a single cell": (
        "input p[N]: int, x[N,M], y[N,K]\n"
        "for a < N, k < K: t[a,k] = cumsum[a < N](x[1,1]) cumsum[a < N](y[p[a],k])\n",
        {"p": np.array([2, 0, 1]), "x": whole(3, 2), "y": whole(3, 2)},
    ),
    "a sum in blocks of what it adds to": (
        "input n[N,N]\ndim t[N-2]\nfor i in reversed(range(1, N - 1)):\n"
        "    for j in reversed(range(1, N - 1)) if j >= i: t[j-1] += t[i-1] - n[i+1,j] + 1\n",
        {"n": whole(5, 5)},
    ),
    "a power as the vector of a product": (
        "input x[K,M], w[N,K], p[K]: int\nfor j < M, c < K: t[c,j] = sum[i in range(1, N) if j >= i"
        " or x[pad(c+1),pad(2*j-1)] < 0](w[i,clamp(p[c]+1)]**2)\n",
        {"x": whole(4, 3), "w": whole(3, 4), "p": np.array([0, 3, 3, 2])},
    ),
    "the last of several points whose outer index has no value for some": (
        "input x[M], w[K]\nfor j < M - 1:\n    for c in range(j, K, 2): t[c // 2] = c + x[j] w[c]\n"
        "dim s[K]\nfor j < M, c < K if c != 2 j: s[(c + j) // 2] = w[c]\n",
        {"x": whole(4), "w": whole(5)},
    ),
    "running reductions over two indices": (
        "input x[N,K]\nfor i < N, k < K: y[i,k] = cumsum[k in range(1, K), i in reversed(range(N))]"
        "(x[i,k]) - cummax[i < N, k < K if k != 1](x[i,k]) cumprod[i < N, k < K](x[i,k])\n",
        {"x": whole(2, 3)},
    ),
    "a target's subscript that is itself read from data": (
        "input p[N]: int, x[N]\ndim t[N]\nfor i < N: t[p[p[i]]] = t[1] / 2 + x[i]\n",
        {"p": np.array([2, 0, 1]), "x": whole(3)},
    ),
    "a padded number of a target beside a clamped one": (
        "input x[N,M,K]\ndim t[N,M,K]\nfor k in range(1, K):\n    for i < N - 1:\n"
        "        t[i,pad(2*k-1),clamp(k-1)] max= t[i,k % M,1] + x[i,0,k]\n",
        {"x": whole(2, 3, 3)},
    ),
    "the last value of a loop with none": (
        "input x[M,N], w[N]\nfor b < M:\n    for i < N:\n"
        "        y[i] = x[b,i] + w[2] + max[j < N](x[b,j] w[j])\n",
        {"x": np.zeros((0, 2)), "w": whole(2)},
    ),
    "the last value where a condition never holds": (
        "input x[M,N], w[N]\ndim y[N]\nfor b < M:\n    for i < N:\n"
        "        if x[b,0] > 9: y[i] = x[b,i] + w[2] + sum[j < N](w[2] x[b,j])\n",
        {"x": whole(3, 2), "w": whole(2)},
    ),
    "a number as a subscript in a loop with no values": (
        "input x[N,M,K]\ndim t[N,M,K]\nfor k in range(1, K):\n    for i < N - 1:\n"
        "        t[i,pad(2*k-1),0] max= t[i,k % M,1] / 2\n"
        "for i < N: y[i] = t[i,0,0] + x[i,0,0]\noutput y\n",
        {"x": whole(3, 2, 1)},
    ),
}


EMPTY: dict[str, tuple[str, dict[str, Any]]] = {
    "a factor of an empty sum": (
        "input a[C], b[N,C]\nfor c, n: s[c] += a[c] b[n,c]\n",
        {"a": np.full(3, np.nan), "b": np.zeros((0, 3))},
    ),
    "a divisor of an empty sum": (
        "input a[C], b[N,C]\nfor c: s[c] = sum[n](b[n,c] / a[c])\n",
        {"a": np.array([0.0, np.nan]), "b": np.zeros((0, 2))},
    ),
    "a factor of a sum over a difference that is 0": (
        "input a[C], b[N]\nfor c, n < N - 2: s[c] += a[c] b[n]\n",
        {"a": np.full(3, np.inf), "b": np.zeros(2)},
    ),
    "a factor of a sum that a scalar empties": (
        "input a[C], b[N], k: int\nfor c: s[c] = 1 + sum[n < k](b[n] / a[c])\n",
        {"a": np.full(3, np.nan), "b": np.ones(2), "k": np.int64(0)},
    ),
    "a chain of products, empty in between": (
        "input a[I,J], b[J,K], c[K]\nfor i, j, k: s[i] += a[i,j] b[j,k] c[k]\n",
        {"a": np.zeros((2, 0)), "b": np.zeros((0, 3)), "c": np.full(3, np.nan)},
    ),
    "batchnorm of an empty batch": (
        "input x[N,C], g[C]\n"
        "for c: m[c] = sum[n](x[n,c]) / N\n"
        "for c: v[c] = sum[n]((x[n,c] - m[c])**2) / N\n"
        "for n, c: y[n,c] = g[c] (x[n,c] - m[c]) / sqrt(v[c] + 1)\n"
        "for n, c: s[c] += y[n,c] y[n,c]\n",
        {"x": np.zeros((0, 2)), "g": np.ones(2)},
    ),
    "a factor of an empty sum in two loops": (
        "input a[C], b[N,C], w\nfor c:\n    for n: s[c] += (a[c] + b[n,c]) w\n",
        {"a": np.ones(3), "b": np.zeros((0, 3)), "w": np.array(np.inf)},
    ),
}
"""Programs with reductions of no terms, and factors that are not finite."""


VALUES: dict[str, tuple[str, dict[str, Any]]] = {
    "a minimum of nothing, of wider integers than its target": (
        "input n[N,M]: int\ndim t[M,N]\n"
        "for i < N, a < N, b < M if n[1 % N,a] == 1: t[b,i] min= i + N * n[N-1-i,1]\n"
        "for i < M, j < N: t[i,j] = clip(t[i,j], -9, 9)\n",
        {"n": np.array([[0, 2, 0], [-2, 2, 2], [-1, 0, 2]], np.int16)},
    ),
    "running reductions at places that a reduction in symbolic steps decides": (
        "input x[M,K]\ndim y[M]\nfor j < M: y[j] += min[k in range(j, K, j + 1)]"
        "(cumsum[k < K](x[j,k]) + cumsum[j < M, k < K](x[j,k]))\n",
        {"x": whole(3, 4)},
    ),
    "the size of a condition and its slope are whole numbers": (
        "input x[N]\nfor i:\n    y[i] = -abs'(x[i] < 1)\n    z[i] = -abs(x[i] < 1)\n"
        "for i: t[i - i % 2] -= abs'(x[i] < 1)\n",
        {"x": whole(4)},
    ),
    "a sum of what a block has stored under a condition, the same in each row": (
        "input w[K]\ndim t[K,K]\nfor k in range(1, K), c < K if w[c] == w[0]:\n"
        "    t[k,c] = -K\n    y += t[k,c]\noutput t, y\n",
        {"w": np.zeros(4)},
    ),
    "a slope of wider floats than those that it multiplies": (
        "input x[N], z[N]\nfor i < N: t += N z[i] relu'(x[i])\n",
        {"x": whole(3), "z": whole(3).astype(np.float32)},
    ),
    "a float bounds a loop that runs in order": (
        "input x[N], z\nfor b < N:\n    t[b] = x[b] + 1\n    if b < z: y[b] = t[clamp(b+1)]\n",
        {"x": whole(3), "z": np.array(np.inf)},
    ),
    "a bool among the numbers of a loop": (
        "input x[K,M], p[K]: int\ndim t[K]\nfor c < K, j < M if c > 0:\n"
        "    t[p[c]] = clip(c >= 1, -9, 9)\n    t[c] -= clip(abs'(x[c,j]) < 1, -3, 3)\n",
        {"x": whole(3, 2), "p": np.array([2, 2, 2])},
    ),
    "a range that is measured in a guarded sum": (
        "input x[N], p[K]: int\nfor c in range(K): "
        "y min= softmax[c < K if c > 0 and x[clamp(c)] > 0](min[i < min(p[c], N)](1))\n",
        {"x": whole(3), "p": np.array([1, 1])},
    ),
    "a softmax over two indices, one of which is outside": (
        "input x[M,K]\nfor c < K, j < M, k in range(1, K):\n"
        "    y[j,c,k] = c softmax[j in reversed(range(1, M, 2)), k < K](x[j,k])\n",
        {"x": whole(4, 4)},
    ),
    "a softmax over two indices that does not depend on one of them": (
        "input x[N]\nfor j < 3, a in range(1, N) if a >= j:\n"
        "    y[a,j] -= softmax[a < N, j < 3](x[N - 1 - a // 2])\n",
        {"x": whole(3)},
    ),
    "few offsets of a range that follows another index": (
        "input x[4,4], y[4,4]\nfor b < 3:\n    for j < 4, k in reversed(range(j, 3, 2)): "
        "x[3,pad(2*k-1)] -= y[clamp(b-k),1] + j\n",
        {"x": whole(4, 4), "y": whole(4, 4)},
    ),
    "what a tile would leave to those that read it can only be made before the tile": (
        "input x[N,K], t[K,N], z[M,N]\nfor i < N, k < K, a < N: u[i,k,a] = 1 - t[k,i] - x[a,k]\n"
        "for j < M, i < N: s += z[j,i]\nfor i < N:\n    v = s\n"
        "    for k < K, c < K: w[i,k,c] = v - t[c,i]\n"
        "for k < K, i < N: y[k] += abs(w[i,k,k] t[k,i])\noutput y\n",
        {"x": whole(3, 4), "t": whole(4, 3), "z": whole(2, 3)},
    ),
    "a running sum of an index from its end, of which nothing else has the size": (
        "input x[N,M,K]\noutput x\ndim u[N,N]\ndim v[K]\nfor b < M, i < N, k < K, j < M if j <= b: "
        "y[j,i,k] += u[i,i] - b v[k] + 1\n",
        {"x": whole(4, 2, 3)},
    ),
    "a part of an array that is written last is of the type of all of it": (
        "input x[N]\ndim t[N,N]\nfor i in range(1, N - 1), j in range(1, N - 1):\n"
        "    t[N-1-i,j] = j\n    t[N-1-i,j+1] = 2 i\nfor i in range(1, N): y[i] = t[i,i] + i\n"
        "for b < N: t[0,pad(2*b-1)] = x[b]\noutput y\n",
        {"x": whole(4)},
    ),
    "a sum in parts of narrow floats and of integers": (
        "input x[M], y[N]\nfor i < N, j < N: t[i,j] = 2*i\n"
        "for b < M, a < N: y[a] += sum[i < N](x[b] - t[i - i % 2,a])\noutput y\n",
        {"x": whole(3).astype(np.float32), "y": whole(4).astype(np.float32)},
    ),
    "an array of a size that is given after it": (
        "input x[N]\ndim u[T+2,N]\ninput T: int\nfor t < T, i < N: u[t+2,i] = x[i] + u[t,i]\n"
        "output u\n",
        {"x": whole(3), "T": np.array(2)},
    ),
    "a product of a bool and an array of ones is no bool": (
        "input x[N]\nfor i < N: t[i] = 1\nfor i < N: y[i] = (x[i] < 2) t[N-1-i]\noutput y\n",
        {"x": whole(4)},
    ),
}
"""Programs that have no derivative."""


REAL = {
    "terms of a maximum that round": "for c < 2, i < N: "
    "t[c] += max[a in range(i, min(i + 2, N))](x[i]**3)\n",
    "terms of max= that round": "for i < N: m max= exp(x[i]) w[i]\nL = m m\n",
    "a maximum in a branch": "L = where(w[0] > 9, max[i < N - 1](tanh(x[i+2])), x[1])\n",
}
"""Programs of `x[N]` and `w[N]` for real numbers."""
