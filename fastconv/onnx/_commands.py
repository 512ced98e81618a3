"""The commands `fastconv profile` and `fastconv run`."""

import argparse
import json
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from fastconv._checks.types import Shape
from fastconv.onnx import load
from fastconv.onnx._program import Input


def profile(options: argparse.Namespace) -> None:
    """Print where the time of a model goes, on saved inputs, and random ones for those that are not there."""
    model = load(options.MODEL, num_threads=options.threads)
    saved: Any = _saved(options.input, "--input") if options.input else {}
    inputs = saved if isinstance(saved, dict) else dict(zip(model.inputs, [saved], strict=False))
    others = [one for one in model.graph.inputs if one.name not in inputs]
    rng, shapes = np.random.default_rng(0), _shapes(others, options.shape or [])
    inputs |= {one.name: _random(rng, one, shapes[one.name]) for one in others}
    found = model.profile(inputs)
    if options.json:
        shapes = {name: x.shape for name, x in inputs.items()}
        print(json.dumps({"shapes": shapes, "threads": model.num_threads, **found.document()}, indent=1))
    else:
        print(found)


def run(options: argparse.Namespace) -> None:
    """Run a model on saved arrays, and save its results by name."""
    given = _saved(options.INPUT, "INPUT")
    model = load(options.MODEL, num_threads=options.threads)
    results = model(given)
    results = results if len(model.outputs) > 1 else (results,)
    for name, y in zip(model.outputs, results, strict=True):
        if not isinstance(y, np.ndarray):
            raise ValueError(f"result {name} cannot be saved: it is a {type(y).__name__}, no array")
        if y.dtype.kind not in "?biufcU":
            raise ValueError(f"result {name} cannot be saved: a .npz file has no {y.dtype}")
    _save(Path(options.output), dict(zip(model.outputs, results, strict=True)))
    for name, y in zip(model.outputs, results, strict=True):
        print(f"{name}: {y.dtype} {y.shape}")


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """As np.savez, of which some names are parameters, and which adds .npz to the path."""
    with ZipFile(path, "w") as file:
        for name, array in arrays.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _saved(path: str, what: str) -> Any:
    """The array of a .npy file, or those of a .npz file by name."""
    try:
        given: Any = np.load(path, allow_pickle=False)
        return given if isinstance(given, np.ndarray) else dict(given)
    except (BadZipFile, EOFError, ValueError):  # NumPy's words propose to read any file as a pickle
        raise ValueError(f"{what} must be a .npy or .npz file of numbers, got {path!r}") from None


def _shapes(inputs: list[Input], given: list[str]) -> dict[str, Shape]:
    """{input: shape} of what was given as "2x3x4" or "name=2x3x4", and of what the model says."""
    names = [one.name for one in inputs]
    unnamed, texts = iter(names), dict[str, str]()
    for text in given:
        name, _, sizes = text.rpartition("=") if "=" in text else (next(unnamed, ""), "", text)
        if not names:
            raise ValueError(f"--shape must be left out where no input needs one, got {text!r}")
        if name not in names or name in texts:
            raise ValueError(f"--shape must be that of an input, once for each of {', '.join(names)}, got {text!r}")
        texts[name] = sizes
    return {one.name: _shape(one, texts.get(one.name)) for one in inputs}


def _shape(one: Input, text: str | None) -> Shape:
    if text is not None:
        sizes = text.split("x")
        if not all(size.isdecimal() for size in sizes):
            raise ValueError(f"--shape must be sizes with x between them, such as 1x3x224x224, got {text!r}")
        return tuple(map(int, sizes))
    if one.shape is None:
        raise ValueError(f"--shape {one.name}=... must be given: the model says nothing of it")
    has_batch = isinstance((one.shape or (1,))[0], int)
    shape = one.shape if has_batch else (1, *one.shape[1:])  # a batch of unknown size is 1
    if not all(isinstance(size, int) for size in shape):
        told = ", ".join("?" if size is None else str(size) for size in one.shape)
        raise ValueError(f"--shape {one.name}=... must be given: the model leaves sizes of ({told}) open")
    return tuple(size for size in shape if isinstance(size, int))


def _random(rng: np.random.Generator, one: Input, shape: Shape) -> np.ndarray:
    """Normal numbers, or zeros of what is no float."""
    if one.dtype is None or one.dtype.kind != "f":
        return np.zeros(shape, one.dtype)
    return rng.standard_normal(shape).astype(one.dtype)
