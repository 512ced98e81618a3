"""Parts of published networks of many kinds, small, through `torch.compile` and `convert`, against eager in float64."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations
from torch.utils import _pytree as pytree
from torch_compiling import Ran
from torch_networks import conv

import fastconv.torch

pytestmark = pytest.mark.filterwarnings("ignore")


class Pyramid(nn.Module):
    """BiFPN: Tan et al., arXiv:1911.09070. Its results are in a dictionary and a tuple."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([conv(3, 8, 3, 2), conv(8, 8, 3, 2)])
        self.fuse = nn.ModuleList([conv(8, 8, 3, groups=8, act=nn.SiLU) for _ in range(2)])
        self.weights = nn.Parameter(torch.rand(2, 2))

    def weighted(self, i, x, y):
        w = functional.relu(self.weights[i])
        w = w / (w.sum() + 1e-4)
        return self.fuse[i](functional.silu(w[0] * x + w[1] * y))

    def forward(self, x):
        fine = self.down[0](x)
        coarse = self.down[1](fine)
        fine = self.weighted(0, fine, functional.interpolate(coarse, scale_factor=2, mode="nearest"))
        lower = functional.max_pool2d(functional.pad(fine, (0, 1, 0, 1)), 3, 2)
        return {"fine": fine, "others": (self.weighted(1, coarse, lower), coarse)}


class Codec(nn.Module):
    """As EnCodec has it, arXiv:2210.13438: convolutions with normed weights that are padded by reflection, places in a
    codebook, and transposed convolutions that are cut.
    """

    def __init__(self):
        super().__init__()
        norm = parametrizations.weight_norm
        self.first, self.last = norm(nn.Conv1d(1, 8, 7)), norm(nn.Conv1d(8, 1, 7))
        self.down, self.up = norm(nn.Conv1d(8, 16, 8, 4)), norm(nn.ConvTranspose1d(16, 8, 8, 4))
        self.register_buffer("book", torch.randn(32, 16))

    def forward(self, x):
        scale = x.pow(2).mean((1, 2), keepdim=True).sqrt() + 1e-8
        y = functional.elu(self.first(functional.pad(x / scale, (6, 0), mode="reflect")))
        y = self.down(functional.pad(y, (4, 0), mode="reflect")).transpose(1, 2)
        distance = y.pow(2).sum(2, keepdim=True) - 2 * y @ self.book.t() + self.book.pow(2).sum(1)
        places = (-distance).argmax(-1)
        y = self.up(functional.embedding(places, self.book).transpose(1, 2))[..., :-4]
        return self.last(functional.pad(functional.elu(y), (6, 0), mode="reflect")) * scale, places


class Standardised(nn.Conv2d):
    """With a weight of mean 0 and variance 1: Brock et al., arXiv:2102.06171."""

    def forward(self, x):
        variance, mean = torch.var_mean(self.weight, (1, 2, 3), keepdim=True)
        weight = (self.weight - mean) * torch.rsqrt((variance * self.weight[0].numel()).clamp(min=1e-4))
        return self._conv_forward(x, weight, self.bias)


class Flow(nn.Module):
    """A step of RAFT, arXiv:2003.12039: all pairs of pixels, a look-up by `grid_sample`, a recurrent unit, `unfold`."""

    def __init__(self):
        super().__init__()
        self.features, self.unit = conv(3, 16, 7, 4), nn.ModuleList([nn.Conv2d(27, 16, 3, padding=1) for _ in range(3)])
        self.flow, self.mask = nn.Conv2d(16, 2, 3, padding=1), nn.Conv2d(16, 4 * 9, 1)

    def forward(self, x, y):
        state, other = self.features(x), self.features(y)
        n, c, h, w = state.shape
        pairs = (state.flatten(2).mT @ other.flatten(2)).view(n * h * w, 1, h, w) / math.sqrt(c)
        axes = (torch.linspace(-1, 1, 3, dtype=x.dtype) for _ in range(2))
        near = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)
        flow = torch.zeros(n, 2, h, w, dtype=x.dtype)
        for _ in range(2):
            grid = flow.permute(0, 2, 3, 1).reshape(-1, 1, 1, 2) + near
            found = functional.grid_sample(pairs, grid, align_corners=True).view(n, h, w, 9).permute(0, 3, 1, 2)
            gate, reset, new = self.unit
            both = torch.cat([state, found, flow], 1)
            z, r = gate(both).sigmoid(), reset(both).sigmoid()
            state = (1 - z) * state + z * torch.tanh(new(torch.cat([r * state, found, flow], 1)))
            flow = flow + self.flow(state)
        mask = self.mask(state).view(n, 1, 9, 2, 2, h, w).softmax(2)
        patches = functional.unfold(2 * flow, 3, padding=1).view(n, 2, 9, 1, 1, h, w)
        return (mask * patches).sum(2).permute(0, 1, 4, 2, 5, 3).reshape(n, 2, 2 * h, 2 * w)


class Selective(nn.Module):
    """SKNet: Li et al., arXiv:1903.06586."""

    def __init__(self):
        super().__init__()
        self.stem = conv(3, 32, 3, 2)
        self.branches = nn.ModuleList([nn.Conv2d(32, 32, 3, 1, d, d, groups=4) for d in (1, 2)])
        self.squeeze, self.expand = conv(32, 8), nn.ModuleList([nn.Conv2d(8, 32, 1) for _ in range(2)])

    def forward(self, x):
        x = self.stem(x)
        y = torch.stack([branch(x) for branch in self.branches], 1)
        z = self.squeeze(y.sum(1).mean((2, 3), keepdim=True))
        weights = torch.softmax(torch.stack([layer(z) for layer in self.expand], 1), 1)
        return (y * weights).sum(1)


class Mixer(nn.Module):
    """MLP-Mixer, arXiv:2105.01601, then the gate of gMLP, arXiv:2105.08050, then FNet's transform, arXiv:2105.03824."""

    def __init__(self):
        super().__init__()
        self.patches, self.norm = nn.Conv2d(3, 32, 8, 8), nn.LayerNorm(32)
        self.tokens = nn.Sequential(nn.Linear(64, 48), nn.GELU(), nn.Linear(48, 64))
        self.wide, self.gate, self.out = nn.Linear(32, 128), nn.Conv1d(64, 64, 1), nn.Linear(64, 32)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = x + self.tokens(self.norm(x).transpose(1, 2)).transpose(1, 2)
        u, v = functional.gelu(self.wide(self.norm(x))).chunk(2, -1)
        x = x + self.out(u * (self.gate(v) + 1))
        return self.norm(x + torch.fft.fft2(x).real).mean(1)


class Streaming(nn.Module):
    """A convolution that keeps the end of its input for the next call."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 3)
        self.register_buffer("kept", torch.zeros(1, 4, 2))

    def forward(self, x):
        y = torch.cat([self.kept, x], -1)
        self.kept.copy_(y[..., -2:])
        return self.conv(y)


def spectral():
    """Both ways of PyTorch's to norm a weight, and filters that are twice as many as channels."""
    layers = [parametrizations.spectral_norm(nn.Conv2d(3, 16, 3)), nn.LeakyReLU(0.1), nn.Conv2d(16, 32, 3, groups=16)]
    return nn.Sequential(*layers, nn.utils.weight_norm(nn.ConvTranspose2d(32, 8, 4, 2, 1)), nn.Flatten())


def standardised():
    return nn.Sequential(Standardised(3, 16, 3, 2, 1), nn.GELU(), Standardised(16, 16, 3, groups=2), nn.Sigmoid())


NETWORKS = {
    "pyramid": (Pyramid, [(2, 3, 32, 48)], 0),
    "codec": (Codec, [(2, 1, 160)], None),
    "standardised": (standardised, [(2, 3, 32, 24)], 0),
    "flow": (Flow, [(2, 3, 32, 40)] * 2, None),
    "selective": (Selective, [(2, 3, 32, 24)], None),
    "mixer": (Mixer, [(2, 3, 64, 64)], None),
    "spectral": (spectral, [(2, 3, 16, 16)], 1),
}


def made(name, dtype):
    torch.manual_seed(0)
    make, shapes, _ = NETWORKS[name]
    network = make().eval().to(dtype)
    return network, [torch.randn(shape, dtype=torch.float64).to(dtype) for shape in shapes]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("way", ["compile", "convert"])
def test_a_stranger(name, way):
    (network, args), (exact, doubles) = (made(name, dtype) for dtype in (torch.float32, torch.float64))
    torch._dynamo.reset()
    with torch.inference_mode(way == "compile"), torch.no_grad():
        if way == "compile":
            found = torch.compile(network, backend="fastconv", fullgraph=True)
        else:
            found = fastconv.torch.convert(network, tuple(args))
        ran = Ran()
        result, eager, wanted = found(*args), network(*args), exact(*doubles)
    assert ran.plans >= 1
    assert ran.left == 0
    if (operators := NETWORKS[name][2]) is not None:
        assert ran.operators <= operators
    leaves, spec = pytree.tree_flatten(result)
    assert spec == pytree.tree_structure(wanted)
    for y, own, want in zip(leaves, pytree.tree_leaves(eager), pytree.tree_leaves(wanted), strict=True):
        assert y.stride() == own.stride()
        assert (y - want).abs().max() <= max(1e-5 * want.abs().max(), 4 * (own - want).abs().max())


def test_a_state_that_calls_change():
    torch._dynamo.reset()
    (network, other), xs = (Streaming().eval() for _ in range(2)), torch.randn(3, 1, 4, 8)
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        compiled, ran = torch.compile(other, backend="fastconv", fullgraph=True), Ran()
        for x in xs:
            torch.testing.assert_close(compiled(x), network(x), rtol=1e-4, atol=1e-5)
        assert (ran.left, ran.plans) == (0, 3)
        with pytest.raises(ValueError, match="changes its buffers or its arguments in a call"):
            fastconv.torch.convert(network, xs[0])
