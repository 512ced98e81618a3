"""The choice between the algorithms: it looks at the shape, never at batch or thread count."""

from functools import lru_cache

from fastconv._checks.arguments import one_of
from fastconv._checks.shapes import ConvGeometry, ConvShape
from fastconv._checks.types import Accuracy, AlgorithmName, Layout, Shape
from fastconv._planning import algorithms
from fastconv._planning.algorithms import Algorithm

_CONVERSION_COST = 20  # of a value whose layout is converted

NAMES: tuple[AlgorithmName, ...] = ("auto", *dict.fromkeys(algorithm.name for algorithm in algorithms.ALGORITHMS))
ACCURACIES: tuple[Accuracy, ...] = ("normwise", "componentwise")  # the second is a promise of the first too


def checked(name: AlgorithmName, accuracy: Accuracy) -> tuple[AlgorithmName, Accuracy]:
    """Both, each one of its names; ValueError where the algorithm does not promise this accuracy."""
    name, accuracy = one_of("algorithm", name, NAMES), one_of("accuracy", accuracy, ACCURACIES)
    if accuracy != "normwise" and not _named(name, accuracy, "NHWC"):
        able = " or ".join(f'"{other}"' for other in NAMES[1:] if _named(other, accuracy, "NHWC"))
        raise ValueError(f'algorithm "{name}" does not promise accuracy "{accuracy}", which {able} do')
    return name, accuracy


def usable(name: AlgorithmName, geometry: ConvGeometry, accuracy: Accuracy) -> list[Algorithm]:
    """The algorithms called `name` that can do this geometry on small maps; ValueError if there are none."""
    return _usable(name, accuracy, geometry.smallest(), geometry.layout, geometry)


def suits(name: AlgorithmName, geometry: ConvGeometry, accuracy: Accuracy) -> bool:
    """Whether there is an algorithm called `name` that can do this geometry on small maps."""
    return bool(_able(name, accuracy, geometry.smallest(), geometry.layout))


@lru_cache(256)
def shape_and_algorithm(
    geometry: ConvGeometry, x_shape: Shape, name: AlgorithmName, accuracy: Accuracy
) -> tuple[ConvShape, Algorithm]:
    """(the `ConvShape` for an x of this shape, the algorithm for it): known again where `conv2d` is called again."""
    shape = geometry.at(x_shape)
    return shape, choose(name, shape, geometry.layout, accuracy)


def choose(
    name: AlgorithmName, shape: ConvShape, layout: Layout = "NHWC", accuracy: Accuracy = "normwise"
) -> Algorithm:
    """The algorithm of least cost among those called `name`, a conversion of the layout counted; else the first."""
    values = shape.height * shape.width * shape.in_channels + shape.out_height * shape.out_width * shape.out_channels

    def cost(algorithm: Algorithm) -> float:
        return algorithm.cost(shape) + (algorithm.layout != layout) * _CONVERSION_COST * values

    return min(_usable(name, accuracy, shape, layout, shape), key=cost)


def _named(name: AlgorithmName, accuracy: Accuracy, layout: Layout) -> list[Algorithm]:
    """Those called `name`, any for "auto", that promise this accuracy and take arrays in `layout`, maybe converted."""
    named = [one for one in algorithms.ALGORITHMS if name in ("auto", one.name) and one.layout in (layout, "NHWC")]
    return [one for one in named if accuracy in ("normwise", one.accuracy)]


def _able(name: AlgorithmName, accuracy: Accuracy, shape: ConvShape, layout: Layout) -> list[Algorithm]:
    return [one for one in _named(name, accuracy, layout) if one.supports(shape)]


def _usable(
    name: AlgorithmName, accuracy: Accuracy, shape: ConvShape, layout: Layout, given: object
) -> list[Algorithm]:
    able = _able(name, accuracy, shape, layout)
    if not able:
        raise ValueError(f'algorithm "{name}" {_named(name, accuracy, layout)[0].unsupported(shape)}, got {given}')
    return able
