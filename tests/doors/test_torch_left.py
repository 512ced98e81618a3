"""Calls that PyTorch runs whole: where a derivative may be asked for, or another tracer looks on."""

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional
from torch_compiling import Ran, close, compiled, image, small

import fastconv.torch
from fastconv.torch._operators import OPERATORS

pytestmark = [pytest.mark.usefixtures("fresh_torch"), pytest.mark.filterwarnings("ignore")]


class Scaled(nn.Module):
    """With a scale that is neither a parameter nor a buffer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3).requires_grad_(False)
        self.scale = torch.tensor(2.0, requires_grad=True)

    def forward(self, x):
        return self.conv(x) * self.scale


def test_the_gradient_of_an_attribute():
    with torch.enable_grad():
        net = Scaled().eval()
        run = fastconv.torch.convert(net, x := image())
        run(x).sum().backward()
        (wanted,) = torch.autograd.grad(net(x).sum(), net.scale)
    close(net.scale.grad, wanted)


def test_the_gradient_of_a_buffer():
    net = Scaled().eval()
    del net.scale
    net.register_buffer("scale", torch.tensor(2.0, requires_grad=True))
    run = fastconv.torch.convert(net, x := image())
    with torch.enable_grad():
        assert run(x).requires_grad


@pytest.mark.parametrize("door", [compiled, lambda net: fastconv.torch.convert(net, image())])
def test_tangents(door):
    """Forward-mode derivatives are followed with no_grad too."""
    net, x, ran = small().requires_grad_(False), image(), Ran()
    run = door(net)
    close(run(x), net(x))
    with forward_ad.dual_level(), torch.enable_grad():
        dual = forward_ad.make_dual(x, torch.ones_like(x))
        with torch.no_grad():
            found, wanted = (forward_ad.unpack_dual(one(dual)) for one in (run, net))
        close(found, wanted)
        close(forward_ad.unpack_dual(run(dual)), wanted)
    close(run(x), net(x))
    assert ran.plans == 2


TRACERS = {
    "make_fx": lambda run, x: make_fx(run)(x)(x),
    "jit": lambda run, x: torch.jit.trace(run, x)(x),
    "vmap": lambda run, x: torch.vmap(run)(x[None]),
    "jvp": lambda run, x: torch.func.jvp(run, (x,), (x,)),
    "compile": lambda run, x: torch.compile(run, backend="eager", fullgraph=True)(x),
    "fastconv": lambda run, x: torch.compile(run, backend="fastconv", fullgraph=True)(x),
    "export": lambda run, x: torch.export.export(run, (x,)).module()(x),
}


@pytest.mark.parametrize("name", TRACERS)
def test_a_converted_module_inside_a_tracer(name):
    run = fastconv.torch.convert(net := small(), x := image())
    close(TRACERS[name](run, x), TRACERS[name](net, x))


def test_the_log_tells_once_that_nothing_runs(caplog, monkeypatch):
    from fastconv.torch import _left

    monkeypatch.setattr(_left, "_told", set())
    run = fastconv.torch.convert(small(), x := image())
    caplog.clear()
    run(x)
    assert not caplog.messages
    with torch.enable_grad():
        run(x), run(x)
    assert caplog.messages == ["a gradient may be needed: PyTorch runs the graph; use torch.no_grad()"]


class Attending(nn.Module):
    """Attention and a recurrent layer, which draw random numbers where a dropout is active."""

    def __init__(self, dropout):
        super().__init__()
        self.conv, self.layer = nn.Conv2d(3, 8, 1), nn.LSTM(8, 8, 2, dropout=0.5, batch_first=True)
        self.dropout = dropout

    def forward(self, x):
        x = self.conv(x).flatten(2).mT
        y = nn.functional.scaled_dot_product_attention(x, x, x, dropout_p=self.dropout)
        return self.layer(y)[0] if self.dropout == 0 else y


@pytest.mark.parametrize("door", [compiled, lambda net: fastconv.torch.convert(net, image())])
@pytest.mark.parametrize(("dropout", "left"), [(0.0, 0), (0.5, 1)])
def test_inactive_dropouts_leave_nothing_to_pytorch_whole(door, dropout, left):
    net, x, ran = Attending(dropout).eval(), image(), Ran()
    found = door(net)(x)
    assert (ran.left, ran.plans > 0) == (left, not left)
    if not left:
        close(found, net(x))


def test_a_recurrent_layer_is_one_operator():
    """And not some operators for each of its steps."""
    counted = []
    for size in (2, 8):
        net, x, ran = Attending(0.0).eval(), image(1, 3, size, size), Ran()
        close(fastconv.torch.convert(net, x)(x), net(x))
        counted.append(ran.operators)
    assert counted[0] == counted[1]


KERNELS = {
    "rot90": lambda x: torch.rot90(x, 1, (2, 3)),
    "bicubic": lambda x: functional.interpolate(x, scale_factor=1.5, mode="bicubic"),
    "nearest-exact": lambda x: functional.interpolate(x, size=(7, 9), mode="nearest-exact"),
}


@pytest.mark.parametrize("door", [compiled, lambda net: fastconv.torch.convert(net, image())])
@pytest.mark.parametrize("name", KERNELS)
def test_what_has_a_kernel_of_pytorchs_own_is_not_taken_apart(door, name):
    class Before(nn.Conv2d):
        def forward(self, x):
            return KERNELS[name](super().forward(x))

    torch._dynamo.reset()
    net, x, ran = Before(3, 4, 3).eval(), image(), Ran()
    close(door(net)(x), net(x))
    assert (ran.plans, ran.operators) == (1, 1)


@pytest.mark.parametrize("door", [compiled, lambda net: fastconv.torch.convert(net, torch.randn(2, 3, 4, 5, 6))])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "trilinear"])
def test_volumes_are_resized_by_one_operator(door, mode):
    class Before(nn.Conv3d):
        def forward(self, x):
            return functional.interpolate(super().forward(x), scale_factor=2, mode=mode)

    torch._dynamo.reset()
    net, x, ran = Before(3, 4, 3).eval(), torch.randn(2, 3, 4, 5, 6), Ran()
    close(door(net)(x), net(x))
    assert ran.operators <= 2


LINALG = {
    "inv": lambda a: torch.linalg.inv(a),
    "inverse": lambda a: a.inverse(),
    "solve": lambda a: torch.linalg.solve(a, a.mT),
    "tensorinv": lambda a: torch.linalg.tensorinv(a.unflatten(-1, (2, 4)), 1),
    "cholesky": lambda a: torch.linalg.cholesky(a),
    "ldl_factor": lambda a: torch.linalg.ldl_factor(a)[0],
    "lu_factor": lambda a: torch.linalg.lu_factor(a)[0],
    "matrix_power": lambda a: torch.linalg.matrix_power(a, -2),
}


@pytest.mark.parametrize("name", LINALG)
def test_a_matrix_that_may_be_singular(name):
    """The check is PyTorch's, and so is its error."""

    class Solved(nn.Conv2d):
        def forward(self, x):
            return LINALG[name](super().forward(x)[0, 0])

    net, x = Solved(1, 1, 1, bias=False).eval(), image(1, 1, 8, 8)
    x = x @ x.mT + torch.eye(8)
    with torch.no_grad():
        net.weight.fill_(1)
        run, ran = fastconv.torch.convert(net, x), Ran()
        close(run(x), net(x))
        assert (ran.plans, ran.left) == (1, 0)
        if name != "ldl_factor":  # which zeros have too
            with pytest.raises(RuntimeError, match=r"is zero|singular|not positive-definite"):
                run(0 * x)


def test_a_translation_that_fails_leaves_its_operator(monkeypatch, caplog):
    """Whatever its error is, PyTorch may know the arguments."""

    def wrong(*args):
        raise TypeError("an argument that nobody expects")

    monkeypatch.setitem(OPERATORS, torch.ops.aten.sigmoid.default, wrong)
    net, x, ran = nn.Sequential(small(), nn.Sigmoid()).eval(), image(), Ran()
    with torch.no_grad():
        close(fastconv.torch.convert(net, x)(x), net(x))
    assert (ran.plans, ran.operators) == (1, 1)
    assert "fastconv leaves aten.sigmoid.default to PyTorch" in caplog.text
