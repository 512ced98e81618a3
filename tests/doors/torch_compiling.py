"""What tests of `torch.compile(backend="fastconv")` share."""

import torch
from torch import nn

import fastconv.torch


class Ran:
    """What was counted since it was made."""

    def __init__(self):
        self._before = fastconv.torch.counts()

    def __getattr__(self, name):
        return getattr(fastconv.torch.counts(), name) - getattr(self._before, name)


def small(channels=4):
    layers = nn.Conv2d(3, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
    return nn.Sequential(*layers).eval()


def compiled(function, **options):
    return torch.compile(function, backend="fastconv", **options)


def close(result, wanted):
    """Check results against eager's: values, dtype and exactly the strides."""
    for y, like in zip(many(result), many(wanted), strict=True):
        assert y.dtype == like.dtype
        assert y.stride() == like.stride()
        torch.testing.assert_close(y, like, rtol=1e-4, atol=1e-5)


def many(results):
    return results if isinstance(results, tuple | list) else (results,)


def image(*shape):
    return torch.randn(*(shape or (2, 3, 8, 8)))


def seeded(*shape):
    """The same numbers for the same shape."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def ways(net, args):
    """What `torch.compile` and `convert` make of a module."""
    torch._dynamo.reset()
    yield torch.compile(net, backend="fastconv", dynamic=False, fullgraph=True)
    yield fastconv.torch.convert(net, args)
