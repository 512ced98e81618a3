"""What a file says, as plain data: nodes in running order, constants, inputs and outputs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A node of the file, whose attributes are Python values, those left out with the standard's defaults.

    `version` is the opset of its domain that the file names; an input that is left out has the name "". The inputs of
    an If are its condition and what its branches read.
    """

    label: str
    kind: str
    domain: str
    version: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    proto: "onnx.NodeProto | None" = None

    def __str__(self) -> str:
        return f"{self.kind} {self.label!r}"

    @contextmanager
    def named(self) -> Iterator[None]:
        """Make what a bad file raises a ValueError that names the node."""
        try:
            yield
        except NodeError:
            raise
        except Exception as error:
            if not _is_of_a_file(error):
                raise
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            raise NodeError(f"{self}: {kind}{error}") from error


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One of an If's: its nodes in running order, what they give, and what they read that is computed outside."""

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    reads: tuple[str, ...]


# What bad files raise, out of onnx.reference too. Other exceptions, such as that of a signal's handler, come through.
_OF_FILES = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError),
    *(RuntimeError, TypeError, ValueError),
)
_LIBRARIES = ("google", "numpy", "onnx", "PIL", "struct")


def _is_of_a_file(error: Exception) -> bool:
    return isinstance(error, _OF_FILES) or type(error).__module__.partition(".")[0] in _LIBRARIES


class NodeError(ValueError):
    """An error that names its node already."""


@dataclass(frozen=True, slots=True)
class Input:
    """An input of the file. A size is an integer, or the name of one that is known only in a call, or None.

    `dtype` and `shape` are None of what is no tensor, such as a sequence, `shape` of a tensor without one.
    """

    name: str
    dtype: np.dtype | None
    shape: tuple[int | str | None, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The nodes, each after those that it reads and all needed for the outputs.

    Constants are read-only arrays. Those that are also `optional` inputs may be given in a call.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, Any]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    optional: tuple[Input, ...] = ()
    opsets: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"inputs: {', '.join(_told(one) for one in self.inputs)}"]
        lines += _lines(self.nodes)
        return "\n".join([*lines, f"outputs: {', '.join(self.outputs)}"])


def _lines(nodes: tuple[Node, ...], indent: str = "") -> Iterator[str]:
    """A line for each node, those of the branches of an If below it."""
    for node in nodes:
        yield f"{indent}{node}: {', '.join(node.inputs)} -> {', '.join(node.outputs)}"
        if node.kind == "If":
            for name in "then", "else":
                branch = node.attributes[f"{name}_branch"]
                yield f"{indent}  {name}:"
                yield from _lines(branch.nodes, f"{indent}    ")
                yield f"{indent}    gives {', '.join(branch.outputs)}"


def _told(given: Input) -> str:
    sizes = "" if given.shape is None else f"({', '.join('?' if n is None else str(n) for n in given.shape)})"
    return f"{given.name} {given.dtype or 'no tensor'}{sizes}"
