"""Tensors and modes that say themselves what operators do: `convert` leaves their calls to PyTorch, others not."""

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map
from torch_compiling import Ran, close, image, small

import fastconv.torch

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


class Named(torch.Tensor):
    """Another name alone, which results have too."""


class Doubled(torch.Tensor):
    """With convolutions that give twice as much."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        result = super().__torch_function__(function, types, args, kwargs or {})
        return 2 * result if function is torch.conv2d else result


class Negative(torch.Tensor):
    """A tensor that has the negative values of another, as quantised weights have other ones."""

    @staticmethod
    def __new__(cls, held):
        return torch.Tensor._make_wrapper_subclass(cls, held.shape, dtype=held.dtype, strides=held.stride())

    def __init__(self, held):
        self.held = held

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        if function is torch.ops.aten.detach.default:
            return cls(args[0].held)
        opened = tree_map(lambda one: -one.held if isinstance(one, cls) else one, (args, kwargs or {}))
        return function(*opened[0], **opened[1])


class DoublingMode(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        return 2 * result if function is torch.conv2d else result


def plain(x):
    return x.as_subclass(torch.Tensor)


@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("kind", [Named, Doubled])
def test_arguments(kind, is_first):
    """In any order of the calls, and as the example."""
    net, x = small().requires_grad_(False), image()
    other, ran = x.as_subclass(kind), Ran()
    converted = fastconv.torch.convert(net, other if is_first else x)
    for one in (other, x, other) if is_first else (x, other, x):
        y, wanted = converted(one), net(one)
        assert type(y) is type(wanted)
        close(plain(y), plain(wanted))
    assert (ran.plans, ran.left) == ((1, 2) if is_first else (2, 1))


@pytest.mark.parametrize("change", [torch.Tensor.to_sparse, torch.Tensor.to_mkldnn])
def test_other_layouts(change):
    class Dense(nn.Conv2d):
        def forward(self, x):
            return super().forward(x if x.layout is torch.strided else x.to_dense())

    net, x, ran = Dense(3, 4, 1).eval(), image(), Ran()
    converted = fastconv.torch.convert(net, x)
    for one in change(x), x:
        close(converted(one), net(x))
    assert (ran.plans, ran.left) == (1, 1)


@pytest.mark.parametrize("is_first", [False, True])
def test_weights(is_first):
    net, x, ran = small().requires_grad_(False), image(), Ran()
    weights = net[0].weight, nn.Parameter(Negative(net[0].weight), requires_grad=False)
    net[0].weight = weights[is_first]
    converted = fastconv.torch.convert(net, x)
    for i in range(3):
        net[0].weight = weights[(i + is_first) % 2]
        close(converted(x), net(x))
    assert (ran.plans, ran.left) == ((1, 2) if is_first else (2, 1))


def test_weights_of_a_module_with_random_numbers():
    """Of which PyTorch runs the trace."""
    net, x = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Dropout(1.0)).eval().requires_grad_(False), image()
    net[1].train()
    converted = fastconv.torch.convert(net, x)
    close(converted(x), net(x))
    net[0].weight = nn.Parameter(net[0].weight.as_subclass(Named), requires_grad=False)
    y, wanted = converted(x), net(x)
    assert type(y) is type(wanted) is Named


def test_a_tensor_that_is_no_parameter():
    class Scaled(nn.Conv2d):
        def forward(self, x):
            return super().forward(x) * self.scale

    net, x, ran = Scaled(3, 4, 1).eval(), image(), Ran()
    net.scale = torch.full((4, 1, 1), 2.0)
    converted = fastconv.torch.convert(net, x)
    close(converted(x), net(x))
    net.scale = Named(net.scale)
    for _ in range(2):
        y, wanted = converted(x), net(x)
        assert type(y) is type(wanted) is Named
        close(plain(y), plain(wanted))
    assert ran.plans == 1


def test_modes():
    """That of the default device changes nothing on the CPU."""
    net, x, ran = small(), image(), Ran()
    converted = fastconv.torch.convert(net, x)
    close(converted(x), wanted := net(x))
    with DoublingMode():
        y, doubled = converted(x), net(x)
    assert (doubled - wanted).abs().max() > 0.1
    close(y, doubled)
    with torch.device("cpu"):
        close(converted(x), wanted)
    assert (ran.plans, ran.left) == (2, 1)


def test_the_default_dtype():
    class More(nn.Conv2d):
        def forward(self, x):
            return super().forward(x), torch.ones(3)

    net, x = More(3, 4, 1).eval(), image()
    converted = fastconv.torch.convert(net, x)
    try:
        for dtype in (torch.float32, torch.float64, torch.float32):
            torch.set_default_dtype(dtype)
            close(converted(x), net(x))
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_log_tells_it_once(caplog, monkeypatch):
    from fastconv.torch import _left

    monkeypatch.setattr(_left, "_told", set())
    converted = fastconv.torch.convert(small(), x := image())
    caplog.clear()
    for kind in Named, Doubled:
        converted(x.as_subclass(kind))
    told = "a Named of layout torch.strided may have operators of its own: PyTorch runs the module"
    assert caplog.messages == [told]
