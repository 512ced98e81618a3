#!/usr/bin/env bash
# Expected: x.half().float() rounds to half precision in tinygrad, as the two casts do in PyTorch and NumPy; x / x is
#   NaN for 0, inf and NaN, and x - x and x * 0 for inf and NaN.
# What happens: tinygrad removes what changes nothing for real numbers before it computes. half and back leaves 70000
#   and 1/3 as they are, where bfloat16 or int8 and back round; with a realize or a multiplication by 2 between the
#   casts the rounding is there, inf and 0.33325. x / x is 1 for all numbers, x - x and x * 0 are 0, and a NaN comes out
#   of them as a number; if the second x is a copy, it is NaN.
# Why it matters: emulating half precision, or looking where a network overflows in it, shows no error, and shows one as
#   soon as a value is printed in between. A row of one zero divided by its own sum is 1, of two zeros NaN, and a NaN
#   that is masked by * 0 looks harmless. Realize a value that is to be rounded.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 tinygrad==0.14.0
DEV=CPU CACHEDB="$dir/cache.db" "$dir/venv/bin/python" - <<'EOF'
from importlib.metadata import version

import numpy as np
from tinygrad import Device, Tensor, dtypes

print("tinygrad", version("tinygrad"), Device.DEFAULT)
values = np.array([70000, 1 / 3], np.float32)
half = [np.inf, np.float32(np.float16(1 / 3))]
for text, function, given, wanted in (
    ("half and back", lambda x: x.half().float(), values, values),
    ("half, realized, and back", lambda x: x.half().realize().float(), values, half),
    ("half, times 2, and back", lambda x: x.half().mul(2).float() / 2, values, half),
    ("bfloat16 and back", lambda x: x.bfloat16().float(), values, [70144, 0.333984375]),
    ("int8 and back", lambda x: x.cast(dtypes.int8).float(), np.array([300, 1.5], np.float32), [44, 1]),
):
    got = function(Tensor(given).realize()).numpy()
    print(f"{text}: {given} are {got}")
    assert np.array_equal(got, np.array(wanted, np.float32))

values = np.array([0, np.inf, np.nan, 2], np.float32)
x, copy = Tensor(values).realize(), Tensor(values.copy()).realize()
nan = np.nan
for text, got, wanted in (
    ("x / x", x / x, [1, 1, 1, 1]),
    ("x / a copy of x", x / copy, [nan, nan, nan, 1]),
    ("x - x", x - x, [0, 0, 0, 0]),
    ("x - a copy of x", x - copy, [0, nan, nan, 0]),
    ("x * 0", x * 0, [0, 0, 0, 0]),
    ("x * an array of 0", x * Tensor(np.zeros(4, np.float32)), [0, nan, nan, 0]),
):
    print(f"{text} of {values}: {got.numpy()}")
    assert np.array_equal(got.numpy(), np.array(wanted, np.float32), equal_nan=True)
EOF
