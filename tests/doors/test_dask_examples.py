"""What docs/dask.md and examples/ show, run as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import dask.array as da
import numpy as np
import xarray as xr
from cases import normals

import fastconv

ROOT = Path(__file__).parents[2]


def test_xarray_recipe():
    (recipe,) = re.findall(r"```python\n(features = .*?)```", (ROOT / "docs/dask.md").read_text("utf-8"), re.DOTALL)
    rng = np.random.default_rng(0)
    net = fastconv.Sequential(fastconv.Conv2d(normals(rng, (3, 3, 4, 8), "float32"), stride=2, padding=1))
    x = normals(rng, (3, 4, 90, 121), "float32")
    where = {"y": np.arange(90), "x": np.arange(121) * 10.0}
    scene = xr.DataArray(da.from_array(x, (1, 4, 40, 50)), dims=["time", "band", "y", "x"], coords=where)
    names = {"xr": xr, "fastconv": fastconv, "net": net, "scene": scene}
    exec(compile(recipe, "docs/dask.md", "exec"), names)
    features = names["features"]
    assert features.dims == ("time", "y", "x", "feature")
    assert features.chunks[1:3] == ((20, 20, 5), (25, 25, 11))
    np.testing.assert_array_equal(features.values, net(np.moveaxis(x, 1, -1)))
    np.testing.assert_array_equal(features.x, np.arange(0, 121, 2) * 10.0)


def test_image_larger_than_memory(tmp_path):
    program = ROOT / "examples" / "image_larger_than_memory.py"
    command = sys.executable, str(program), "--size", "1500", str(tmp_path)
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert re.fullmatch(
        r"\(1500, 1500, 3\), 0\.027 GB as float32, to \(375, 375, 1\) in .*\nthe processes took .*\n", printed
    )
    assert da.from_zarr(str(tmp_path / "edges.zarr")).chunks == ((256, 119), (256, 119), (1,))
