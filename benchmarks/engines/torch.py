"""PyTorch, channels last: eager, and compiled with frozen weights, which needs a C++ compiler."""


def version():
    import torch

    return torch.__version__


def eager(model, threads):
    import torch

    return _running(torch.inference_mode()(_module(model).forward), model, threads)


def compiled(model, threads):
    import torch
    import torch._inductor.config as config

    config.freezing = True
    torch._dynamo.reset()
    return _running(torch.no_grad()(torch.compile(_module(model), fullgraph=True, dynamic=False)), model, threads)


def _running(forward, model, threads):
    import torch

    torch.set_num_threads(threads)
    x = torch.from_numpy(model.x).to(memory_format=torch.channels_last)
    last = []

    def run():
        last[:] = [forward(x)]

    return run, lambda: last[0].numpy()


def _module(model):
    import torch

    names = {name: f"array{i}" for i, name in enumerate(model.arrays)}  # which may have dots
    arrays = {names[name]: array for name, array in model.arrays.items() if array.ndim}
    numbers = {names[name]: float(array) for name, array in model.arrays.items() if not array.ndim}
    readers, steps = model.readers(), []
    for node in model.nodes:
        is_last = readers[node["inputs"][0]] == 1 and node["inputs"][0] != "x"
        inputs = [names.get(name, name) for name in node["inputs"]]
        steps.append((node["op"], inputs, node["output"], node["attributes"], is_last))

    class Row(torch.nn.Module):
        """The nodes one after the other."""

        def __init__(self):
            super().__init__()
            for name, array in arrays.items():
                tensor = torch.from_numpy(array)
                tensor = tensor.to(memory_format=torch.channels_last) if array.ndim == 4 else tensor
                self.register_buffer(name, tensor)

        def forward(self, x):
            values = {"x": x, **numbers}
            for op, inputs, output, attributes, is_last in steps:
                given = [getattr(self, name) if name in arrays else values[name] for name in inputs]
                values[output] = _apply(op, given, attributes, is_last)
            return values[model.output]

    return Row().eval()


def _apply(op, inputs, attributes, is_last):
    """The result of a node; `is_last` says that nothing else reads its first input."""
    import torch
    from torch.nn import functional

    x = inputs[0]
    if op in ("Conv", "MaxPool", "AveragePool"):
        strides, (top, left, bottom, right) = attributes["strides"], attributes["pads"]
        padding = top, left
        if padding != (bottom, right):
            x = functional.pad(x, (left, right, top, bottom), value=float("-inf") if op == "MaxPool" else 0)
            padding = 0
        if op == "Conv":
            weight, bias = (*inputs[1:], None)[:2]
            return functional.conv2d(x, weight, bias, strides, padding, attributes["dilations"], attributes["group"])
        options = {"ceil_mode": bool(attributes.get("ceil_mode", 0))}
        if op == "MaxPool":
            return functional.max_pool2d(x, attributes["kernel_shape"], strides, padding, **options)
        options["count_include_pad"] = bool(attributes["count_include_pad"])
        return functional.avg_pool2d(x, attributes["kernel_shape"], strides, padding, **options)
    if op == "BatchNormalization":
        scale, shift, mean, variance = inputs[1:]
        return functional.batch_norm(x, mean, variance, scale, shift, eps=attributes["epsilon"])
    if op == "LRN":
        size, alpha, beta, bias = (attributes[name] for name in ("size", "alpha", "beta", "bias"))
        return functional.local_response_norm(x, size, alpha, beta, bias)
    others = {
        "Add": lambda: x + inputs[1],
        "Clip": lambda: torch.clamp(x, *inputs[1:]),
        "Concat": lambda: torch.cat(inputs, 1),
        "Flatten": lambda: torch.flatten(x, 1),
        "Gemm": lambda: functional.linear(x, *inputs[1:]),
        "GlobalAveragePool": lambda: x.mean((2, 3), keepdim=True),
        "GlobalMaxPool": lambda: x.amax((2, 3), keepdim=True),
        "Relu": lambda: functional.relu(x, inplace=is_last),
        "Softmax": lambda: torch.softmax(x, 1),
    }
    return others[op]()
