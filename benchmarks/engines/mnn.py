"""MNN, as it comes and, since its large Winograd tiles round much, with smaller ones."""

import numpy as np

_WINOGRAD_MEMORY, _LITTLE = 3, 1  # a session's hint; with little memory only small tiles are tried


def version():
    import MNN

    return MNN.version()


def prepare(model, threads, hints=()):
    import MNN
    from _tools import mnnconvert  # what the command does, without its report of the call

    path = model.folder / "model.mnn"
    if not path.exists():
        files = "--modelFile", str(model.onnx()), "--MNNModel", str(path)
        mnnconvert(["mnnconvert", "-f", "ONNX", *files, "--bizCode", "race"])
    net = MNN.Interpreter(str(path))
    for hint, value in hints:
        net.setSessionHint(hint, value)
    session = net.createSession({"numThread": threads, "precision": "high", "backend": "CPU"})

    def host(array):
        return MNN.Tensor(array.shape, MNN.Halide_Type_Float, array, MNN.Tensor_DimensionType_Caffe)

    net.getSessionInput(session).copyFrom(host(model.x))

    def result():
        y = host(np.zeros(model.y_shape, np.float32))
        net.getSessionOutput(session).copyToHostTensor(y)
        return np.array(y.getData(), np.float32).reshape(model.y_shape)

    return lambda: net.runSession(session), result


def exact(model, threads):
    return prepare(model, threads, [(_WINOGRAD_MEMORY, _LITTLE)])
