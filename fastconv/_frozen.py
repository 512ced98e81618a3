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
    _arrays,
    _blas,
    _bound,
    _chain,
    _config,
    _cpu,
    _cut,
    _direct,
    _direct_tiles,
    _elementwise,
    _machine,
    _nchw,
    _orders,
    _pack,
    _peak,
    _pool,
    _rows,
    _shapes,
    _team,
    _tiles,
    _winograd,
    _workspace,
    blocks,
    cost,
    graph,
    networks,
    pooling,
    reference,
    sequential,
)
