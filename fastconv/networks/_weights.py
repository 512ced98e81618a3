"""The weights of a network by name: read from files, checked, made at random."""

import os
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from fastconv._checks import arguments, arrays
from fastconv._checks.types import Array, Layout, Shape

Arrays = Mapping[str, Array[Any]]


def read(weights: Arrays | str | os.PathLike[str]) -> Arrays:
    """The arrays of a mapping, or of a file."""
    if isinstance(weights, Mapping):
        return weights
    if not isinstance(weights, (str, os.PathLike)):
        raise TypeError(
            f"weights must be a mapping of arrays, the path of a file or None, got {arguments.kind(weights)}"
        )
    path = os.fsdecode(weights)
    if not path.endswith((".npz", ".safetensors")):
        raise ValueError(f"weights must be a .npz or .safetensors file, got {path!r}")
    try:
        return _npz(path) if path.endswith(".npz") else _safetensors(path)
    except (OSError, ImportError):
        raise
    except Exception as error:  # of the libraries' own kinds
        raise ValueError(f"weights cannot be read from {path!r}: the file is damaged or of another format") from error


def _npz(path: str) -> Arrays:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _safetensors(path: str) -> Arrays:
    try:
        from safetensors.numpy import load_file
    except ImportError:
        raise ImportError("weights in a .safetensors file need a library: pip install safetensors") from None
    arrays: Arrays = load_file(path)
    return arrays


def checked(network: str, given: Arrays, shapes: Mapping[str, Shape], layout: Layout) -> dict[str, np.ndarray]:
    """Copies of the arrays for the names in `shapes`, all of one dtype."""
    names = {name for name in given if not str(name).endswith(".num_batches_tracked")}
    wrong = list[str]()
    if missing := [name for name in shapes if name not in names]:
        more = f", and {len(missing) - 1} more" * (len(missing) > 1)
        wrong.append(f"no {missing[0]!r}, of shape {shapes[missing[0]]}{more}")
    if unknown := [name for name in given if name in names and name not in shapes]:
        wrong.append(f"{unknown[0]!r}, which {network} does not take")
    if wrong:
        raise ValueError(f"weights has {', but '.join(wrong)}")
    copies: dict[str, np.ndarray] = {}
    for name, shape in shapes.items():
        first = next(iter(copies), name)
        array = arrays.array(name, given[name], copies[first].dtype if copies else None, other=first)
        if array.shape != shape:
            turned = (*shape[-2:][::-1], *shape[:-2]) if layout == "NHWC" else (*shape[2:], *shape[:2][::-1])
            hint = f"; that is the order of layout {'NCHW' if layout == 'NHWC' else 'NHWC'}"
            raise ValueError(
                f"{name} must have shape {shape} in layout {layout}, got {array.shape}" + hint * (array.shape == turned)
            )
        if name.endswith(".running_var") and (array < 0).any():
            raise ValueError(f"{name} must be at least 0, got {array.min()}")
        copies[name] = array.copy()
    return copies


def random(shapes: Mapping[str, Shape], layout: Layout, seed: int, dtype: type[Any]) -> dict[str, Array[Any]]:
    """Random arrays of these shapes; batch norms make the branches of residual blocks smaller than their sums."""
    rng = np.random.default_rng(arguments.integer("seed", seed, 0))
    if dtype not in (np.float32, np.float64):
        raise TypeError(f"dtype must be np.float32 or np.float64, got {dtype!r}")

    def made(name: str, shape: Shape) -> Array[Any]:
        part, array = name.rpartition(".")[2], np.empty(shape, dtype)
        if len(shape) == 1 and part in ("weight", "running_var"):
            rng.random(out=array, dtype=dtype)
            array /= 2
            array += 0.25 if part == "weight" else 0.75
        else:
            inputs = prod(shape[:-1] if layout == "NHWC" else shape[1:])
            rng.standard_normal(out=array, dtype=dtype)
            array *= np.sqrt(2 / inputs) if len(shape) > 1 else 0.1
        return array

    return {name: made(name, shape) for name, shape in shapes.items()}
