"""`python -m benchmarks.models`: ONNX files, by `fastconv.onnx` and by other engines on the same data.

    python -m benchmarks.models detector.onnx:1x3x640x640 classifier.onnx:1x3x48x192 --threads 1 2

Each engine has a process of its own, and they take turns, as in `benchmarks.race`. An engine whose first output is off
from ONNX Runtime's by more than OFF (in race/field.py) of the largest value is shown with a star, but does not count; a
ratio is the time of the fastest other engine over fastconv's. The file's sizes must be those of one input.

It needs the library onnx; PEERS_PYTHON may name the interpreter that has the other engines.
"""

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import headline
from benchmarks.common import THREADS
from benchmarks.engines.model import Model
from benchmarks.race import results
from benchmarks.race.__main__ import race
from benchmarks.race.engine import Engine
from benchmarks.race.field import installed, is_right
from benchmarks.race.rows import OURS

DOOR, ORACLE = "fastconv_onnx", "onnxruntime"
PEERS = ORACLE, "openvino"
WANTED = 1.1


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.models", description=headline(__doc__))
    told = "such as detector.onnx:1x3x640x640"
    parser.add_argument("models", nargs="+", type=case, metavar="FILE:SHAPE", help=told)
    parser.add_argument("--threads", type=int, nargs="+", default=THREADS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="of an engine's turn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    options = parser.parse_args(arguments)
    found = []
    for threads in options.threads:
        print(f"\nMilliseconds a call, {threads} thread{'s' * (threads > 1)}; * wrong")
        field = [Engine(name, threads) for name in (DOOR, *PEERS)]
        try:
            versions = installed(field)
            field = [engine for engine in field if engine.name in versions]
            print("\n" + results.head("ONNX files", [OURS, *PEERS]))
            for path, shape in options.models:
                found.append(raced(path, shape, field, threads, options))
                print(results.line(found[-1], [OURS, *PEERS], WANTED), flush=True)
        finally:
            for engine in field:
                engine.close()
    print(results.foot(found, WANTED))
    if options.json:
        options.json.write_text(json.dumps([result.record() for result in found], indent=1) + "\n")


def case(text):
    """(file, shape) of FILE:SHAPE."""
    path, _, sizes = text.rpartition(":")
    try:
        shape = tuple(map(int, sizes.split("x")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} has no sizes after a colon, as in net.onnx:1x3x224x224") from None
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {path!r}")
    return Path(path), shape


def raced(path, shape, field, threads, options):
    """The `Result` of a file."""
    result = results.Result("models", f"{path.stem} {'x'.join(map(str, shape))}", threads)
    with TemporaryDirectory() as name:
        folder, ready = Path(name), []
        save(path, shape, folder)
        for engine in field:
            if reason := engine.prepare(folder):
                result.errors[engine.name] = reason
            else:
                ready.append(engine)
        answers = {engine.name: np.load(folder / f"{engine.name}.npy") for engine in ready}
        result.wrong = [name for name, y in answers.items() if not is_right(y, answers.get(ORACLE, y))]
        race(result, ready, options.rounds, options.seconds)
    for values in (result.seconds, result.errors):
        if DOOR in values:
            values[OURS] = values.pop(DOOR)
    return result


def save(path, shape, folder):
    """Put a file into the folder as engines read it: of one input, called x, whose sizes are these."""
    import onnx
    from onnx import helper, shape_inference

    proto = onnx.load(path)
    known = {tensor.name for tensor in proto.graph.initializer}
    (given,) = (value.name for value in proto.graph.input if value.name not in known)
    read_as_x(proto.graph, given)
    inputs = [value for value in proto.graph.input if value.name in known]
    del proto.graph.input[:], proto.graph.output[1:]
    proto.graph.input.extend([helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape), *inputs])
    for axis in proto.graph.output[0].type.tensor_type.shape.dim:
        axis.Clear()  # what the file says may be for other sizes
    del proto.graph.value_info[:]
    onnx.save(shape_inference.infer_shapes(proto), folder / "model.onnx")
    x = np.random.default_rng(0).standard_normal(shape, np.float32)
    y = _result(folder / "model.onnx", x)
    Model([{"output": proto.graph.output[0].name}], {}, x, y.shape).save(folder)


def read_as_x(graph, given):
    """Have all nodes, those of branches too, read x where they read this input."""
    for node in graph.node:
        node.input[:] = ["x" if name == given else name for name in node.input]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                read_as_x(attribute.g, given)


def _result(path, x):
    import fastconv.onnx

    y = fastconv.onnx.load(path)(x)
    return y[0] if isinstance(y, tuple) else y


if __name__ == "__main__":
    main()
