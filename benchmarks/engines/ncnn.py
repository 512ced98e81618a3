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
    files[1].write_bytes(b"".join(weights))
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
        kind, options = _LAYERS[node["op"]](node["attributes"])
        output, inputs = node["output"], [name for name in node["inputs"] if name not in model.arrays]
        arrays = [model.arrays[name] for name in node["inputs"] if name in model.arrays]
        if arrays:
            options |= {0: len(arrays[0]), 5 if node["op"] == "Conv" else 1: len(arrays) - 1, 6: arrays[0].size}
            weights += [bytes(4), *(array.tobytes() for array in arrays)]  # four zeros: plain float32
        if output in fused:
            output, options = fused[output], options | {9: 1}
        layer(kind, inputs, output, options)
    return f"7767517\n{len(lines)} {blobs}\n" + "\n".join(lines) + "\n", weights


def _fused_relus(model, readers):
    """{output of a convolution: that of the ReLU which alone reads it}."""
    convs = {node["output"] for node in model.nodes if node["op"] == "Conv"}
    relus = {node["inputs"][0]: node["output"] for node in model.nodes if node["op"] == "Relu"}
    return {x: y for x, y in relus.items() if x in convs and readers[x] == 1}


def _conv(attributes):
    top, left, bottom, right = attributes["pads"]
    (r, s), (down, across) = attributes["kernel_shape"], attributes["strides"]
    (down_dilation, across_dilation), groups = attributes["dilations"], attributes["group"]
    options = {1: s, 11: r, 2: across_dilation, 12: down_dilation, 3: across, 13: down}
    options |= {4: left, 15: right, 14: top, 16: bottom}
    return ("ConvolutionDepthWise", options | {7: groups}) if groups > 1 else ("Convolution", options)


def _pool(kind):
    def options(attributes):
        top, left, bottom, right = attributes["pads"]
        (r, s), (down, across) = attributes["kernel_shape"], attributes["strides"]
        floor = not attributes.get("ceil_mode", 0)
        return "Pooling", {
            **{0: kind, 1: s, 11: r, 2: across, 12: down, 3: left, 14: right, 13: top, 15: bottom},
            **{5: int(floor), 6: attributes.get("count_include_pad", 0)},
        }

    return options


_LAYERS = {  # each: attributes → (kind, options by number)
    "Conv": _conv,
    "MaxPool": _pool(0),
    "AveragePool": _pool(1),
    "GlobalAveragePool": lambda attributes: ("Pooling", {0: 1, 4: 1}),
    "Concat": lambda attributes: ("Concat", {0: 0}),
    "Add": lambda attributes: ("BinaryOp", {0: 0}),
    "Relu": lambda attributes: ("ReLU", {}),
}
