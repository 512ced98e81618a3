"""What `make lint` cannot see of the types: stubtest passes a compiled module without a stub, and every constructor."""

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import get_args

import numpy as np
import pytest

import fastconv
from fastconv._checks import activations, orders, pool_shapes, shapes, types
from fastconv._graph import blocks
from fastconv._planning import algorithms, choosing
from fastconv._runners import transforms
from fastconv._runners.nchw import Pointwise

PACKAGE = Path(fastconv.__file__).parent
STUBS = sorted(PACKAGE.rglob("*.pyi"))

SHAPE = shapes.conv_geometry((3, 3, 16, 16), padding=1).at((1, 8, 8, 16))
ONE = shapes.conv_geometry((1, 1, 16, 16)).at((1, 8, 8, 16))
POOL = pool_shapes.pool_geometry(2).at((1, 8, 8, 16))
FLOAT, BOUNDS = np.dtype(np.float32), (0.0, 6.0)
APPLIED = *BOUNDS, None


def dotted(path):
    """The name of the module of a file."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


COMPILED = sorted(map(dotted, PACKAGE.rglob("*.pyx")))


def packed(name, shape, number):
    """The arrays that a plan hands to the runner of one of the algorithms."""
    algorithm = [one for one in algorithms.ALGORITHMS if one.name == name][number]
    weight = np.ones((*shape.kernel, shape.in_channels, shape.out_channels), np.float32)
    return algorithm.pack(weight, np.zeros(shape.out_channels, np.float32), 1, 1)


def arguments():
    """{class: arguments of its constructor by name, those that have defaults at the end}."""
    direct, of_winograd = packed("direct", SHAPE, 1), (packed("winograd", SHAPE, number) for number in (0, 1))
    names = "weights", "bias", "all_finite"
    given = dict(zip(names, direct, strict=True))
    matrix, blas = (dict(zip(names, packed(name, ONE, 0), strict=False)) for name in ("direct", "blas"))
    names = "weights", "bias", "direct_weights", "all_finite", "max_squares"
    transformed, taps = (dict(zip(names, one, strict=True)) for one in of_winograd)
    names = "weights", "weight_sums", "column_scales", "bias", "equalizers", "unpacked", "in_range"
    fast = dict(zip(names, packed("fip", ONE, 0), strict=True))
    transform = {"transform": transforms.F4X3}
    product = Pointwise(ONE, **matrix, activation=APPLIED)
    layer = {"product": product, "batch": 1, "hidden": 4, "gates": 4, "itemsize": 4}
    stack = np.zeros(1, np.int64), 8, False
    return {
        "Blas": {"shape": ONE, **blas, "activation": APPLIED},
        "Attention": {"shape": (1, 1, 8, 8, 8, 8), "scale": 1.0, "itemsize": 4, "stacks": [stack] * 3},
        "Prepared": {"num_threads": None, "useful": 1},
        "Chain": {"steps": [], "memory": 0},
        "Direct": {"shape": SHAPE, **given, "activation": APPLIED},
        "DirectTiles": {"shape": SHAPE, **given},
        "GroupedTiles": {"shape": SHAPE, **given},
        "Along": {"function": "softmax", "shape": (1, 8, 8, 16), "itemsize": 4, "axis": 0},
        "Elementwise": {
            "function": "scale",
            "shape": (1, 8, 8, 16),
            "itemsize": 4,
            "numbers": (),
            "bounds": BOUNDS,
            "vectors": (np.ones(16, np.float32),) * 2,
            "wide": 1,
            "smaller": None,
            "window": None,
        },
        "Finish": {"functions": [("scale", (), BOUNDS, (np.ones(16, np.float32),) * 2)], "itemsize": 4},
        "Fip": {"shape": ONE, **fast, "activation": APPLIED},
        "Flatten": {"x_shape": (1, 8, 8, 16), "itemsize": 4},
        "GRU": layer,
        "Instances": {
            "function": "group_norm",
            "shape": (1, 8, 8, 16),
            "itemsize": 4,
            "numbers": (1e-5,),
            "vectors": (np.ones(16, np.float32),) * 2,
            "group": 4,
        },
        "LSTM": layer,
        "Linear": {
            "x_shape": (1, 8, 8, 16),
            "out_shape": (1, 1, 1, 16),
            "rows": (np.zeros((1, 2), int), np.ones((1, 2))),
            "columns": (np.zeros((1, 2), int), np.ones((1, 2))),
            "dtype": FLOAT,
        },
        "Sample": {
            "x_shape": (1, 8, 8, 16),
            "out_shape": (1, 2, 3, 16),
            "double_precision": False,
            "padding": "zeros",
            "is_aligned": False,
            "is_nearest": False,
        },
        "PaddedRows": {
            "shape": SHAPE,
            "all_finite": True,
            "itemsize": 4,
            "copied_channels": 16,
            "whole_rows": False,
            "in_place": False,
        },
        "Pick": {
            "x_shape": (1, 8, 8, 16),
            "out_shape": (1, 4, 8, 16),
            "rows": np.arange(4) * 128,
            "columns": np.arange(8) * 16,
            "chunk": 16,
            "value": 0.0,
            "dtype": FLOAT,
        },
        "Pointwise": {"shape": ONE, **matrix, "activation": APPLIED},
        "Pool": {"shape": POOL, "kind": "max", "itemsize": 4},
        "Product": {"shape": (1, 8, 8, 8), "is_double": False, "first": stack, "second": stack},
        "Recurrence": layer,
        "Tiles": {"shape": SHAPE, "dtype": FLOAT, "all_finite": True, **transform},
        "SplitRows": {"shape": SHAPE, "all_finite": True, "itemsize": 4, "channels": 16},
        "Winograd": {"shape": SHAPE, **transformed, "activation": APPLIED, **transform},
        "WinogradOnTheFly": {"shape": SHAPE, **taps, "activation": APPLIED, **transform},
    }


def constructors():
    """(module, class, parameters of the constructor, how many of them have defaults) of every class of the stubs."""
    for path in STUBS:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                found = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
                parameters = [one.arg for one in found[0].args.args[1:]] if found else []
                yield dotted(path), node.name, parameters, len(found[0].args.defaults) if found else 0


def declared(stub):
    """The names that a stub declares."""
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign):
            yield node.target.id


def own_names(module):
    """The public names of a compiled module that it does not import."""
    for name, value in vars(module).items():
        imported = isinstance(value, ModuleType) or getattr(value, "__module__", module.__name__) != module.__name__
        if not name.startswith("_") and not imported:
            yield name


def test_every_compiled_module_has_a_stub_and_no_other():
    assert sorted(map(dotted, STUBS)) == COMPILED


@pytest.mark.parametrize("name", COMPILED)
def test_a_stub_has_the_public_names_of_its_module(name):
    (stub,) = (stub for stub in STUBS if dotted(stub) == name)
    assert sorted(declared(stub)) == sorted(own_names(importlib.import_module(name)))


@pytest.mark.parametrize(("module", "name", "parameters", "defaults"), list(constructors()))
def test_a_constructor_is_what_its_stub_says(module, name, parameters, defaults):
    cls = getattr(importlib.import_module(module), name)
    if name in ("Runner", "LoopNest"):
        with pytest.raises(TypeError, match="base"):
            cls()
        return
    if not parameters:  # its constructor is Cython's, which takes anything
        assert isinstance(cls(), cls)
        return
    given = arguments()[name]
    assert list(given) == parameters
    needed = dict(list(given.items())[: len(given) - defaults])
    assert isinstance(cls(**given), cls)
    assert isinstance(cls(*given.values()), cls)
    assert isinstance(cls(**needed), cls)
    for missing in needed:
        with pytest.raises(TypeError):
            cls(**{key: value for key, value in given.items() if key != missing})
    with pytest.raises(TypeError):
        cls(*given.values(), None)
    with pytest.raises(TypeError):
        cls(**given, another=None)


def public_functions():
    """(name, function) of all that users call: functions, constructors, methods and properties."""
    for name in sorted(fastconv.__all__):
        value = getattr(fastconv, name)
        if inspect.ismodule(value):
            members = {key: vars(value).get(key) for key in value.__all__}  # nothing is imported for it
            yield from ((f"{name}.{key}", one) for key, one in members.items() if inspect.isfunction(one))
            continue
        if not isinstance(value, type):
            yield name, value
            continue
        for base in value.__mro__[:-1]:
            for key, member in vars(base).items():
                function = member.fget if isinstance(member, property) else member
                if inspect.isfunction(function) and (not key.startswith("_") or key in ("__init__", "__call__")):
                    yield f"{name}.{key}", function


@pytest.mark.parametrize(("name", "function"), list(public_functions()))
def test_every_public_function_is_annotated(name, function):
    signature = inspect.signature(function)
    bare = [key for key, one in signature.parameters.items() if one.annotation is one.empty and key != "self"]
    assert not bare
    assert signature.return_annotation is not signature.empty


def test_the_choices_in_annotations_are_those_accepted():
    assert get_args(types.Layout) == orders.LAYOUTS
    assert set(get_args(types.AlgorithmName)) == set(choosing.NAMES)
    names, pair, none = get_args(types.Activation)
    assert (pair, none) == (types.Bounds, type(None))
    assert {None, *get_args(names)} == set(activations.NAMED)
    parts = (1, 1, 4, 2), (3, 3, 2, 2), (1, 1, 2, 4)
    for choice in get_args(types.StrideIn):
        blocks.of_shapes("bottleneck", parts, False, stride_in=choice)
    with pytest.raises(ValueError, match=str(get_args(types.StrideIn)).replace("(", r"\(").replace(")", r"\)")):
        blocks.of_shapes("bottleneck", parts, False, stride_in="expand")
