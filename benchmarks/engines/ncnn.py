"""ncnn, from files in its own format; images of a batch one after the other, as it has no batches."""

import numpy as np


def version():
    import ncnn

    return ncnn.__version__


def prepare(model, threads):
    import ncnn

    text, weights = _in_its_format(model)
    files = model.folder / "ncnn.param", model.folder / "ncnn.bin"
    files[0].write_text(text)
    files[1].write_bytes(b"".join(map(bytes, weights)))
    net = ncnn.Net()
    net.opt.num_threads = threads
    for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{name}", False)
    if net.load_param(str(files[0])) or net.load_model(str(files[1])):
        raise RuntimeError("it cannot read the model")
    images = [ncnn.Mat(image).clone() for image in model.x]
    last = []

    def run():
        last.clear()
        for image in images:
            extractor = net.create_extractor()
            extractor.input("x", image)
            failed, y = extractor.extract(_name(model.output))
            if failed:
                raise RuntimeError(f"it ends with {failed}")
            last.append(y)

    return run, lambda: np.stack([np.array(y) for y in last]).reshape(model.y_shape)


def _name(tensor):
    return tensor.replace(" ", "_")


def _in_its_format(model):
    """(the text of a .param file, the pieces of a .bin file)."""
    _, channels, height, width = model.x.shape
    lines, blobs, weights, readers = [], 0, [], model.readers()
    copies = {}  # {tensor: names not taken yet of what a Split makes of it}

    def layer(kind, inputs, output, options):
        nonlocal blobs
        y, count = _name(output), readers[output]
        names = [copies[name].pop() if name in copies else _name(name) for name in inputs]
        told = [f"{key}={value}" for key, value in options.items()]
        lines.append(" ".join([kind, y, str(len(inputs)), "1", *names, y, *told]))
        blobs += 1
        if count > 1:
            copies[output] = [f"{y}_{i}" for i in range(count)]
            lines.append(" ".join(["Split", f"{y}_copies", "1", str(count), y, *copies[output]]))
            blobs += count

    layer("Input", [], "x", {0: width, 1: height, 2: channels})
    fused = _fused_relus(model, readers)
    for node in model.nodes:
        if node["output"] in fused.values():
            continue
        output, inputs = node["output"], [name for name in node["inputs"] if name not in model.arrays]
        arrays = [model.arrays[name] for name in node["inputs"] if name in model.arrays]
        kind, options, *pieces = LAYERS[node["op"]](node["attributes"], *arrays)
        weights += pieces
        if output in fused:
            output, options = fused[output], options | {9: 1}
        layer(kind, inputs, output, options)
    return f"7767517\n{len(lines)} {blobs}\n" + "\n".join(lines) + "\n", weights


def _fused_relus(model, readers):
    """{output of a convolution or product: that of the ReLU which alone reads it}."""
    convs = {node["output"] for node in model.nodes if node["op"] in ("Conv", "Gemm")}
    relus = {node["inputs"][0]: node["output"] for node in model.nodes if node["op"] == "Relu"}
    return {x: y for x, y in relus.items() if x in convs and readers[x] == 1}


_PLAIN = bytes(4)  # before a weight of float32


def _conv(attributes, weight, *bias):
    top, left, bottom, right = attributes["pads"]
    (r, s), (down, across) = attributes["kernel_shape"], attributes["strides"]
    (down_dilation, across_dilation), groups = attributes["dilations"], attributes["group"]
    options = {0: len(weight), 1: s, 11: r, 2: across_dilation, 12: down_dilation, 3: across, 13: down}
    options |= {4: left, 15: right, 14: top, 16: bottom, 5: len(bias), 6: weight.size}
    kind, grouped = ("ConvolutionDepthWise", {7: groups}) if groups > 1 else ("Convolution", {})
    return kind, options | grouped, _PLAIN, weight, *bias


def _gemm(attributes, weight, *bias):
    return "InnerProduct", {0: len(weight), 1: len(bias), 2: weight.size}, _PLAIN, weight, *bias


def _batch_norm(attributes, scale, shift, mean, variance):
    return "Scale", {0: len(scale), 1: 1}, scale, shift


def _pool(attributes, kind):
    top, left, bottom, right = attributes["pads"]
    (r, s), (down, across) = attributes["kernel_shape"], attributes["strides"]
    is_floor, counts = not attributes.get("ceil_mode", 0), attributes.get("count_include_pad", 0)
    options = {0: kind, 1: s, 11: r, 2: across, 12: down, 3: left, 14: right, 13: top, 15: bottom}
    return "Pooling", options | {5: int(is_floor), 6: counts}


def _lrn(attributes):
    return "LRN", dict(enumerate((0, *(attributes[name] for name in ("size", "alpha", "beta", "bias")))))


LAYERS = {  # each: attributes, constants → (kind, options by number, what is written of the constants)
    "Add": lambda attributes: ("BinaryOp", {0: 0}),
    "AveragePool": lambda attributes: _pool(attributes, 1),
    "BatchNormalization": _batch_norm,
    "Clip": lambda attributes, low, high: ("Clip", {0: float(low), 1: float(high)}),
    "Concat": lambda attributes: ("Concat", {0: 0}),
    "Conv": _conv,
    "Flatten": lambda attributes: ("Flatten", {}),
    "Gemm": _gemm,
    "GlobalAveragePool": lambda attributes: ("Pooling", {0: 1, 4: 1}),
    "GlobalMaxPool": lambda attributes: ("Pooling", {0: 0, 4: 1}),
    "LRN": _lrn,
    "MaxPool": lambda attributes: _pool(attributes, 0),
    "Relu": lambda attributes: ("ReLU", {}),
    "Softmax": lambda attributes: ("Softmax", {0: 0, 1: 1}),
}
