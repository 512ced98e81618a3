"""The commands `fastconv profile` and `fastconv run`."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv.onnx import load
from fastconv.onnx._model import Model
from fastconv.onnx._program import Input


def profile(options: argparse.Namespace) -> None:
    """Print where the time of a model goes, on random inputs."""
    model = load(options.MODEL, num_threads=options.threads)
    shapes = _shapes(model, options.shape or [])
    rng = np.random.default_rng(0)
    inputs = {one.name: _random(rng, one, shapes[one.name]) for one in model.graph.inputs}
    found = model.profile(inputs)
    if options.json:
        print(json.dumps({"shapes": shapes, "threads": model.num_threads, **found.document()}, indent=1))
    else:
        print(found)


def run(options: argparse.Namespace) -> None:
    """Run a model on saved arrays, and save its results by name."""
    given: Any = np.load(options.INPUT, allow_pickle=False)
    model = load(options.MODEL, num_threads=options.threads)
    results = model(given) if isinstance(given, np.ndarray) else model(dict(given))
    results = results if len(model.outputs) > 1 else (results,)
    with Path(options.output).open("wb") as file:  # under this name, to which savez would add .npz
        np.savez(file, **dict(zip(model.outputs, results, strict=True)))
    for name, y in zip(model.outputs, results, strict=True):
        print(f"{name}: {y.dtype} {y.shape}")


def _shapes(model: Model, given: list[str]) -> dict[str, Shape]:
    """{input: shape} of what was given as "2x3x4" or "name=2x3x4", and of what the model says."""
    named = dict(text.rpartition("=")[::2] for text in given if "=" in text)
    plain = [text for text in given if "=" not in text]
    names = [one.name for one in model.graph.inputs]
    if len(plain) > len(names) or not {*named} <= {*names}:
        raise ValueError(f"--shape must be that of an input, which are {', '.join(names)}")
    texts = dict(zip(names, plain, strict=False)) | named
    return {one.name: _shape(one, texts.get(one.name)) for one in model.graph.inputs}


def _shape(one: Input, text: str | None) -> Shape:
    if text is not None:
        try:
            return tuple(int(size) for size in text.split("x"))
        except ValueError:
            raise ValueError(f"--shape must be sizes with x between them, such as 1x3x224x224, got {text!r}") from None
    # A batch of unknown size is 1.
    shape = [1 if i == 0 and not isinstance(size, int) else size for i, size in enumerate(one.shape or (None,))]
    if one.shape is None or not all(isinstance(size, int) for size in shape):
        raise ValueError(f"--shape {one.name}=... must be given: the model leaves sizes of {one.name} open")
    return tuple(size for size in shape if isinstance(size, int))


def _random(rng: np.random.Generator, one: Input, shape: Shape) -> np.ndarray:
    """Normal numbers, or zeros of what is no float."""
    if one.dtype is None or one.dtype.kind != "f":
        return np.zeros(shape, one.dtype)
    return rng.standard_normal(shape).astype(one.dtype)
