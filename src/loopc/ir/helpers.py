"""NumPy source of the functions that NumPy does not have, for generated modules.

Each text is one function definition that needs `np` and nothing else. It takes arrays of any shape
and numbers, float32 in and float32 out (computed in float64), and warns of nothing. Rational and
polynomial coefficients without another source are Chebyshev fits to 60-digit values, made with
`mpmath.chebyfit`; their errors stand beside them.
"""

from __future__ import annotations

SIGMOID = '''\
def _sigmoid(x):
    """Return 1 / (1 + e**-x), without overflow and with exact tails."""
    e = np.exp(-np.abs(x))
    y = np.maximum(e, np.greater_equal(x, 0))  # 1 on the right, for e is at most 1
    e += 1
    y /= e
    return y
'''

SOFTPLUS = '''\
def _softplus(x, out=None):
    """Return ln(1 + e**x), without overflow and with an exact tail; float32 to 5 ulp."""
    e = np.asarray(np.exp(-np.abs(x)))
    if e.dtype != np.float32:
        u = e + 1  # ln(1 + e) is ln(u) and what u lost: NumPy's log1p takes longer
        return np.add(np.maximum(x, 0), np.log(u) + (e - (u - 1)) / u, out=out)
    t = np.asarray(e + 1.57555434)  # ln(1 + e) / e by a continued fraction, error 2e-8
    for b, c in ((-0.477371426, 5.43125802), (-21.8395183, 8.23890895)):
        np.divide(b, t, out=t)
        t += e
        t += c
    np.divide(3.98025737, t, out=t)
    t *= e
    return np.add(np.maximum(x, 0), t, out=out)
'''

LOG1P = '''\
def _log1p(x, out=None):
    """Return ln(1 + x); float32 to 4 ulp, as NumPy's logarithm, which takes far less time."""
    x = np.asarray(x)
    if x.dtype != np.float32 or x.size < 256:
        return np.log1p(x, out=out)
    u = x + np.float32(1)
    y = u - np.float32(1)
    np.subtract(x, y, out=y)  # what u lost
    y /= u
    y += np.log(u, out=u)
    if not np.isfinite(y.sum()):  # at -1, below it, and at inf
        return np.log1p(x, out=out)
    if out is None:
        return y
    np.copyto(out, y)
    return out
'''

ERF = '''\
def _erf_single(x, out):
    """Put the error function into `out` in single precision throughout, to 7 ulp."""
    flat, result = x.reshape(-1), out.reshape(-1)
    upper = (17.2176395, 484.242882, 3758.9785, 17588.6453, 62154.0999)  # error 3e-7
    lower = (122.038009, 1388.16027, 9141.52084, 33947.9137, 55082.6531)
    for start in range(0, flat.size, 16384):
        v = np.clip(flat[start : start + 16384], -3.93, 3.93)
        w = v * v
        v *= upper[0]
        below = w + lower[0]
        above = w + upper[1] / upper[0]
        for c in lower[1:]:
            below *= w
            below += c
        for c in upper[2:]:
            above *= w
            above += c / upper[0]
        v *= above
        v /= below
        np.clip(v, -1, 1, out=result[start : start + 16384])
    return out[()]


def _erf(x, out=None):
    """Return the error function, to 2 ulp."""
    x = np.asarray(x)
    if x.dtype == np.float32:
        whole = out is not None and out.flags.c_contiguous
        found = _erf_single(x, out if whole else np.empty(x.shape, x.dtype))
        if whole or out is None:
            return found
        np.copyto(out, found)
        return out
    near = (  # erf(x) / x in x*x, |x| < 1; error 7e-18
        -7.795898827002142e-10, 1.3720064546777686e-08, -1.6208483801871705e-07,
        1.6447424703317362e-06, -1.492473690741966e-05, 0.00012055294904839707,
        -0.0008548325975389692, 0.0052239776071164225, -0.02686617064323777,
        0.11283791670945006, -0.37612638903183543, 1.1283791670955126,
    )
    far = (  # (1 + 2x) exp(x*x) erfc(x) in (x - 3) / (x + 3), 1 <= x <= 6; error 3e-16
        -3.941434579212148e-06, -1.9946386266158316e-05, 6.120647749371338e-06,
        0.00012533420054777904, -0.00010532108845047966, -0.0007798805620518153,
        0.001888700988139963, 0.002529395728905082, -0.02377051526428797,
        0.0683080271973104, -0.11927366341012202, 0.12964515870508256,
        -0.047562294353480875, -0.13562110612459163, 1.2530080582697296,
    )
    flat = x.astype(np.float64).ravel()
    for start in range(0, flat.size, 8192):
        v = flat[start : start + 8192]
        a = np.minimum(np.abs(v), 6)
        t = (a - 3) / (a + 3)
        tail = np.full_like(a, far[0])
        for c in far[1:]:
            tail *= t
            tail += c
        a *= a
        tail *= np.exp(-a)
        tail /= 1 + 2 * np.minimum(np.abs(v), 6)
        square = np.minimum(a, 1)
        core = np.full_like(a, near[0])
        for c in near[1:]:
            core *= square
            core += c
        v[...] = np.where(a < 1, v * core, np.copysign(1 - tail, v))
    flat = flat.reshape(x.shape).astype(x.dtype if x.dtype.kind == "f" else float, copy=False)
    if out is None:
        return flat[()]
    out[...] = flat
    return out
'''

ERFC = '''\
def _erfc_single(x):
    """Return 1 - erf(x) in single precision throughout, to 7 ulp where it is no subnormal."""
    far = (  # (1 + 2x) exp(x*x) erfc(x) in (x - 2.5) / (x + 2.5), 0 <= x <= 10.2; error 3e-8
        0.000467909831, 0.000350885396, -0.00429075715, 0.00100765176, 0.0327370898,
        -0.102983172, 0.15763283, -0.0990233719, -0.122356881, 1.26483817,
    )
    out, flat = np.empty(x.size, np.float32), x.ravel()
    for start in range(0, out.size, 16384):
        v, tail = flat[start : start + 16384], out[start : start + 16384]
        a = np.abs(v)
        np.minimum(a, 10.5, out=a)
        t, rest = a - 2.5, a + 2.5
        t /= rest
        np.multiply(t, far[0], out=tail)
        tail += far[1]
        for c in far[2:]:
            tail *= t
            tail += c
        high = (a.view(np.int32) & -4096).view(np.float32)  # high * high is exact
        np.subtract(high, a, out=t)
        np.add(high, a, out=rest)
        rest *= t
        np.divide(rest, 24, out=t)  # the series of exp(rest)
        for c in (1 / 6, 0.5, 1):
            t += c
            t *= rest
        t += 1
        tail *= t
        high *= high
        np.negative(high, out=high)
        tail *= np.exp(high, out=high)
        a *= 2
        a += 1
        tail /= a
        np.subtract(2, tail, out=tail, where=v < 0)
    return out.reshape(x.shape)[()]


def _erfc(x):
    """Return 1 - erf(x), to 4 ulp in the tail."""
    x = np.asarray(x)
    if x.dtype == np.float32:
        return _erfc_single(x)
    near = (  # erf(x) / x in x*x, |x| < 1; error 7e-18
        -7.795898827002142e-10, 1.3720064546777686e-08, -1.6208483801871705e-07,
        1.6447424703317362e-06, -1.492473690741966e-05, 0.00012055294904839707,
        -0.0008548325975389692, 0.0052239776071164225, -0.02686617064323777,
        0.11283791670945006, -0.37612638903183543, 1.1283791670955126,
    )
    far = (  # (1 + 2x) exp(x*x) erfc(x) in (x - 3.5) / (x + 3.5), 0.5 <= x <= 28; error 2e-18
        1.0591622351425399e-08, 4.2783298300506434e-10, -9.361273365147815e-08,
        -7.545055693454484e-09, 6.00951725853741e-07, -4.466283205177847e-08,
        -3.814991076700576e-06, 2.3285625617049886e-06, 2.4261220716444518e-05,
        -4.278232062220953e-05, -0.00012151250870843876, 0.0005643844370842721,
        -0.00030226786092849803, -0.004215019910384933, 0.01909933094056669,
        -0.04882332582769667, 0.08798315382497571, -0.11508959816020042,
        0.09751909515325563, -0.010555596332218151, -0.1400091801376194, 1.2423492448711544,
    )
    out = x.astype(np.float64).ravel()
    for start in range(0, out.size, 8192):
        v = out[start : start + 8192]
        a = np.minimum(np.abs(v), 28)
        t = (a - 3.5) / (a + 3.5)
        tail = np.full_like(a, far[0])
        for c in far[1:]:
            tail *= t
            tail += c
        high = a.astype(np.float32).astype(np.float64)  # high * high is exact
        tail *= np.exp(-high * high) * np.exp((high - a) * (high + a))
        tail /= 1 + 2 * a
        square = np.minimum(a * a, 1)
        core = np.full_like(a, near[0])
        for c in near[1:]:
            core *= square
            core += c
        v[...] = np.where(a < 0.5, 1 - v * core, np.where(v < 0, 2 - tail, tail))
    return out.reshape(x.shape).astype(x.dtype if x.dtype.kind == "f" else float, copy=False)[()]
'''

MILLS = '''\
def _mills(x, out=None):
    """Return (1 - Phi(|x|)) / phi(x) of the normal distribution.

    In single precision to 5 ulp up to 2, 24 ulp up to 9, by a continued fraction fitted to it.
    """
    x = np.asarray(x)
    a = np.abs(x if x.dtype.kind == "f" else x.astype(float))
    if out is None:
        out = np.empty_like(a)
    if a.dtype == np.float32:
        fraction = ((18.2493588, 4.63388696), (-9.51503603, 1.84536057), (1.1919500, -0.0101744835))
        np.add(a, 0.865431929, out=out)
        for b, c in fraction:
            np.divide(b, out, out=out)
            out += a
            out += c
        return np.divide(0.999760708, out, out=out)[()]
    powers = (  # (x + 4) mills(x) in (x - 4) / (x + 4); error 2e-17
        8.814349699075539e-10, -2.941776920952298e-10, -9.521284473602605e-09,
        -1.5100906415484369e-09, 5.415667118456399e-08, 4.482523668203824e-08,
        -2.1841315765555887e-07, -4.0062903579556066e-07, 6.836044039068323e-07,
        2.56887644644613e-06, -1.5791708482739533e-06, -1.4843348507841792e-05,
        1.7965671772725599e-06, 8.809575836631785e-05, -4.7833113352748365e-06,
        -0.0005792693113370479, 0.00033424462449156825, 0.0040878556822073284,
        -0.008722295275114648, -0.01890045086179559, 0.15139176231248913, -0.4675409629983292,
        0.9704095548675874, -1.5237709108199835, 1.8932190633084853,
    )
    a += 4
    t = 1 - 8 / a
    out[...] = powers[0]
    for c in powers[1:]:
        out *= t
        out += c
    out /= a
    return out[()]
'''

LGAMMA = '''\
def _lgamma(x):
    """Return ln |gamma(x)|, to 4 ulp for x > 0; inf at 0, -1, -2 ..."""
    x = np.asarray(x)
    near = (  # lgamma(2 + d) / d, |d| <= 0.5; error 5e-18
        2.7475390051909663e-07, -5.811277768921246e-07, 9.242852225162277e-07,
        -1.9743106888421067e-06, 4.3828545383846665e-06, -9.45628851510172e-06,
        2.050601970174762e-05, -4.4923727564247656e-05, 9.945761692157133e-05,
        -0.00022315497746292723, 0.0005096695196526673, -0.0011927539009983087,
        0.002890510330865901, -0.007385551028935545, 0.02058080842778338,
        -0.06735230105319563, 0.3224670334241132, 0.42278433509846713,
    )
    stirling = (  # Abramowitz and Stegun 6.1.41, in 1 / x**2, from the last term
        -174611 / 125400, 43867 / 244188, -3617 / 122400, 1 / 156, -691 / 360360,
        1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12,
    )
    v = x.astype(np.float64)
    with np.errstate(all="ignore"):
        a = np.abs(v)
        steps = np.clip(np.floor(a - 1.5), 0, 6)
        product = np.ones_like(a)
        for k in range(1, 7):
            product *= np.where(steps >= k, a - k, 1)
        d = np.where(a < 0.5, a, np.where(a < 1.5, a - 1, a - steps - 2))
        small = np.zeros_like(a)
        for c in near:
            small = small * d + c
        shift = np.where(a < 1.5, -np.log1p(a - 1), np.log(product))
        small = d * small + np.where(a < 0.5, -np.log(a) - np.log1p(a), shift)
        large = np.zeros_like(a)
        for c in stirling:
            large = large / (a * a) + c
        large = (a - 0.5) * (np.log(a) - 1) + (0.4189385332046727 + large / a)
        value = np.where(a < 8, small, large)
        value = np.where(np.isinf(a), np.inf, value)
        rest = a - 2 * np.floor(a / 2)  # |sin(pi x)|, by the distance to an integer
        rest = np.abs(np.sin(np.pi * np.minimum(np.abs(rest - 1), 1 - np.abs(rest - 1))))
        mirrored = np.log(np.pi / (a * rest)) - value
        mirrored = np.where(rest == 0, np.inf, mirrored)
        value = np.where((v < 0) & np.isfinite(a), mirrored, value)
        return value.astype(x.dtype if x.dtype.kind == "f" else float, copy=False)[()]
'''

DIGAMMA = '''\
def _digamma(x):
    """Return the derivative of lgamma, to 4 ulp for x > 0; nan at -1, -2 ..."""
    x = np.asarray(x)
    near = (  # digamma(1.5 + d) / (1.5 + d - root), |d| <= 0.5; error 3e-18
        0.00011881232908510335, -0.0001782188548855923, 9.653646261410062e-05,
        -0.00014480643368061614, 0.00032395945401345196, -0.00048595039220036254,
        0.0006909255761282986, -0.0010364584817312839, 0.0015633696313653504,
        -0.0023454947397380833, 0.003518106563802472, -0.005279937255532708,
        0.007927021796868154, -0.011908220105959716, 0.017907248317313294,
        -0.026975796659787055, 0.040760833940846085, -0.06192213327548831,
        0.09498872445289039, -0.14840492305388092, 0.24054248424078697,
        -0.4236274212814606, 0.9510558760318328,
    )
    series = (  # Abramowitz and Stegun 6.3.18, in 1 / x**2, from the last term
        -3617 / 8160, 1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12,
    )
    v = x.astype(np.float64)
    with np.errstate(all="ignore"):
        a = np.where(v < 0, 1 - v, v)
        steps = np.clip(np.floor(a - 1), 0, 8)
        shift = np.where(a < 1, -1 / a, 0)
        for k in range(1, 9):
            shift += np.where(steps >= k, 1 / (a - k), 0)
        r = np.where(a < 1, a + 1, a - steps)
        small = np.zeros_like(a)
        for c in near:
            small = small * (r - 1.5) + c
        small = small * (r - 1.4616321449683622 - 9.549995429965697e-17) + shift
        large = np.zeros_like(a)
        for c in series:
            large = large / (a * a) + c
        large = np.log(a) - 0.5 / a - large / (a * a)
        value = np.where(a < 10, small, large)
        value = np.where(v == 0, np.copysign(np.inf, -v), np.where(np.isinf(a), a, value))
        rest = v - np.rint(v)
        mirrored = np.where(rest == 0, np.nan, value - np.pi / np.tan(np.pi * rest))
        value = np.where(v < 0, mirrored, value)
        return value.astype(x.dtype if x.dtype.kind == "f" else float, copy=False)[()]
'''

POLYGAMMA = '''\
def _polygamma(n, x):
    """Return the n-th derivative of digamma for n = 1, 2 ... 170; nan at 0, -1, -2 ..."""
    n, x = np.asarray(n), np.asarray(x)
    kinds = [a.dtype for a in (n, x) if a.dtype.kind == "f"]
    orders, v = np.broadcast_arrays(n, x.astype(np.float64))
    out = np.full(v.shape, np.nan)
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
    with np.errstate(all="ignore"):
        for order in np.unique(orders):
            if not (0 < order <= 170 and order == np.floor(order)):
                continue
            m = float(order)
            here = orders == order
            y = v[here]
            a = np.where(y < 0, 1 - y, y)
            total = np.zeros_like(a)
            for _ in range(20 + int(m)):  # Abramowitz and Stegun 6.4.6
                low = a < 20 + m
                total += np.where(low, a ** -(m + 1), 0)
                a = np.where(low, a + 1, a)
            total += a**-m / m + 0.5 * a ** -(m + 1)  # 6.4.11
            term = (m + 1) * a ** -(m + 2) / 2
            for k, b in enumerate(bernoulli, start=1):
                total += b * term
                term *= (m + 2 * k) * (m + 2 * k + 1) / ((2 * k + 1) * (2 * k + 2)) / (a * a)
            factorial = np.prod(np.arange(1, m + 1))
            value = factorial * total * (1 if m % 2 else -1)
            cot = 1 / np.tan(np.pi * (y - np.rint(y)))
            slope = [0.0, 1.0]  # the derivatives of cot(pi x), polynomials in it
            for _ in range(int(m)):
                d = [k * c for k, c in enumerate(slope)][1:]
                slope = [-np.pi * (p + q) for p, q in zip([*d, 0, 0], [0, 0, *d])]
            bend = np.zeros_like(y)
            for c in reversed(slope):
                bend = bend * cot + c
            mirrored = value * (-1 if m % 2 else 1) - np.pi * bend  # 6.4.7
            value = np.where(y < 0, mirrored, np.where(np.isinf(y), 0, value))
            out[here] = np.where((y <= 0) & (y == np.floor(y)), np.nan, value)
        return out.astype(np.result_type(*kinds) if kinds else float, copy=False)[()]
'''
