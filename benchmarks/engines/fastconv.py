"""fastconv: the plan itself, NHWC."""

import pickle

import numpy as np


def version():
    import fastconv

    return fastconv.__version__


def nchw(y):
    return y.transpose(0, 3, 1, 2) if y.ndim == 4 else y


def prepare(model, threads):
    plan = pickle.loads((model.folder / "plan.pickle").read_bytes())  # made for as many threads
    x = np.ascontiguousarray(model.x.transpose(0, 2, 3, 1))
    y = plan(x)
    return lambda: plan(x, out=y), lambda: nchw(y)
