"""What only compiled code imports, in Python, for the tools that freeze programs: PyInstaller, cx_Freeze, Nuitka.

They follow the imports that they read in Python files, and a compiled module is closed to them. Nothing runs this.
"""

# ruff: noqa: F401
import ctypes
import itertools
import math

import numpy
import scipy.linalg.cython_blas

from fastconv import (
    _config,
    blocks,
    conv,
    cost,
    dask,
    functional,
    graph,
    networks,
    onnx,
    pooling,
    reference,
    sequential,
    torch,
)
from fastconv._checks import arrays, orders, shapes
from fastconv._kernels import cpu
from fastconv._planning import call, layouts, machine, prepared, workspace
from fastconv._runners import (
    attention,
    blas,
    chain,
    direct,
    direct_tiles,
    elementwise,
    finish,
    fip,
    fip_weights,
    grouped_tiles,
    limits,
    nchw,
    pack,
    padded_rows,
    partition,
    picking,
    pool,
    recurrent,
    resizing,
    runner,
    sampling,
    scaled,
    shaping,
    split_rows,
    team,
    tiles,
    winograd,
    winograd_on_the_fly,
)
