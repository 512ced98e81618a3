"""Recurrent layers: LSTM, GRU and RNN, step by step; what the steps do not need of each other is one product."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastconv.onnx._in_numpy.elementwise import elu, hard_sigmoid, leaky_relu, softplus
from fastconv.onnx._program import Node

# Whether each direction goes from the last step to the first.
DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}

Function = Callable[[np.ndarray], np.ndarray]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    y = np.exp(np.negative(x))
    y += 1
    return np.divide(1, y, out=y)


# The functions of ONNX's activations, with the defaults of alpha and beta.
_ACTIVATIONS: dict[str, tuple[Callable[..., np.ndarray], tuple[float, ...]]] = {
    "affine": (lambda x, alpha, beta: alpha * x + beta, (1.0, 0.0)),
    "elu": (elu, (1.0,)),
    "hardsigmoid": (hard_sigmoid, (0.2, 0.5)),
    "leakyrelu": (leaky_relu, (0.01,)),
    "relu": (lambda x: np.maximum(x, 0), ()),
    "scaledtanh": (lambda x, alpha, beta: alpha * np.tanh(beta * x), (1.0, 1.0)),
    "sigmoid": (_sigmoid, ()),
    "softplus": (softplus, ()),
    "softsign": (lambda x: x / (1 + np.abs(x)), ()),
    "tanh": (np.tanh, ()),
    "thresholdedrelu": (lambda x, alpha: np.where(x > alpha, x, 0).astype(x.dtype), (1.0,)),
}


class _Layer(NamedTuple):
    """One direction: `projected` has W·x + bias of each step, (steps, batch, gates · hidden)."""

    projected: np.ndarray
    recurrent: np.ndarray  # (gates · hidden, hidden)
    bias: np.ndarray  # of the recurrent products, (gates · hidden,)
    functions: list[Function]
    peepholes: np.ndarray | None
    node: Node


State = tuple[np.ndarray, ...]


def _lstm_step(layer: _Layer, x: np.ndarray, state: State) -> State:
    """Gates i, o, f, c; peepholes let the former see the cell."""
    (h, cell), size = state, state[0].shape[1]
    gates = x + h @ layer.recurrent.T
    f, g, last = layer.functions
    peep = None if layer.peepholes is None else layer.peepholes.reshape(3, size)
    if peep is not None:
        gates[:, :size] += peep[0] * cell
        gates[:, 2 * size : 3 * size] += peep[2] * cell
    new = g(gates[:, 3 * size :])
    if peep is None and not layer.node.attributes["input_forget"]:
        opened = f(gates[:, : 3 * size])
        i, o, forget = opened[:, :size], opened[:, size : 2 * size], opened[:, 2 * size :]
        cell = forget * cell + i * new
    else:
        i = f(gates[:, :size])
        forget = 1 - i if layer.node.attributes["input_forget"] else f(gates[:, 2 * size : 3 * size])
        cell = forget * cell + i * new
        o = f(gates[:, size : 2 * size] + (0 if peep is None else peep[1] * cell))
    return o * last(cell), cell


def _gru_step(layer: _Layer, x: np.ndarray, state: State) -> State:
    """Gates z, r, h."""
    (h,), size = state, state[0].shape[1]
    f, g = layer.functions
    if layer.node.attributes["linear_before_reset"]:
        products = h @ layer.recurrent.T
        opened = f(x[:, : 2 * size] + products[:, : 2 * size])
        new = g(x[:, 2 * size :] + opened[:, size:] * (products[:, 2 * size :] + layer.bias[2 * size :]))
    else:
        opened = f(x[:, : 2 * size] + h @ layer.recurrent[: 2 * size].T)
        new = g(x[:, 2 * size :] + (opened[:, size:] * h) @ layer.recurrent[2 * size :].T)
    return (new + opened[:, :size] * (h - new),)


def _rnn_step(layer: _Layer, x: np.ndarray, state: State) -> State:
    (f,) = layer.functions
    return (f(x + state[0] @ layer.recurrent.T),)


class _Kind(NamedTuple):
    gates: int
    states: int
    activations: tuple[str, ...]
    step: Callable[[_Layer, np.ndarray, State], State]


_LSTM = _Kind(4, 2, ("Sigmoid", "Tanh", "Tanh"), _lstm_step)
_GRU = _Kind(3, 1, ("Sigmoid", "Tanh"), _gru_step)
_RNN = _Kind(1, 1, ("Tanh",), _rnn_step)


def lstm(node: Node, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, *more: Any) -> Any:
    h, c, peepholes = (*more, None, None, None)[:3]
    return _recurrent(_LSTM, node, x, w, r, b, lengths, (h, c), peepholes)


def gru(node: Node, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None) -> Any:
    return _recurrent(_GRU, node, x, w, r, b, lengths, (h,))


def rnn(node: Node, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None) -> Any:
    return _recurrent(_RNN, node, x, w, r, b, lengths, (h,))


def _recurrent(
    kind: _Kind,
    node: Node,
    x: np.ndarray,
    w: np.ndarray,
    r: np.ndarray,
    b: np.ndarray | None,
    lengths: np.ndarray | None,
    initial: Sequence[np.ndarray | None],
    peepholes: np.ndarray | None = None,
) -> tuple[np.ndarray, ...]:
    """(what each step gives, then each state after the last); with layout 1 the batch comes first."""
    is_first, dtype = node.attributes.get("layout", 0), np.promote_types(x.dtype, np.float32)
    directions, size = _checked(kind, node, x, w, r)
    given = {
        "B": b,
        "sequence_lens": lengths,
        "initial_h": initial[0],
        "initial_c": (*initial, None)[1],
        "P": peepholes,
    }
    _check_others(kind, node, x, size, {name: one for name, one in given.items() if one is not None})
    if is_first:
        x = x.swapaxes(0, 1)
        initial = [None if one is None else one.swapaxes(0, 1) for one in initial]
    steps, batch, inputs = x.shape
    lengths = None if lengths is None or (lengths >= steps).all() else lengths
    rows = kind.gates * size
    bias = np.zeros((len(directions), 2 * rows)) if b is None else b
    results, ends = [], []
    for i, is_reverse in enumerate(directions):
        own, recurrent = bias[i, :rows].astype(dtype), bias[i, rows:].astype(dtype)
        added = own + recurrent
        if kind is _GRU and node.attributes["linear_before_reset"]:
            added[2 * size :] = own[2 * size :]  # its other half is reset too
        projected = (
            x.reshape(steps * batch, inputs).astype(dtype, copy=False) @ w[i].T.astype(dtype, copy=False) + added
        )
        peep = None if peepholes is None else peepholes[i].astype(dtype)
        functions = _functions(kind, node, i)
        weights = r[i].astype(dtype, copy=False)
        layer = _Layer(projected.reshape(steps, batch, rows), weights, recurrent, functions, peep, node)
        start = tuple(
            np.zeros((batch, size), dtype) if one is None else one[i].astype(dtype, copy=False) for one in initial
        )
        y, state = _run(kind, layer, start, lengths, is_reverse)
        results.append(y)
        ends.append(state)
    stacked = [np.stack(results, 1), *(np.stack(states) for states in zip(*ends, strict=True))]
    if is_first:
        stacked = [stacked[0].transpose(2, 0, 1, 3), *(one.swapaxes(0, 1) for one in stacked[1:])]
    return tuple(one.astype(x.dtype, copy=False) for one in stacked)


def _checked(kind: _Kind, node: Node, x: np.ndarray, w: np.ndarray, r: np.ndarray) -> tuple[tuple[bool, ...], int]:
    """(whether each direction goes from the last step to the first, the hidden size)."""
    directions = DIRECTIONS.get(node.attributes["direction"])
    if directions is None:
        raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}, got {node.attributes['direction']!r}")
    if x.ndim != 3 or w.ndim != 3 or r.ndim != 3:
        raise ValueError(f"x, W and R must have three axes, got shapes {x.shape}, {w.shape} and {r.shape}")
    size = r.shape[2]
    rows = len(directions), kind.gates * size
    if w.shape != (*rows, x.shape[2]) or r.shape != (*rows, size) or node.attributes.get("hidden_size", size) != size:
        raise ValueError(f"W and R of shapes {w.shape} and {r.shape} do not fit x of shape {x.shape}")
    return directions, size


def _check_others(kind: _Kind, node: Node, x: np.ndarray, size: int, given: dict[str, np.ndarray]) -> None:
    ways, is_first = len(DIRECTIONS[node.attributes["direction"]]), node.attributes.get("layout", 0)
    steps, batch = x.shape[:2][:: -1 if is_first else 1]
    state = (batch, ways, size) if is_first else (ways, batch, size)
    wanted = {"B": (ways, 2 * kind.gates * size), "sequence_lens": (batch,), "P": (ways, 3 * size)}
    for name, one in given.items():
        if one.shape != wanted.get(name, state):
            raise ValueError(f"{name} must have shape {wanted.get(name, state)}, got {one.shape}")
        if name != "sequence_lens" and one.dtype != x.dtype:
            raise ValueError(f"{name} must have dtype {x.dtype}, as x has, got {one.dtype}")
    lengths = given.get("sequence_lens", np.zeros(1))
    if lengths.size and not 0 <= lengths.min() <= lengths.max() <= steps:
        raise ValueError(f"sequence_lens must be from 0 to {steps}, got {lengths.min()} to {lengths.max()}")


def _functions(kind: _Kind, node: Node, direction: int) -> list[Function]:
    """The activations of a direction; before each a clip, where the node has one."""
    get, count = node.attributes, len(kind.activations)
    names = get.get("activations") or kind.activations * (direction + 1)
    if len(names) < count * (direction + 1):
        raise ValueError(f"activations must be {count} for each direction, got {names}")
    alphas, betas = iter(get.get("activation_alpha") or ()), iter(get.get("activation_beta") or ())
    found = list[Function]()
    for name in names[: count * (direction + 1)]:
        if name.lower() not in _ACTIVATIONS:
            raise ValueError(f"activation {name!r} is not one of {', '.join(sorted(_ACTIVATIONS))}")
        function, defaults = _ACTIVATIONS[name.lower()]
        numbers = tuple(next(given, default) for given, default in zip((alphas, betas), defaults, strict=False))
        found.append(_clipped(function, numbers, get.get("clip")))
    return found[count * direction :]


def _clipped(function: Callable[..., np.ndarray], numbers: tuple[float, ...], limit: float | None) -> Function:
    if limit:
        return lambda x: function(np.clip(x, -limit, limit), *numbers)
    return (lambda x: function(x, *numbers)) if numbers else function


def _run(
    kind: _Kind, layer: _Layer, state: State, lengths: np.ndarray | None, is_reverse: bool
) -> tuple[np.ndarray, State]:
    """(the results of all steps, the states after the last); a row that is shorter keeps its state, and gives 0."""
    steps, batch, _ = layer.projected.shape
    y = np.zeros((steps, batch, state[0].shape[1]), layer.projected.dtype)
    for t in range(steps)[:: -1 if is_reverse else 1]:
        after = kind.step(layer, layer.projected[t], state)
        if lengths is None:
            state, y[t] = after, after[0]
        else:
            is_there = (t < lengths)[:, None]
            state = tuple(np.where(is_there, new, old) for new, old in zip(after, state, strict=True))
            y[t] = np.where(is_there, after[0], 0)
    return y, state


FUNCTIONS: dict[str, Any] = {"GRU": gru, "LSTM": lstm, "RNN": rnn}
