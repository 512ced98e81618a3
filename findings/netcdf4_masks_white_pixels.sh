#!/usr/bin/env bash
# Expected: netCDF4 returns an image of bytes as it was stored: bytes have no missing value unless the variable has a
#   _FillValue; xarray and h5py, which read the same file, give 255.
# What happens: 255 in uint8 and -127 in int8 are masked, as the library's default fill values, also where every pixel
#   was written and no attribute says so: the mean of [0, 1, 254, 255] is 85, while numpy.asarray gives 255 again. It is
#   right for variables that were made with fill_value=False, which is for the writer to say; a reader has
#   set_auto_mask(False).
# Why it matters: 255 is the saturated white of an image, and -127 the end of symmetric int8 weights: a mean, a histogram
#   or a largest weight leaves out just these. An array is masked only where such a value occurs, so small tests pass.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 netCDF4==1.7.5.1.post1 xarray==2026.9.0 \
    h5py==3.16.0
"$dir/venv/bin/python" - "$dir/image.nc" <<'EOF'
import sys
from importlib.metadata import version

import h5py
import netCDF4
import numpy as np
import xarray

print(*(f"{name} {version(name)}" for name in ("netCDF4", "xarray", "h5py")))
arrays = {
    "uint8": np.array([0, 1, 254, 255], np.uint8),
    "int8": np.array([-127, -128, 1, 127], np.int8),
}
for fill in (None, False):
    with netCDF4.Dataset(sys.argv[1], "w") as file:
        file.createDimension("x", 4)
        for name, array in arrays.items():
            file.createVariable(name, array.dtype, ("x",), fill_value=fill)[:] = array
    with netCDF4.Dataset(sys.argv[1]) as file, xarray.open_dataset(sys.argv[1]) as data, h5py.File(sys.argv[1]) as hdf:
        for name, array in arrays.items():
            got = file[name][:]
            print(f"fill_value={fill}, {name}: {got}, mean {got.mean():g}, right {array.mean():g}")
            masked = (array == np.array(netCDF4.default_fillvals[array.dtype.str[1:]], array.dtype)) & (fill is None)
            assert "_FillValue" not in file[name].ncattrs()
            assert np.array_equal(np.ma.getmaskarray(got), masked) and np.array_equal(np.asarray(got), array)
            assert np.array_equal(data[name].values, array) and np.array_equal(hdf[name][:], array)
EOF
