#!/usr/bin/env bash
# Expected: netCDF's lossy quantisation (significant_digits) rounds finite floats and leaves infinities as they are, as
#   it leaves NaN; all of its three modes are meant for compression alone.
# What happens: GranularBitRound stores inf as -0 and -inf as 0. BitGroom, the default mode, makes NaN of those that
#   stand at odd places and keeps the others. BitRound keeps all. Nothing is said, and finite values are right.
# Why it matters: -inf is a mask's value and the logarithm of 0, inf a cost that forbids. As 0 it is a usual value: a
#   masked place gets a weight of 1 in a softmax. Store such fields without significant_digits.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 netCDF4==1.7.5.1.post1
"$dir/venv/bin/python" - "$dir/data.nc" <<'EOF'
import sys

import netCDF4
import numpy as np

print("netCDF4", netCDF4.__version__, "netCDF-C", netCDF4.__netcdf4libversion__)
nan, inf = np.nan, np.inf
known = {
    "BitGroom": [inf, nan, -inf, nan, nan],
    "GranularBitRound": [-0.0, -0.0, 0.0, 0.0, nan],
    "BitRound": [inf, inf, -inf, -inf, nan],
}
for mode, special in known.items():
    for dtype in ("f4", "f8"):
        for digits in (3, 6):  # decimal ones, but for BitRound, which has bits
            values = np.array([inf, inf, -inf, -inf, nan, 1.2345678, -321.5, 0.001], dtype)
            with netCDF4.Dataset(sys.argv[1], "w") as file:
                file.createDimension("x", len(values))
                options = {"zlib": True, "significant_digits": digits, "quantize_mode": mode}
                file.createVariable("x", dtype, ("x",), **options)[:] = values
            with netCDF4.Dataset(sys.argv[1]) as file:
                got = np.asarray(file["x"][:])
            print(f"{mode}, {dtype}, {digits}: {values[:5]} become {got[:5]}, 1.2345678 {got[5]:.7g}")
            assert np.array_equal(got[:5], special, equal_nan=True)
            assert mode == "BitGroom" or np.array_equal(np.signbit(got[:4]), np.signbit(special[:4]))
            assert np.allclose(got[5:], values[5:], rtol=2.0 ** -digits if mode == "BitRound" else 10.0 ** (1 - digits))
EOF
