"""`torch.compile(backend="fastconv")`: inputs and results lie in memory, and share it, as with eager."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch_compiling import Ran, close, compiled, image, small

pytestmark = [pytest.mark.usefixtures("fresh_torch"), pytest.mark.filterwarnings("ignore::FutureWarning")]


def test_in_place_on_an_input():
    conv = nn.Conv2d(3, 3, 1)

    def run(x):
        functional.relu(x, inplace=True)
        return conv(x) + x

    x, ran = image(), Ran()
    given, wanted = x.clone(), run(x)
    close(compiled(run)(given), wanted)
    close(given, x)
    assert ran.plans == 1


def test_in_place_on_a_shortcut():
    one, other = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

    def run(x):
        shortcut = one(x)
        y = other(functional.relu(shortcut, inplace=True))
        return y + shortcut  # the relu of it

    x, ran = image(), Ran()
    close(compiled(run)(x), run(x))
    assert ran.plans == 1


def test_results_that_a_caller_keeps():
    net = small()
    run, first, second = compiled(net), image(), image()
    kept = run(first)
    copy = kept.clone()
    other = run(second)
    assert torch.equal(kept, copy)
    other.zero_()
    close(run(second), net(second))


def test_results_that_are_one_value():
    """Each has memory of its own, as eager's copies have; what is the input itself is returned as such."""
    conv = nn.Conv2d(3, 4, 1)

    def run(x):
        y = conv(x)
        return y, y.clone(), x, y.contiguous(memory_format=torch.channels_last)

    x = image()
    results = compiled(run)(x)
    close(results, run(x))
    assert results[2] is x
    results[1].zero_()
    close(results, (conv(x), torch.zeros(2, 4, 8, 8), x, conv(x).to(memory_format=torch.channels_last)))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(2, 3, 1, 1), (2, 3, 6, 6), (1, 3, 6, 1), (2, 1, 6, 5), (0, 3, 6, 6)])
def test_strides(shape, layout):
    """Those of 1×1 maps, of one channel and of no image too."""
    ran = Ran()
    for outputs in (1, 4):
        conv = nn.Conv2d(shape[1], outputs, 1).to(memory_format=layout)

        def run(x, conv=conv):
            y = conv(x)
            return y, y.mean((2, 3), keepdim=True), y.flatten(1), y.transpose(1, 2)

        x = image(*shape).to(memory_format=layout)
        close(compiled(run)(x), run(x))
    assert ran.plans == 2


def test_inputs_with_any_strides():
    net, wide = small(), image(4, 9, 16, 8)
    for x in (wide[::2, ::3, ::2], wide[:2, 3:6].transpose(2, 3), wide[:1, :1].expand(2, 3, 16, 8)):
        close(compiled(net)(x), net(x))
