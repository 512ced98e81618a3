#!/usr/bin/env bash
# Expected: a lazy expression of Blosc2's arrays follows NumPy, as its documentation says, and a part of it, e[:3], is
#   the part of the whole, e[:][:3].
# What happens: the whole, e[:] or e.compute(), comes from a compiler of its own with C's rules, a part of it from
#   NumPy's: a / b of integers is 3.0 as a whole and 3.5 in a slice (float64 both), -7 % 2 is -1 as a whole and 1 in a
#   slice, for integers and floats, and round(2.5) 3 and 2. // is floored in both.
# Why it matters: one looks at a slice of a large array and computes all of it. Images of counts divided by one another
#   lose their fractions while the dtype says that they have them, and an index by % is negative. Convert to floats
#   before a division, and compare a whole result.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 blosc2==4.14.1
"$dir/venv/bin/python" - <<'EOF'
import blosc2
import numpy as np

print("blosc2", blosc2.__version__, "numpy", np.__version__)
a, b = np.array([7, -7, 7, -7, 5]), np.array([2, 2, -2, -2, 3])
cases = {
    "a / b": (lambda p, q: p / q, [3, -3, -3, 3, 1]),
    "a % b": (lambda p, q: p % q, [1, -1, 1, -1, 2]),
    "a // b": (lambda p, q: p // q, None),
}
for dtype in (np.int16, np.int64, np.float32):
    x, y = a.astype(dtype), b.astype(dtype)
    for name, (function, known) in cases.items():
        right = function(x, y)
        if known is None or (name == "a / b" and dtype is np.float32):
            known = right
        lazy = function(blosc2.asarray(x), blosc2.asarray(y))
        whole, part = lazy[:], lazy[:4]
        print(f"{name}, {x.dtype}: {whole} {whole.dtype} as a whole, {part} {part.dtype} in a slice")
        assert np.array_equal(whole, known) and np.array_equal(lazy.compute()[:], known)
        assert np.array_equal(part, right[:4]) and np.array_equal(lazy[1:], right[1:])

halves = np.array([0.5, 1.5, 2.5], np.float32)
lazy = blosc2.round(blosc2.asarray(halves))
print(f"round of {halves}: {lazy[:]} as a whole, {lazy[1:]} in a slice, NumPy {np.round(halves)}")
assert np.array_equal(lazy[:], [1, 2, 3]) and np.array_equal(lazy[1:], [2, 2])
EOF
