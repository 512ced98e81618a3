"""`fastconv.torch.convert`: modules that run without dynamo."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn.utils import prune
from torch_compiling import Ran, close, image, small

import fastconv.torch
from fastconv.torch import _fakes

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def test_other_shapes_and_strides():
    net, ran = small(), Ran()
    converted = fastconv.torch.convert(net, image())
    for x in (image(), image(1, 3, 5, 6), image(0, 3, 5, 6), image().to(memory_format=torch.channels_last)):
        close(converted(x), net(x))
    assert ran.plans == ran.calls == 4


def test_it_runs_without_dynamo(monkeypatch):
    def refused(*args, **options):
        raise AssertionError("dynamo was called")

    converted = fastconv.torch.convert(net := small(), x := image())
    monkeypatch.setattr(torch, "compile", refused)
    monkeypatch.setattr(torch._dynamo.convert_frame, "convert_frame", refused)
    close(converted(x), net(x))


def test_several_arguments_and_results():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x, other, *, scale=1.0, turned=False):
            y = self.conv(x) + self.conv(other["y"]) * scale
            return {"sum": y.mT if turned else y, "parts": (x, [y.mean((2, 3))])}

    net, x, other = Both().eval(), image(), {"y": image()}
    converted = fastconv.torch.convert(net, (x, other))
    for options in ({}, {"scale": 2.0}, {"scale": 2.0, "turned": True}):
        result, wanted = converted(x, other, **options), net(x, other, **options)
        assert result.keys() == wanted.keys()
        assert result["parts"][0] is x
        close((result["sum"], result["parts"][1][0]), (wanted["sum"], wanted["parts"][1][0]))


def test_numbers_that_are_equal():
    """Those of other types, and zeros of other signs, give other results."""

    class Scaled(nn.Conv2d):
        def forward(self, x, scale):
            y = super().forward(x)
            return y.int() * scale if not isinstance(scale, float) else y.relu() / scale

    net, x = Scaled(3, 4, 1).eval(), image()
    converted = fastconv.torch.convert(net, (x, 2))
    for scale in (2.0, 2, True, 0.0, -0.0):
        y, wanted = converted(x, scale), net(x, scale)
        assert y.dtype == wanted.dtype
        torch.testing.assert_close(y, wanted, equal_nan=True)
    nan = float("nan")
    converted(x, nan)
    known = len(converted._traced)
    converted(x, float("nan"))
    assert len(converted._traced) == known


def test_the_mode_of_a_part_is_kept():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Dropout()).eval()
    net[1].train()
    fastconv.torch.convert(net, image())
    assert net[1].training


def test_the_tensors_of_a_module_are_not_walked_without_gradients(monkeypatch):
    def refused(module):
        yield pytest.fail("the parameters were walked")

    converted = fastconv.torch.convert(net := small(), x := image())
    monkeypatch.setattr(nn.Module, "parameters", refused)
    close(converted(x), net(x))


def test_it_follows_the_weights():
    net, other, x = small(), small(), image()
    converted = fastconv.torch.convert(net, x)
    close(converted(x), net(x))
    net.load_state_dict(other.state_dict())
    close(converted(x), other(x))
    net[0].weight = nn.Parameter(torch.randn_like(net[0].weight))
    net[1].running_mean += 1
    close(converted(x), net(x))
    assert list(converted.state_dict()) == [f"module.{name}" for name in net.state_dict()]


def test_threads_that_call_with_new_shapes():
    """torch.export is for one thread at a time, and has other tensors in the module meanwhile."""
    converted = fastconv.torch.convert(net := small(), image())

    def call(x):
        with torch.no_grad():
            return converted(x)

    images = [image(2 + i, 3, 8, 8) for i in range(3)]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(call, images))
    for x, y in zip(images, results, strict=True):
        close(y, net(x))


def test_the_same_memory_in_another_order():
    net, x = nn.Conv2d(3, 3, 1).eval(), image()
    converted = fastconv.torch.convert(net, x)
    close(converted(x), net(x))
    net.weight.data = net.weight.data.transpose(0, 1)
    close(converted(x), net(x))


def test_weights_of_another_dtype_or_shape():
    net, x = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten()).eval(), image()
    converted = fastconv.torch.convert(net, x)
    close(converted(x), net(x))
    net.bfloat16()
    with pytest.raises(ValueError, match=r"cannot trace the module: .* type"):
        converted(x)
    torch.testing.assert_close(converted(x.bfloat16()), net(x.bfloat16()))
    net.float()
    close(converted(x), net(x))
    net[0].weight, net[0].bias = (nn.Parameter(torch.randn(6, *one.shape[1:])) for one in net[0].parameters())
    close(converted(x), net(x))


def test_a_module_that_is_changed():
    """Its parts, their attributes, hooks and modes count at the next call, for shapes that it knows too."""
    net, x = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(3)).eval(), image()
    converted = fastconv.torch.convert(net, x)
    close(converted(x), net(x))
    net[1] = nn.Tanh()
    close(converted(x), net(x))
    net[0].stride = (2, 2)
    close(converted(x), net(x))
    net[0].register_forward_hook(lambda module, given, y: y * 2)
    close(converted(x), net(x))
    net[1] = nn.Dropout(1.0).train()
    close(converted(x), net(x))
    net.train()
    close(converted(x), copy.deepcopy(net)(x))


@pytest.mark.parametrize(
    "wrap", [nn.utils.weight_norm, nn.utils.spectral_norm, lambda part: prune.random_unstructured(part, "weight", 0.5)]
)
def test_a_weight_that_each_call_makes_anew(wrap):
    """A call of the module puts another into it, which is no other module."""
    net, x = nn.Sequential(wrap(nn.Conv2d(3, 3, 3, padding=1)), nn.ReLU()).eval(), image()
    converted, graphs = fastconv.torch.convert(net, x), fastconv.torch.counts().graphs
    for _ in range(2):
        wanted = net(x)
        close(converted(x), wanted)
    assert fastconv.torch.counts().graphs == graphs
    next(one for name, one in net[0].named_parameters() if name in ("weight_g", "weight_orig")).mul_(2)
    wanted = net(x)
    close(converted(x), wanted)


def test_what_was_made_for_a_trace_goes_with_it(monkeypatch):
    from fastconv.torch import _converted

    monkeypatch.setattr(_converted, "_MAX_TRACED", 1)
    converted = fastconv.torch.convert(small(), image())
    for size in (2, 3, 4):
        converted(image(size, 3, 8, 8))
    bound = [shape for known in converted._known._known.values() for shape in known.weights.bound]
    assert len(bound) == len(converted._traced) == 1


def test_a_copy_is_one_of_its_own():
    net, x = small(), image()
    converted = fastconv.torch.convert(net, x)
    other = copy.deepcopy(converted)
    other.module[0].weight.zero_()
    close(converted(x), net(x))
    close(other(x), other.module(x))


def test_gradients_training_and_autocast():
    net, x, ran = small(), image(), Ran()
    converted = fastconv.torch.convert(net, x)
    with torch.enable_grad():
        converted(x).sum().backward()
    assert net[0].weight.grad.abs().sum() > 0
    close(converted.train()(x), copy.deepcopy(net)(x))
    net.eval()
    assert (ran.calls, ran.left) == (2, 2)
    with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
        y = converted.eval()(x)
    close(y, net(x))
    assert ran.plans == 1


class Both(nn.Module):
    """Two arguments, which are results too."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x, y):
        return self.conv(x) - y, x, y


def test_one_tensor_twice_is_two_arguments():
    """What was traced with one stands for calls with two, and with a weight in the place of one."""
    net, x, y = Both().eval(), image(), image()
    for example in ((x, x), (net.conv.weight, net.conv.weight)):
        converted = fastconv.torch.convert(net, example)
        for given in ((x, y), (y, x), (x, x), (net.conv.weight, torch.randn(3, 3, 1, 1))):
            results, wanted = converted(*given), net(*given)
            close(results, wanted)
            assert results[1] is given[0]
            assert results[2] is given[1]


def test_a_trace_waits_for_what_is_bound(monkeypatch):
    """PyTorch has tensors without values in one thread at a time."""
    converted, export, run = fastconv.torch.convert(small(), image()), torch.export.export, _fakes._Recorder.run
    is_binding, is_tracing, overlaps = threading.Event(), threading.Event(), []

    def traced(*args):
        is_tracing.set()
        return export(*args)

    def bound(*args):
        is_binding.set()
        overlaps.append(is_tracing.wait(0.3))
        return run(*args)

    def trace():
        is_binding.wait()
        with torch.no_grad():
            converted(image(1, 3, 5, 6))

    monkeypatch.setattr(torch.export, "export", traced)
    monkeypatch.setattr(_fakes._Recorder, "run", bound)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(trace)
        converted(image())
        other.result()
    assert overlaps == [False, True]


def test_it_converts_inside_autocast():
    net, x = nn.Sequential(small(), nn.Flatten(2), nn.LSTM(64, 5)).eval(), image()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        converted = fastconv.torch.convert(net, x)
        result = converted(x)[0]
    close(result, net(x)[0])
