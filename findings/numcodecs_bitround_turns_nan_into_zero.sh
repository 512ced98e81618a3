#!/usr/bin/env bash
# Expected: numcodecs' BitRound, for zarr, rounds the mantissa to fewer bits and leaves exponent and kind of a number
#   alone: NaN stays NaN, as it does where a float32 is cast to float16 or bfloat16.
# What happens: it adds to the bits and masks them, whatever they are: a NaN whose bits are all set becomes 0.0, or -0.0
#   without the sign, and one with a low bit set becomes infinity. The largest number becomes infinity too. NumPy's own
#   NaN passes, so a test with numpy.nan is green. It is so for 16, 32 and 64 bits and all of keepbits but the whole
#   mantissa.
# Why it matters: memory filled with 0xFF is a common mark for "nothing here", and comparisons in vector code make the
#   same bits; after a round trip these places hold a valid 0. Put NumPy's NaN in first: x[isnan(x)] = nan.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 numcodecs==0.16.6
"$dir/venv/bin/python" - <<'EOF'
import numcodecs
import numpy as np

print("numcodecs", numcodecs.__version__, "numpy", np.__version__)
for dtype, bits, mantissa in ((np.float16, np.uint16, 10), (np.float32, np.uint32, 23), (np.float64, np.uint64, 52)):
    every_bit = np.iinfo(bits).max
    infinity = int(np.array(np.inf, dtype).view(bits))
    special = np.array([every_bit, every_bit >> 1, infinity + 1], bits).view(dtype)
    x = np.concatenate([special, np.array([np.nan, np.finfo(dtype).max, np.inf, 1.5], dtype)])
    assert np.isnan(x[:4]).all()
    for keepbits in (1, mantissa // 2, mantissa):
        codec = numcodecs.BitRound(keepbits)
        got = codec.decode(codec.encode(x.copy())).view(dtype)
        print(f"{dtype.__name__}, {keepbits} bits kept: {x} becomes {got}")
        known = x if keepbits == mantissa else np.array([0, -0.0, np.inf, np.nan, np.inf, np.inf, 1.5], dtype)
        assert np.array_equal(got, known, equal_nan=True) and np.signbit(got[1]) == (keepbits < mantissa)
EOF
