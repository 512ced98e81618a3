"""`torch.compile(backend="fastconv")`: results as eager has them, and who computes them."""

import numpy as np
import pytest
import torch
from torch import nn
from torch_compiling import Ran, close, compiled, image, small

pytestmark = [pytest.mark.usefixtures("fresh_torch"), pytest.mark.filterwarnings("ignore::FutureWarning")]


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
