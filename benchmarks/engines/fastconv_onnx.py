"""What fastconv's door for ONNX makes of the file, in the file's own layout."""


def version():
    import onnx

    import fastconv

    return f"{fastconv.__version__} with onnx {onnx.__version__}"


def prepare(model, threads):
    import fastconv.onnx

    net, last = fastconv.onnx.load(model.onnx(), num_threads=threads), []

    def run():
        last[:] = [net(model.x)]

    return run, lambda: last[0][0] if isinstance(last[0], tuple) else last[0]
