#!/usr/bin/env bash
# Expected: // and % of a function that Pythran compiles are Python's for every sign, as they are for a positive divisor;
#   -(n // -s) is n / s rounded up, a usual way to write it without floats.
# What happens: zero and positive numbers by a negative divisor are rounded down once too often: 7 // -2 is -5, 6 // -2
#   is -4, 0 // -2 is -1, in scalars and in arrays of integers, so that -(n // -s) is one too many for every size n; %
#   leaves its range, 7 % -2 is 1. numpy.remainder is C's even for positive divisors: of -7 and 2 it is -1, where % and
#   numpy.mod give 1.
# Why it matters: the size of a map with ceil_mode, the number of blocks and of tasks are computed so. The kernel is
#   right as Python and has a row or a block too many once it is compiled. Write -(-n // s) or (n + s - 1) // s.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 pythran==0.19.0 gast==0.7.0 \
    beniget==0.5.0
cat > division.py <<'EOF'
import numpy as np


# pythran export divide(int, int)
def divide(n, s):
    return n // s, n % s, -(n // -s), -(-n // s), (n + s - 1) // s


# pythran export arrays(int32[:], int)
def arrays(n, s):
    return n // s, n % s, np.mod(n, s), np.remainder(n, s)
EOF
cp division.py plain.py
"$dir/venv/bin/pythran" division.py 2> "$dir/log" || { tail -5 "$dir/log"; exit 1; }
rm division.py
"$dir/venv/bin/python" - <<'EOF'
from importlib.metadata import version

import division
import numpy as np
import plain

print("pythran", version("pythran"))
for n, s in ((7, 2), (6, 2), (6, 3), (0, 2)):
    right, got = plain.divide(n, s), division.divide(n, s)
    print(f"-({n} // -{s}): {got[2]}, right {right[2]}; {n} // {s}: {got[0]}, -(-{n} // {s}): {got[3]}")
    assert got[:2] + got[3:] == right[:2] + right[3:] and got[2] == right[2] + 1

numbers = np.array([-7, -6, 0, 6, 7], np.int32)
negative = [3, 3, -1, -4, -5], [-3, 0, 0, 0, 1], [-3, 0, 0, 0, 1], [-1, 0, 0, 0, 1]
for s, known in ((2, (None, None, None, [-1, 0, 0, 0, 1])), (-2, negative)):
    rows = zip(("//", "%", "numpy.mod", "numpy.remainder"), plain.arrays(numbers, s), division.arrays(numbers, s), known)
    for name, right, got, wrong in rows:
        right, got = right.tolist(), got.astype(int).tolist()
        print(f"{numbers} and {s}, {name}: {got}, NumPy {right}")
        assert got == (right if wrong is None else wrong) and (got != right) == (wrong is not None)
EOF
