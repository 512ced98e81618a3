"""Damages ONNX models at random: `python tests/doors/fuzz_onnx.py [--seconds S] [--seed N]`.

A damaged model must load and run, or raise a ValueError that says why. Everything else is printed with its seed, and
the exit code is 1. Memory is limited, since a damaged size may ask for any amount.
"""

import argparse
import random
import resource
import signal
import sys
import time
import traceback
import warnings

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx_models import model, one

import fastconv

BYTES = 6 * 2**30  # of address space, of which the teams' stacks take some
LONGEST = 20  # seconds of one model
RNG = np.random.default_rng(0)
X = RNG.standard_normal((1, 4, 9, 10), np.float32)
NUMBERS = (-(2**63), -(2**31), -1000, -2, -1, 0, 1, 2, 3, 7, 1000, 2**20, 2**31, 2**40, 2**63 - 1)


def normal(*shape):
    return RNG.standard_normal(shape, np.float32)


def network():
    """Operators of every kind, one after the other."""
    weights = {
        "w": normal(4, 4, 3, 3), "b": normal(4), "v": np.abs(normal(4)), "t": normal(4, 3, 2, 2), "g": normal(5, 3),
        "s": np.array([1, 1, 2, 2], np.float32), "shape": np.array([1, -1]), "axes": np.array([2, 3]),
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "low": np.float32(0), "high": np.float32(6),
        "from": np.array([0]), "to": np.array([4]), "axis": np.array([1]),
    }  # fmt: skip
    nodes = [
        ("Conv", "x w b", "1", {"pads": [1, 1, 1, 1], "strides": [1, 1], "group": 1}),
        ("BatchNormalization", "1 b b b v", "2", {}),
        ("Clip", "2 low high", "3", {}),
        ("Add", "3 x", "4", {}),
        ("MaxPool", "4", "5", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1, "dilations": [1, 1]}),
        ("AveragePool", "5", "6", {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER"}),
        ("Concat", "5 6", "7", {"axis": 1}),
        ("Split", "7", "8 9", {"axis": 1, "num_outputs": 2}),
        ("Resize", "8  s", "10", {"mode": "nearest"}),
        ("Pad", "9 pads", "11", {"mode": "reflect"}),
        ("Slice", "11 from to axis", "12", {}),
        ("ConvTranspose", "12 t", "13", {"strides": [2, 2]}),
        ("Softmax", "13", "14", {"axis": 1}),
        ("LRN", "14", "15", {"size": 3}),
        ("ReduceMean", "15 axes", "16", {"keepdims": 0}),
        ("Gemm", "16 g", "17", {"transB": 1}),
        ("Reshape", "17 shape", "18", {}),
        ("Transpose", "10", "19", {"perm": [0, 2, 3, 1]}),
        ("Erf", "19", "20", {}),
    ]
    nodes[8] = (helper.make_node("Resize", ["8", "", "s"], ["10"], mode="nearest"), None, None, None)
    return model(nodes, weights, outputs=["18", "20"])


def sounds():
    """Recurrent layers, a choice between branches, and what reads and writes at places that are values."""
    weights = {
        "flat": np.array([1, 4, 90]), "k": normal(6, 4, 3), "w": normal(2, 16, 6), "r": normal(2, 16, 4),
        "b": normal(2, 32), "gw": normal(1, 9, 6), "gr": normal(1, 9, 3), "zero": np.float32(0), "two": np.array([2]),
        "grid": normal(1, 3, 3, 2), "rows": np.zeros((1, 6, 5), int), "few": np.float32(0.3),
        "boxes": np.abs(normal(1, 30, 4)), "shape": np.array([1, 2, 4, 1]), "pads": np.array([0, 1, 0, 0, 2, 0]),
    }  # fmt: skip
    float_ = onnx.TensorProto.FLOAT
    ends = [helper.make_tensor_value_info(name, float_, None) for name in ("p", "n")]
    product, sign = helper.make_node("MatMul", ["h", "u"], ["p"]), helper.make_node("Neg", ["h"], ["n"])
    branches = {
        "then_branch": helper.make_graph([product], "then", [], ends[:1]),
        "else_branch": helper.make_graph([sign], "else", [], ends[1:], [numpy_helper.from_array(normal(1), "o")]),
    }
    nodes = [
        ("Reshape", "x flat", "s", {}),
        ("Conv", "s k", "c", {"strides": [3], "pads": [1, 1]}),
        ("Transpose", "c", "t", {"perm": [2, 0, 1]}),
        ("LSTM", "t w r b", "l h e", {"hidden_size": 4, "direction": "bidirectional"}),
        ("GRU", "t gw gr", "g", {"hidden_size": 3, "linear_before_reset": 1}),
        ("ReduceMean", "e", "m", {"keepdims": 0}),
        ("Greater", "m zero", "q", {}),
        ("Transpose", "h", "u", {"perm": [0, 2, 1]}),
        ("If", "q", "1", branches),
        ("TopK", "c two", "2 3", {"axis": 1}),
        ("GatherElements", "c rows", "4", {"axis": 2}),
        ("ScatterElements", "c rows 4", "5", {"axis": 2, "reduction": "add"}),
        ("GridSample", "x grid", "6", {"mode": "cubic"}),
        ("NonMaxSuppression", "boxes c two few", "7", {}),
        ("Pad", "t pads", "8", {}),
        ("CumSum", "8 two", "9", {}),
    ]
    return model(nodes, weights, outputs=["g", "1", "3", "5", "6", "7", "9"])


def halves():
    """In float16, with a weight that a node gives, a choice between branches and a node that reads nothing."""
    half = onnx.TensorProto.FLOAT16
    weight, grid = normal(32, 1, 3, 3).astype(np.float16), normal(1, 3, 3, 2).astype(np.float16)
    ends = [helper.make_tensor_value_info(name, half, None) for name in ("p", "n")]
    doubled, sign = helper.make_node("Mul", ["a", "o"], ["p"]), helper.make_node("Neg", ["a"], ["n"])
    branches = {
        "then_branch": helper.make_graph([doubled], "then", [], ends[:1], [numpy_helper.from_array(weight[0, 0], "o")]),
        "else_branch": helper.make_graph([sign], "else", [], ends[1:]),
    }
    nodes = [
        (helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(weight)), None, None, None),
        ("Conv", "x v", "c", {}),
        ("Conv", "c w", "d", {"group": 16}),
        ("GridSample", "d g", "a", {"mode": "linear", "padding_mode": "reflection"}),
        ("If", "q", "b", branches),
        ("RandomNormal", "", "r", {"shape": [3, 3], "dtype": half}),
        ("Add", "b r", "e", {}),
        ("LogSoftmax", "e", "f", {"axis": 2}),
        ("Cast", "f", "h", {"to": onnx.TensorProto.FLOAT}),
    ]
    weights = {"v": normal(16, 4, 3, 3).astype(np.float16), "g": grid, "q": np.array(True)}
    proto = model(nodes, weights, outputs=["f", "h"], dtype=half)
    for info, kind in zip(proto.graph.output, (half, onnx.TensorProto.FLOAT), strict=True):
        info.type.tensor_type.elem_type = kind
    return proto


SEEDS = [network(), sounds(), halves(), one("Conv", X, normal(4, 4, 3, 3)), one("Upsample", X, normal(4) ** 2, opset=9)]


def damaged(rng):
    """A damaged model, as a ModelProto or bytes."""
    proto = onnx.ModelProto()
    proto.CopyFrom(rng.choice(SEEDS))
    if rng.random() < 0.3:
        return _bytes(rng, proto.SerializeToString())
    for _ in range(rng.randint(1, 3)):
        try:
            rng.choice(CHANGES)(rng, proto)
        except (IndexError, ValueError, TypeError):  # nothing there to change, or it cannot be so in a ModelProto
            continue
    return proto


def _bytes(rng, content):
    content = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        i, j = sorted(rng.randrange(len(content)) for _ in range(2))
        kind = rng.randrange(5)
        if kind == 0:
            content[i] = rng.randrange(256)
        elif kind == 1:
            content[i] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del content[i : min(j, i + 20)]
        elif kind == 3:
            content[i:i] = content[i : min(j, i + 20)]
        else:
            del content[max(j, 50) :]
    return bytes(content)


def _node(rng, proto):
    nodes = [*proto.graph.node]
    for node in proto.graph.node:
        nodes += [inner for one in node.attribute for inner in one.g.node]
    return rng.choice(nodes)


def _attribute(rng, proto):
    attribute = rng.choice(_node(rng, proto).attribute)
    if attribute.type == onnx.AttributeProto.INTS:
        if attribute.ints and rng.random() < 0.7:
            attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(NUMBERS)
        else:
            attribute.ints.append(rng.choice(NUMBERS))
    elif attribute.type == onnx.AttributeProto.STRING:
        attribute.s = rng.choice([b"", b"\xff", b"VALID", b"SAME_LOWER", b"linear", b"cubic", b"edge", b"wrap"])
    else:
        attribute.i = rng.choice(NUMBERS)


def _new_attribute(rng, proto):
    name = rng.choice(
        ["axis", "perm", "pads", "dilations", "group", "strides", "auto_pad", "to", "mode", "foo", "axes"]
    )
    value = rng.choice(
        [rng.choice(NUMBERS), [rng.choice(NUMBERS) for _ in range(rng.randint(1, 5))], 0.5, "SAME_LOWER"]
    )
    _node(rng, proto).attribute.append(helper.make_attribute(name, value))


def _kind(rng, proto):
    kinds = (
        "Relu Conv Gemm MatMul MaxPool Reshape Concat Softmax Transpose Shape NonZero Loop Cast Einsum TopK Tile Expand"
    )
    _node(rng, proto).op_type = rng.choice(
        [*kinds.split(), "Range", "GRU", "LSTM", "If", "OneHot", "Unsqueeze", "Gather", "Mul", "Nix"]
    )


def _input(rng, proto):
    node = _node(rng, proto)
    names = ["x", "", "nowhere", *(t.name for t in proto.graph.initializer), *(n.output[0] for n in proto.graph.node)]
    node.input[rng.randrange(len(node.input))] = rng.choice(names)


def _drop(rng, proto):
    things = rng.choice([proto.graph.node, proto.graph.initializer, proto.graph.input, proto.graph.output,
                         _node(rng, proto).input, _node(rng, proto).output, proto.opset_import])  # fmt: skip
    del things[rng.randrange(len(things))]


def _tensor(rng, proto):
    given = [one.t for node in proto.graph.node for one in node.attribute if one.type == onnx.AttributeProto.TENSOR]
    tensor = rng.choice([*proto.graph.initializer, *given])
    kind = rng.randrange(4)
    if kind == 0:
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(NUMBERS)
    elif kind == 1:
        tensor.data_type = rng.randrange(30)
    elif kind == 2:
        tensor.raw_data = bytes(rng.randrange(256) for _ in range(len(tensor.raw_data)))
    else:
        tensor.raw_data = tensor.raw_data[: rng.randrange(len(tensor.raw_data))]


def _opset(rng, proto):
    proto.opset_import[0].version = rng.choice([*range(7, 30), *NUMBERS])


def _duplicate(rng, proto):
    proto.graph.node.append(_node(rng, proto))


CHANGES = [_attribute, _attribute, _new_attribute, _kind, _input, _input, _drop, _tensor, _tensor, _opset, _duplicate]


def attempt(seed):
    """What a damaged model of this seed ends with: "ran", "refused", or the traceback of what is no ValueError."""
    rng = random.Random(seed)
    given = damaged(rng)
    signal.alarm(LONGEST)
    try:
        net = fastconv.onnx.load(given)
        inputs = {
            one.name: X.astype(one.dtype) if one.dtype in (np.float16, np.float32) else np.zeros(3, one.dtype)
            for one in net.graph.inputs
        }
        net(inputs)
    except ValueError as error:
        return "refused" if str(error) else "a ValueError without a word"
    except TypeError as error:
        return (
            "refused" if "must have dtype" in str(error) or "must be an array" in str(error) else traceback.format_exc()
        )
    except BaseException:
        return traceback.format_exc()
    finally:
        signal.alarm(0)
    return "ran"


def _too_long(signum, frame):
    raise TimeoutError(f"one model took longer than {LONGEST} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0, help="of the first model; the next have the next numbers")
    parser.add_argument("--models", type=int, default=2**62, help="at most so many")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.signal(signal.SIGALRM, _too_long)
    warnings.simplefilter("ignore")
    counts, end, seed = {"ran": 0, "refused": 0, "wrong": 0}, time.monotonic() + options.seconds, options.seed
    while time.monotonic() < end and seed < options.seed + options.models:
        outcome = attempt(seed)
        if outcome not in counts:
            print(f"seed {seed}: {outcome}", flush=True)
            outcome = "wrong"
        counts[outcome] += 1
        seed += 1
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return min(counts["wrong"], 1)


if __name__ == "__main__":
    sys.exit(main())
