"""One engine in a process of its own, for race.py: `python engines.py ENGINE THREADS FOLDER`.

Each line that it reads is JSON, a convolution to prepare or for how many seconds to run it; each line that it writes
answers: whether it is ready, its output in FOLDER/ENGINE.npy, or the median time of a call. The interpreter may be one
that has neither fastconv nor asv: so this is a script, and an engine is imported only where it is used.

An adapter takes a convolution, {"stride", "padding", "groups", "algorithm"}, its x (H, W, C), weight (R, S, C / groups,
K) and bias, and the number of threads; it returns a call, and a function that gives what was computed as (P, Q, K).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np


def data(work):
    """x, weight and bias of a convolution: normal and in the range of a network's, the same in every process."""
    rng = np.random.default_rng(0)
    x, weight, bias = (
        rng.standard_normal(shape, np.float32) for shape in (work["x"], work["weight"], work["weight"][3:])
    )
    return np.maximum(x, 0), weight * np.float32(np.sqrt(2 / np.prod(weight.shape[:3]))), bias


def fastconv(work, x, weight, bias, threads):
    import fastconv as fc

    options = {name: work[name] for name in ("stride", "padding", "groups", "algorithm")}
    plan = fc.Conv2d(weight, bias, activation="relu", num_threads=threads, **options)
    out = plan(x)
    return lambda: plan(x, out=out), lambda: out


def torch(work, x, weight, bias, threads):
    import torch as pt
    from torch.nn.functional import conv2d, relu_

    pt.set_num_threads(threads)
    x, weight = (
        pt.from_numpy(a).to(memory_format=pt.channels_last) for a in (_nchw(x)[None], weight.transpose(3, 2, 0, 1))
    )
    bias, geometry = pt.from_numpy(bias), (work["stride"], work["padding"], 1, work["groups"])

    @pt.inference_mode()
    def run():
        return relu_(conv2d(x, weight, bias, *geometry))

    return run, lambda: _nhwc(run().numpy()[0])


def onnxruntime(work, x, weight, bias, threads):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(_onnx(work, weight, bias), options, providers=["CPUExecutionProvider"])
    x = _nchw(x)[None]
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", ort.OrtValue.ortvalue_from_numpy(x))
    (y,) = session.run(None, {"x": x})
    binding.bind_ortvalue_output("y", ort.OrtValue.ortvalue_from_numpy(y))
    return lambda: session.run_with_iobinding(binding), lambda: _nhwc(y[0])


def openvino(work, x, weight, bias, threads):
    import openvino as ov

    core = ov.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(_onnx(work, weight, bias)), "CPU", settings)
    request = compiled.create_infer_request()
    request.set_input_tensor(ov.Tensor(_nchw(x)[None]))
    return request.infer, lambda: _nhwc(request.get_output_tensor().data[0])


def ncnn(work, x, weight, bias, threads):
    import ncnn as nn

    net, groups = nn.Net(), work["groups"]
    net.opt.num_threads = threads
    for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{name}", False)
    (height, width, channels), (r, _, _, k) = x.shape, weight.shape
    kind = "ConvolutionDepthWise" if groups > 1 else "Convolution"
    geometry = f"0={k} 1={r} 3={work['stride']} 4={work['padding']} 5=1 6={weight.size} 7={groups} 9=1"
    layers = f"Input x 0 1 x 0={width} 1={height} 2={channels}", f"{kind} y 1 1 x y {geometry}"
    files = work["folder"] / "ncnn.param", work["folder"] / "ncnn.bin"
    files[0].write_text("7767517\n2 2\n" + "\n".join(layers) + "\n")  # ncnn's magic number; layers and blobs
    files[1].write_bytes(bytes(4) + weight.transpose(3, 2, 0, 1).tobytes() + bias.tobytes())  # 0: plain float32
    net.load_param(str(files[0]))
    net.load_model(str(files[1]))
    planes = nn.Mat(width, height, channels)
    np.asarray(planes)[...] = _nchw(x)

    def run():
        extractor = net.create_extractor()
        extractor.input("x", planes)
        return extractor.extract("y")[1]

    return run, lambda: _nhwc(np.array(run()))


def mnn(work, x, weight, bias, threads):
    import MNN

    source, model = work["folder"] / "mnn.onnx", work["folder"] / "mnn.mnn"
    source.write_bytes(_onnx(work, weight, bias))
    convert = Path(sys.executable).with_name("mnnconvert"), "-f", "ONNX", "--bizCode", "race"
    subprocess.run([*convert, "--modelFile", source, "--MNNModel", model], check=True, stdout=subprocess.DEVNULL)
    net = MNN.Interpreter(str(model))
    session = net.createSession({"numThread": threads, "precision": "high", "backend": "CPU"})

    def host(array):
        return MNN.Tensor(array.shape, MNN.Halide_Type_Float, array, MNN.Tensor_DimensionType_Caffe)

    net.getSessionInput(session).copyFrom(host(_nchw(x)[None]))

    def result():
        y = net.getSessionOutput(session)
        copy = host(np.zeros(y.getShape(), np.float32))
        y.copyToHostTensor(copy)
        return _nhwc(np.array(copy.getData()).reshape(y.getShape())[0])

    return lambda: net.runSession(session), result


ENGINES = {function.__name__: function for function in (fastconv, torch, onnxruntime, openvino, ncnn, mnn)}


def _nchw(x):
    return np.ascontiguousarray(x.transpose(2, 0, 1))


def _nhwc(y):
    return y.transpose(1, 2, 0)


def _onnx(work, weight, bias):
    """The convolution and its ReLU as a model in ONNX's format."""
    from onnx import TensorProto, helper, numpy_helper

    (height, width, channels), (r, s, _, k) = work["x"], weight.shape
    geometry = {"strides": 2 * [work["stride"]], "pads": 4 * [work["padding"]], "group": work["groups"]}
    nodes = [
        helper.make_node("Conv", ["x", "weight", "bias"], ["sums"], kernel_shape=[r, s], **geometry),
        helper.make_node("Relu", ["sums"], ["y"]),
    ]
    kept = {"weight": np.ascontiguousarray(weight.transpose(3, 2, 0, 1)), "bias": bias}
    rows, cols = ((size + 2 * work["padding"] - r) // work["stride"] + 1 for size in (height, width))
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name, shape in (("x", (1, channels, height, width)), ("y", (1, k, rows, cols)))
    )
    initializers = [numpy_helper.from_array(array, name) for name, array in kept.items()]
    graph = helper.make_graph(nodes, "convolution", inputs, outputs, initializers)
    opset = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def seconds_a_call(run, seconds):
    """The median over calls made for so many seconds, after two that warm up."""
    run()
    run()
    times, end = [], perf_counter() + seconds
    while len(times) < 5 or perf_counter() < end:
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return median(times)


def main():
    engine, threads, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # some engines chatter on the standard output: not among the answers
    for line in sys.stdin:
        asked = json.loads(line)
        if isinstance(asked, dict):
            try:
                run, result = ENGINES[engine](asked | {"folder": folder}, *data(asked), threads)
                run()
                np.save(folder / f"{engine}.npy", result())
                answer = {"ready": True}
            except Exception as error:  # whatever it is: the row goes on without this engine, and says why
                answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        else:
            answer = seconds_a_call(run, asked)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
