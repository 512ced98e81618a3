"""`torch.compile(backend="fastconv")` packs weights: anew where they change, and no longer than they are there."""

import gc

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch_compiling import Ran, close, compiled, image, small

import fastconv.torch

pytestmark = [pytest.mark.usefixtures("fresh_torch"), pytest.mark.filterwarnings("ignore::FutureWarning")]


def test_weights_that_are_loaded():
    net, other, x, ran = small(), small(), image(), Ran()
    run = compiled(net)
    close(run(x), net(x))
    net.load_state_dict(other.state_dict())
    close(run(x), other(x))
    assert ran.plans == 2


def test_a_parameter_and_a_buffer_that_are_replaced():
    net, x, ran = small(), image(), Ran()
    run = compiled(net)
    close(run(x), net(x))
    net[0].weight = nn.Parameter(torch.randn_like(net[0].weight))
    close(run(x), net(x))
    net[1].running_mean = torch.ones(4)
    close(run(x), net(x))
    net[0].weight.data = torch.randn_like(net[0].weight)
    close(run(x), net(x))
    assert ran.plans == 4


@pytest.mark.parametrize("is_converted", [False, True])
@pytest.mark.parametrize("layer", [nn.Conv2d, nn.ConvTranspose2d, nn.Linear])
def test_one_value_in_the_middle_of_large_weights(layer, is_converted):
    """NumPy prints the corners of a large array alone."""
    sizes = (24, 24) if layer is nn.Linear else (24, 24, 3)
    net, x = nn.Sequential(nn.Conv2d(3, 24, 1), layer(*sizes)).eval(), image(1, 3, 6, 24)
    run = fastconv.torch.convert(net, x) if is_converted else compiled(net)
    close(run(x), net(x))
    net[1].weight[12, 12] += 100
    close(run(x), net(x))


def product(x, y, net, **numbers):
    return torch.addmm(net.bias, y.mean((2, 3)), net.matrix, **numbers)


NUMBERS = {
    "alpha": lambda x, y, net: product(x, y, net, alpha=1 / len(x)),
    "beta": lambda x, y, net: product(x, y, net, beta=len(x)),
    "groups": lambda x, y, net: functional.conv2d(y[:, : 4 * len(x)], net.kernel, groups=len(x)),
    "transposed groups": lambda x, y, net: functional.conv_transpose2d(y, net.kernel, groups=len(x)),
}


@pytest.mark.parametrize("is_converted", [False, True])
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_follow_from_a_size(name, is_converted):
    """The same weights are another operation then."""

    class Net(nn.Conv2d):
        def __init__(self):
            super().__init__(3, 16, 1)
            self.matrix = nn.Parameter(torch.randn(16, 16))
            self.kernel = nn.Parameter(torch.randn(16, 4, 1, 1))

        def forward(self, x):
            return NUMBERS[name](x, super().forward(x), self)

    net, ran = Net().eval(), Ran()
    run = fastconv.torch.convert(net, image()) if is_converted else compiled(net, dynamic=True)
    for size in (2, 4, 2):
        close(run(x := image(size, 3, 8, 8)), net(x))
    assert (ran.plans, ran.operators) == (3, 0)


def test_a_step_of_an_optimiser():
    net, x = small(), image()
    run, optimiser = compiled(net), torch.optim.SGD(net.parameters(), lr=1.0)
    for _ in range(3):
        with torch.no_grad():
            close(run(x), net(x))
        with torch.enable_grad():
            net(x).square().mean().backward()
        optimiser.step()


def test_weights_that_are_gone_are_forgotten():
    run, x = compiled(lambda net, x: net(x)), image()
    from fastconv.torch import _weights

    for _ in range(3):
        run(small(), x)
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is _weights.Weights]


def test_weights_that_change_at_every_call():
    """They stop being packed: a convolution with them is left to PyTorch."""
    net, x, ran = small(), image(), Ran()
    run = compiled(net)
    for _ in range(20):
        net[0].weight += 0.01
        close(run(x), net(x))
    assert 5 < ran.plans < 12


def test_weights_that_are_an_argument():
    def run(x, weight):
        return functional.conv2d(x, weight, padding=1).relu()

    x, ran = image(), Ran()
    for _ in range(3):
        weight = torch.randn(4, 3, 3, 3)
        close(compiled(run)(x, weight), run(x, weight))
    assert ran.plans == 3


def test_weights_that_are_new_at_every_call():
    def run(x, weight):
        return functional.conv2d(x, weight, padding=1).relu()

    x, ran = image(), Ran()
    for _ in range(20):
        weight = torch.randn(4, 3, 3, 3)
        close(compiled(run)(x, weight), run(x, weight))
    assert 5 < ran.plans < 12


def test_weights_that_change_at_every_second_call():
    net, x, ran = small(), image(), Ran()
    run = compiled(net)
    for _ in range(20):
        net[0].weight += 0.01
        close(run(x), net(x))
        close(run(x), net(x))
    assert 10 < ran.plans < 24


def test_instances_that_are_used_once():
    """Many at a time that go together are no reason to stop."""
    run, x, ran = compiled(lambda net, x: net(x)), image(), Ran()
    for _ in range(2):
        nets = [small() for _ in range(9)]
        for net in nets:
            run(net, x)
        del nets, net
    assert ran.plans == 18


def test_what_did_not_change_is_kept(monkeypatch):
    """One tensor that changes has no other part packed again."""
    from fastconv.onnx import _segments

    made, plan = [], _segments.GraphPlan
    monkeypatch.setattr(_segments, "GraphPlan", lambda *args, **options: made.append(args) or plan(*args, **options))
    parts = nn.Sequential(small(3), nn.LayerNorm(8), nn.Conv2d(3, 4, 1)).eval()
    run, x = compiled(parts), image()
    close(run(x), parts(x))
    before = len(made)
    parts[2].weight += 1
    close(run(x), parts(x))
    assert (before, len(made)) == (2, 3)


def test_weights_that_are_computed():
    """Of parameters alone: they are computed once."""

    class Standardised(nn.Conv2d):
        def forward(self, x):
            weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
            return functional.conv2d(x, weight / weight.std((1, 2, 3), keepdim=True), self.bias)

    net, x, ran = Standardised(3, 4, 3), image(), Ran()
    run = compiled(net)
    for _ in range(2):
        close(run(x), net(x))
    assert (ran.plans, ran.operators) == (2, 0)


@pytest.mark.parametrize("is_converted", [False, True])
def test_what_follows_from_weights_does_not_grow(is_converted):
    """No value that only led to another is kept, nor what depends on a size."""
    from fastconv.torch import _weights

    class Scaled(nn.Conv2d):
        def forward(self, x):
            weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
            y = functional.conv2d(x, weight * 2, self.bias)
            return y * (self.bias + 1).expand(x.shape[0], -1)[:, :, None, None]

    net = Scaled(3, 4, 1).eval()
    gc.collect()
    before = {id(one) for one in gc.get_objects() if type(one) is _weights.Weights}
    run = fastconv.torch.convert(net, image()) if is_converted else compiled(net, dynamic=True)
    for size in range(2, 6):
        close(run(x := image(size, 3, 8, 8)), net(x))
    (weights,) = (one for one in gc.get_objects() if type(one) is _weights.Weights and id(one) not in before)
    kept = ["mul", "unsqueeze_1"] * 4 if is_converted else ["mul"]  # of each trace
    assert sorted(node.name for node in weights.folded) == sorted(kept)
    assert len(weights.arrays) == len(kept) + 1  # the bias


def test_weights_made_in_inference_mode():
    """They do not tell whether they have changed: PyTorch computes with them."""
    ran = Ran()
    with torch.inference_mode():
        net, x = small(), image()
        run = compiled(net)
        close(run(x), net(x))
        net[0].weight += 1
        close(run(x), net(x))
    assert (ran.plans, ran.left) == (0, 2)
