"""`torch.compile(backend="fastconv")`: results as eager has them, whatever happens to weights, inputs and outputs."""

import gc

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import fastconv.torch

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    torch.manual_seed(0)
    with torch.no_grad():
        yield


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


def test_the_backend_has_a_name():
    assert "fastconv" in torch._dynamo.list_backends()


def test_options():
    net, x, ran = small(), image(), Ran()
    close(compiled(net, options={"num_threads": 1, "accuracy": "componentwise"})(x), net(x))
    close(compiled(net, mode="reduce-overhead")(x), net(x))
    assert ran.plans == 2
    with pytest.raises(Exception, match="options must be among num_threads, accuracy, got threads"):
        compiled(small(), options={"threads": 1})(x)


def test_two_instances_of_a_class():
    one, other = small(), small()
    run, x, ran = compiled(lambda net, x: net(x)), image(), Ran()
    for net in (one, other, one, other):
        close(run(net, x), net(x))
    assert (ran.calls, ran.plans, ran.left) == (4, 4, 0)


def test_equal_blocks_that_are_compiled_one_by_one():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.conv(x).relu()

    blocks = [Block() for _ in range(4)]
    net, wanted, ran = nn.Sequential(*blocks), nn.Sequential(*blocks)(x := image()), Ran()
    for block in blocks:
        block.compile(backend="fastconv")
    for _ in range(2):
        close(net(x), wanted)
    assert ran.plans == 8
    assert ran.graphs == 1


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


def test_a_gradient_that_is_needed():
    net, x, ran = small(), image(), Ran()
    run = compiled(net)
    close(run(x), net(x))
    with torch.enable_grad():
        run(x).square().sum().backward()
        found = net[0].weight.grad.clone()
        net.zero_grad()
        net(x).square().sum().backward()
    close(found, net[0].weight.grad)
    assert (ran.calls, ran.left, ran.plans) == (2, 1, 1)


def test_a_gradient_of_an_input():
    net, ran = small().requires_grad_(False), Ran()
    with torch.enable_grad():
        run = compiled(net)
        close(run(x := image()), net(x))
        assert (ran.plans, ran.left) == (1, 0)
        given = x.clone().requires_grad_()
        run(given).square().sum().backward()
        assert given.grad.abs().sum() > 0
        net.requires_grad_(True)
        run(x).sum().backward()
        assert net[0].weight.grad.abs().sum() > 0


def test_gradients_that_a_function_enables():
    net = small()

    def run(x):
        with torch.enable_grad():
            return net(x)

    assert run(image()).requires_grad
    assert compiled(run)(image()).requires_grad


def test_a_batch_of_any_size():
    net, ran = small(), Ran()
    run = compiled(net, dynamic=True)
    for shape in ((2, 3, 8, 8), (5, 3, 8, 8), (3, 3, 9, 10), (5, 3, 8, 8)):
        close(run(x := image(*shape)), net(x))
    assert ran.graphs == 2  # dynamo takes sizes that are equal in the first call for equal
    assert ran.plans == 4


def test_autocast():
    """What is computed in bfloat16 is left to PyTorch."""
    net, x, ran = small(), image(), Ran()
    with torch.autocast("cpu", torch.bfloat16):
        close(compiled(net)(x), net(x))
    assert ran.plans == 0
    close(compiled(net)(x), net(x))
    assert ran.plans == 1


def test_inference_mode():
    net, x, ran = small(), image(), Ran()
    run = compiled(net)
    with torch.inference_mode():
        close(run(x), net(x))
        net[0].weight += 1
        close(run(x), net(x))
    assert (ran.plans, ran.left) == (2, 0)


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


def test_hooks():
    net, x, ran = small(), image(), Ran()
    net[0].register_forward_hook(lambda module, given, y: y * 2)
    close(compiled(net)(x), net(x))
    assert ran.plans == 1


def test_the_counter_shows_when_dynamo_gives_up():
    net, ran = small(), Ran()
    run = compiled(net, dynamic=False)
    for size in range(4, 14):
        close(run(x := image(1, 3, size, size)), net(x))
    assert ran.calls == torch._dynamo.config.recompile_limit == ran.plans


def test_training_mode():
    """Batch statistics are PyTorch's, and the running ones follow."""
    net, twin = small().train(), small().train()
    twin.load_state_dict(net.state_dict())
    run = compiled(net)
    for _ in range(3):
        close(run(x := image()), twin(x))
    close(net[1].running_mean, twin[1].running_mean)


def test_random_numbers():
    """They are drawn in eager's order."""
    net = nn.Sequential(nn.Dropout(), nn.Conv2d(3, 4, 1), nn.Dropout(), nn.Conv2d(4, 4, 1), nn.Dropout()).train()
    x, ran = image(), Ran()
    torch.manual_seed(1)
    wanted = net(x)
    torch.manual_seed(1)
    close(compiled(net)(x), wanted)
    assert ran.left == 1


def test_sizes_that_depend_on_values():
    conv = nn.Conv2d(3, 4, 1)

    def run(x):
        return conv(x)[conv(x) > 0]

    close(compiled(run)(x := image()), run(x))


@pytest.mark.parametrize("threads", [1, 2])
def test_the_team_is_pytorchs(threads, monkeypatch):
    """`torch.set_num_threads` counts at the next call, `options` before it."""
    from fastconv.torch import _program

    teams, bind = [], _program.bind

    def watched(*given):
        bound = bind(*given)
        teams.extend(step.plan.num_threads for step in bound.steps)
        return bound

    monkeypatch.setattr(_program, "bind", watched)
    before, net, x = torch.get_num_threads(), small(), image()
    try:
        torch.set_num_threads(threads)
        run, fixed = compiled(net), compiled(small(), options={"num_threads": 3})
        run(x), fixed(x)
        torch.set_num_threads(3 - threads)
        close(run(x), net(x))
        fixed(x)
    finally:
        torch.set_num_threads(before)
    assert teams == [threads, 3, 3 - threads, 3]  # dynamo compiles again for another number of threads


def test_the_bits_do_not_depend_on_the_threads():
    net, x = small(64), image(2, 3, 32, 32)
    run = compiled(net)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(run(x).numpy())
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*results)
