"""Operators around convolutions, against eager: those that become fastconv's and those that stay PyTorch's."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch_compiling import Ran, close, image

import fastconv.torch

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


class Between(nn.Module):
    """A function between two convolutions, whose results are results too where their channels are others."""

    def __init__(self, function):
        super().__init__()
        self.function, self.before, self.after = function, nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 2, 1)
        self.vector, self.matrix, self.rows = (nn.Parameter(torch.rand(size)) for size in (6, (7, 6), 7))

    def forward(self, x):
        y = self.function(self, self.before(x))
        return self.after(y) if isinstance(y, torch.Tensor) and y.dim() == 4 and y.shape[1] == 6 else y


def written(z, y, rows):
    """y behind one of its rows, which two of z are, one after the other."""
    z[:, :, 1:] = y
    z[:, :, :1] = y[:, :, rows[0] - 1 : rows[0]] if rows[0] else z[:, :, 8:9] * 2
    z[:, :, :1] = z[:, :, rows[1] : rows[1] + 1]
    return z


def tokens(net, y):
    """A block of a transformer without attention, of the pixels of an image."""
    x = y.flatten(2).transpose(1, 2)
    z = functional.layer_norm(x, (6,), net.vector, eps=1e-3)
    z = functional.linear(functional.gelu(functional.linear(z, net.matrix, net.rows)), net.matrix.mT)
    return (x + z * net.vector).transpose(1, 2).reshape(y.shape)


ACTIVATIONS = [
    *("relu", "relu6", "hardtanh", "sigmoid", "tanh", "silu", "hardsigmoid", "hardswish", "leaky_relu", "elu", "selu"),
    *("gelu", "mish", "softplus", "logsigmoid", "softsign", "celu", "tanhshrink", "normalize"),
]
FUNCTIONS = {
    "prelu": lambda net, y: functional.prelu(y, net.vector),
    "clamps": lambda net, y: y.clamp(-0.5, 1.5).clamp_min(-0.25).clamp_max(1).clip(max=0.9),
    "constants": lambda net, y: ((y + 1.5) * 3 - net.vector[:, None, None]) / 2,
    "reversed": lambda net, y: 1 - (2 / (y.square() + 1)),
    "scaled sums": lambda net, y: torch.add(y, y.relu(), alpha=3) - torch.sub(y, 1, alpha=2),
    "products": lambda net, y: y * y.sigmoid() * y.mean((2, 3), keepdim=True) * y[:, :1] * -y,
    "hard swish by hand": lambda net, y: y * (y + 3).clamp(0, 6) / 6,
    "powers": lambda net, y: y**2 + y**3 + y.relu() ** 0.5,
    "max pools": lambda net, y: functional.max_pool2d(y, 3, 2, 1, ceil_mode=True),
    "dilated max pool": lambda net, y: functional.max_pool2d(y, 2, 1, dilation=2),
    "max pool and where": lambda net, y: functional.max_pool2d(y, 2, return_indices=True),
    "average pools": lambda net, y: functional.avg_pool2d(y, 3, 2, 1, ceil_mode=True, count_include_pad=False),
    "another divisor": lambda net, y: functional.avg_pool2d(y, 2, divisor_override=3),
    "adaptive pools": lambda net, y: [functional.adaptive_avg_pool2d(y, size) for size in (1, 2, (4, 1), 3, 0)],
    "adaptive max pools": lambda net, y: [functional.adaptive_max_pool2d(y, size) for size in (1, (4, 2), 3)],
    "pools to nothing": lambda net, y: [
        *(functional.adaptive_avg_pool2d(y, size) for size in (0, (0, 2))),
        functional.adaptive_max_pool2d(y, (2, 0)),
    ],
    "reductions": lambda net, y: [y.mean((2, 3)), y.amax((-1, -2)), y.mean(1), y.mean(), y.sum((2, 3)), y.std()],
    "local response norm": lambda net, y: functional.local_response_norm(y, 3),
    "layer norm": lambda net, y: functional.layer_norm(y, y.shape[1:]),
    "group norm": lambda net, y: functional.group_norm(y, 2),
    "instance norm": lambda net, y: functional.instance_norm(y, weight=net.vector),
    "group norm of a sequence": lambda net, y: functional.group_norm(y.flatten(2), 3, net.vector, net.vector),
    "layer norm of channels": lambda net, y: functional.layer_norm(y.permute(0, 2, 3, 1), (6,)).permute(0, 3, 1, 2),
    "tokens": tokens,
    "statistics": lambda net, y: [
        *(y.max(1, keepdim=True)[0], y.max(2)[1], y.var(1, keepdim=True, unbiased=False), y.var(1, keepdim=True)),
        *(y.norm(dim=(2, 3), keepdim=True), y.norm(1, dim=(2, 3)), y.sum((2, 3), keepdim=True)),
    ],
    "roots": lambda net, y: y.abs().sqrt() + (y * y + 1).rsqrt() + (y * y + 1).log() + (-y).exp().reciprocal(),
    "extremes": lambda net, y: torch.maximum(y, y.tanh()) - torch.minimum(y, y.erf()),
    "gated": lambda net, y: functional.glu(torch.cat([y, y.relu()], 1), 1),
    "one of an axis": lambda net, y: [y[:, 1], y[:, :, -1], y[0]],
    "repeated pixels": lambda net, y: (
        y * y.mean((2, 3), keepdim=True).expand_as(y)
        - y / (y.amax((2, 3), True) + 1).repeat(1, 1, 8, 8)
        + y[:, :1].expand(-1, 6, -1, -1)
    ),
    "repeated pixels alone": lambda net, y: [
        *(y[:, :, :1, :1].expand(-1, -1, 3, 4), y[:, :1].expand_as(y).contiguous(), y[:, :1].repeat(1, 3, 1, 1)),
        *(y[:, :, :1].expand_as(y) - 2 * y[:, :1].expand_as(y), y.repeat(2, 1, 1, 2), y[:, :1].repeat(1, 1, 2, 1)),
    ],
    "of a shape": lambda net, y: (y + torch.zeros_like(y) - y.new_ones(2, 6, 1, 1)) * torch.full_like(y, 2.0),
    "more channels": lambda net, y: functional.pad(
        functional.pad(y[:, :2], (0, 0, 0, 0, 0, 3)), (0,) * 4 + (1, 0), value=2.0
    ),
    "pads of channels and rows": lambda net, y: functional.pad(y, (0, 0, 1, 1, 0, 1)),
    "pads": lambda net, y: functional.pad(functional.pad(y, (1, 0, 2, 1), value=2.0), (-1, 0, 0, 1)),
    "other pads": lambda net, y: functional.pad(functional.pad(y, (1, 2, 1, 0), mode="reflect"), (1,) * 4, "replicate"),
    "circular pads": lambda net, y: [
        *(functional.pad(y, (1, 2, 1, 0), "circular"), functional.pad(y[:, :, 1], (8, 3), "circular")),
        *(functional.pad(y, (0, 0, 2, 1), "circular"), functional.pad(y[:, None], (1,) * 6, "circular")),
    ],
    "almost circular pads": lambda net, y: [
        written(y.new_empty(2, 6, 9, 8), y, (1, 8)),
        written(y.new_empty(2, 6, 9, 8), y, (0, 7)),
        written(y.new_empty(2, 6, 9, 8, dtype=torch.float64), y, (0, 8)),
    ],
    "a circular convolution": lambda net, y: functional.conv2d(
        functional.pad(y, (1,) * 4, "circular"), net.before.weight.repeat(2, 2, 1, 1)
    ),
    "reflected sequence": lambda net, y: functional.pad(y[:, :, 1], (1, 2), mode="reflect"),
    "concat": lambda net, y: torch.cat([y[:, :2], torch.cat([y, y], 1)[:, 4:8]], 1),
    "concat of rows": lambda net, y: torch.cat([y, y], 2),
    "concat of rows and constants": lambda net, y: torch.cat(
        [y.tanh(), net.vector[:, None, None].expand_as(y[:, :, :1]), y], 2
    ),
    "concat of columns": lambda net, y: torch.cat([y, y.tanh()], 3),
    "concat of constants": lambda net, y: torch.cat([torch.linspace(0, 1, 8).expand_as(y[:, :1]), y], 1),
    "concat of pixels": lambda net, y: torch.cat([y[:, :, 0], y.flatten(2), y.amax((2, 3), True).flatten(2)], 2),
    "concat of tokens": lambda net, y: torch.cat([net.vector.expand(len(y), 1, 6), y.flatten(2).mT], 1).softmax(-1),
    "splits": lambda net, y: torch.cat([*y.chunk(4, 1), *y.split([1, 5], 1)[:0], *y.split(4, 1)[::-1]], 1)[:, 3:9],
    "slices": lambda net, y: y[:, :, 1::2, -5:-1],
    "shuffle": lambda net, y: functional.channel_shuffle(y, 3),
    "shuffle by hand": lambda net, y: y.view(2, 3, 2, 8, 8).transpose(1, 2).contiguous().view(y.shape),
    "views": lambda net, y: [
        *(y.view(2, 3, 2, 8, 8).permute(0, 1, 3, 4, 2).sigmoid(), y.view(2, 3, 2, 64).transpose(1, 3).contiguous()),
        *(y.view(2, 6, 64).transpose(1, 2), y.view(2, 3, 128) + y.view(2, 3, 128).tanh(), y.view(3, 4, 64)),
    ],
    "flattened": lambda net, y: [y.flatten(1), y.flatten(2).mT, y.reshape(-1)],
    "other axes": lambda net, y: [y.permute(0, 2, 3, 1), y.mean((2, 3), True)[..., 0], y.unsqueeze(1)],
    "softmaxes": lambda net, y: y.softmax(1) + y.flatten(2).softmax(-1).view_as(y) + y.log_softmax(1),
    "linear of pixels": lambda net, y: functional.linear(y.permute(0, 2, 3, 1), net.after.weight[:, :, 0, 0]),
    "attention": lambda net, y: functional.scaled_dot_product_attention(*[y.flatten(2).mT] * 3).mT.view_as(y),
    "transposed": lambda net, y: functional.conv_transpose2d(y, net.before.weight, None, 2, 1, 1),
    "nearest": lambda net, y: functional.interpolate(y, scale_factor=2) + functional.interpolate(y, size=(16, 16)),
    "nearest to any size": lambda net, y: functional.interpolate(y, scale_factor=1.6),
    "bilinear": lambda net, y: functional.interpolate(y, size=(13, 9), mode="bilinear"),
    "bicubic": lambda net, y: functional.interpolate(y, size=(13, 9), mode="bicubic"),
    "aligned bilinear": lambda net, y: functional.interpolate(y, (13, 9), mode="bilinear", align_corners=True),
    "other arguments": lambda net, y: (
        functional.interpolate(y, scale_factor=(1.3, 2.0), mode="bilinear", recompute_scale_factor=True)
        + functional.interpolate(y, scale_factor=[1.3, 2], mode="nearest", recompute_scale_factor=True)
        + functional.interpolate(y, (10, 16), mode="bilinear", antialias=True)
    ),
    "upsample": lambda net, y: functional.upsample(y, scale_factor=2, mode="bilinear"),
    "pixel shuffle": lambda net, y: functional.pixel_unshuffle(functional.pixel_shuffle(y[:, :4], 2), 4),
    "a sequence resized": lambda net, y: functional.interpolate(
        functional.interpolate(y[:, :, 1], scale_factor=2), size=21, mode="linear"
    ),
    "other dtypes": lambda net, y: (y.double() + (y > 0)).half().float(),
    "other strides": lambda net, y: [
        y[:, :2, :1, :1].as_strided((2, 2, 1, 1), (2, 1, 1, 1)),
        y.as_strided((6, 6), (1, 7)),
    ],
    "indices": lambda net, y: y[:, torch.arange(5, -1, -1)] + y.argmax(1, keepdim=True),
    **{name: (lambda net, y, name=name: getattr(functional, name)(y)) for name in ACTIVATIONS},
}


@pytest.fixture(scope="module")
def results():
    """{name: (what fastconv gives, what eager gives)}: traced as one function, which is shorter than one by one."""
    torch._dynamo.reset()
    torch.manual_seed(0)
    networks, x = {name: Between(function) for name, function in FUNCTIONS.items()}, image(2, 3, 8, 8)

    def run(x):
        return {name: network(x) for name, network in networks.items()}

    with torch.no_grad():
        ran = Ran()
        found, wanted = torch.compile(run, backend="fastconv", fullgraph=True)(x), run(x)
        assert ran.plans > 1
        assert ran.left == 0
    return {name: (found[name], wanted[name]) for name in wanted}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_operator(name, results):
    close(*results[name])


NATIVE = (
    *("relu6", "silu", "hardswish", "constants", "max pools", "average pools", "prelu", "hard swish by hand", "selu"),
    *("celu", "gated", "roots", "extremes", "reversed", "group norm", "instance norm", "layer norm of channels"),
    *("tokens", "other pads", "reflected sequence", "shuffle by hand", "pixel shuffle", "nearest", "bilinear"),
    *("a sequence resized", "repeated pixels", "of a shape", "more channels"),
    *(
        "concat of rows and constants",
        "concat of constants",
        "concat of pixels",
        "concat of tokens",
        "a circular convolution",
    ),
)


@pytest.mark.parametrize("channels_last", [False, True])
def test_most_of_them_are_fastconvs(channels_last):
    """No operator of PyTorch runs where all have a translation."""
    networks = nn.ModuleDict({name: Between(FUNCTIONS[name]) for name in NATIVE}).eval()

    class All(nn.Module):
        def forward(self, x):
            return [network(x) for network in networks.values()]

    ran, x = Ran(), image()
    x = x.to(memory_format=torch.channels_last) if channels_last else x
    with torch.no_grad():
        close(fastconv.torch.convert(All().eval(), x)(x), All()(x))
    assert (ran.left, ran.operators, ran.plans) == (0, 0, 1)


def test_other_strides_than_the_tracer_was_told():
    """What `roll` gives of a tensor in channels_last; a linear layer reads a view of it."""
    net, x = Between(lambda net, y: functional.linear(y.roll(1, 0), net.matrix.mT)), image(2, 3, 8, 7)
    x = x.to(memory_format=torch.channels_last)
    with torch.no_grad():
        for ran in (fastconv.torch.convert(net.eval(), x), torch.compile(net.eval(), backend="fastconv")):
            torch.testing.assert_close(ran(x), net(x), rtol=1e-4, atol=1e-5)


def test_a_classifier_is_fastconvs():
    net, x, ran = nn.Sequential(nn.Conv2d(3, 3, 1), nn.SiLU()).eval(), image(), Ran()
    with torch.no_grad():
        close(fastconv.torch.convert(net, x)(x), net(x))
        last = nn.Sequential(nn.Conv2d(3, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)).eval()
        close(fastconv.torch.convert(last, y := x.to(memory_format=torch.channels_last))(y), last(y))
    assert (ran.operators, ran.plans) == (0, 2)


@pytest.mark.parametrize("dynamic", [False, True])
def test_interpolate_is_one_operator_for_dynamo(dynamic):
    """Which takes it apart for other compilers."""
    names = "nearest", "bilinear", "aligned bilinear", "a sequence resized", "bicubic", "other arguments", "upsample"
    networks, x = [Between(FUNCTIONS[name]).eval() for name in names], image()

    def run(x):
        return [network(x) for network in networks]

    ran = Ran()
    torch._dynamo.reset()
    with torch.no_grad():
        close(torch.compile(run, backend="fastconv", dynamic=dynamic, fullgraph=True)(x), run(x))
    assert (ran.left, ran.operators) == (0, 2)  # bicubic, and what one of the arguments asks for


@pytest.mark.parametrize("name", ["nearest", "bilinear"])
def test_a_resize_where_a_gradient_is_needed(name):
    """It is PyTorch's own then."""
    net, xs = Between(FUNCTIONS[name]), [image().requires_grad_() for _ in range(2)]
    xs[1].data[:] = xs[0].data
    torch._dynamo.reset()
    for run, x in zip((torch.compile(net, backend="fastconv"), net), xs, strict=True):
        run(x).square().sum().backward()
    torch.testing.assert_close(xs[0].grad, xs[1].grad)


def test_instance_norm_is_fastconvs_in_the_trace_of_a_batch():
    """PyTorch writes it as the batch norm of one image with the channels of all."""
    net, x, ran = Between(FUNCTIONS["instance norm"]).eval(), image(), Ran()
    torch._dynamo.reset()
    with torch.no_grad():
        close(torch.compile(net, backend="fastconv", fullgraph=True)(x), net(x))
    assert (ran.left, ran.operators, ran.plans) == (0, 0, 1)


def test_a_generator_has_transposed_convolutions_alone():
    layers = nn.ConvTranspose2d(5, 4, 4), nn.ReLU(), nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.Tanh()
    net, x, ran = nn.Sequential(*layers).eval(), image(2, 5, 1, 1), Ran()
    with torch.no_grad():
        close(fastconv.torch.convert(net, x)(x), net(x))
    assert (ran.operators, ran.plans) == (0, 1)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nearest_neighbours_by_factors(dtype, channels_last):
    """Which count where neither once nor twice as many pixels are asked for."""
    resize, ran = torch.ops.aten.upsample_nearest2d.default, Ran()
    calls = [
        *(((6, 6), (1.05, 1.1)), ((12, 13), (2.1, 2.2)), ((7, 9), (1.2, 1.6)), ((6, 7), (None, 1.2)), ((9, 9), ())),
        *(((14, 5), (2.4, 0.9)), ((20, 12), (3.4, None)), ((12, 12), (None, None)), ((18, 6), (3.0, 1.0))),
        *(((20, 13), (0.0, 2.2)), ((20, 13), (-1.0, None))),
    ]

    class Resized(nn.Conv2d):
        def forward(self, x):
            return [resize(super(Resized, self).forward(x), size, *factors) for size, factors in calls]

    net, x = Resized(3, 3, 1, dtype=dtype).eval(), image(1, 3, 6, 6).to(dtype)
    x = x.to(memory_format=torch.channels_last) if channels_last else x
    with torch.no_grad():
        converted = fastconv.torch.convert(net, x)
        close(converted(x), net(x))
    assert ran.plans == 1
    assert 0 < ran.operators < len(calls)
