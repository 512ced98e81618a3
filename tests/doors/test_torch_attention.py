"""Attention in PyTorch's modules: each is one step of fastconv's, and gives what eager does."""

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention as attention
from torch_compiling import Ran, close, seeded, ways

import fastconv.torch

BATCH, HEADS, ROWS, COLUMNS, DEPTH = 2, 4, 10, 12, 16


Q, K, V = (seeded(BATCH, HEADS, n, DEPTH) for n in (ROWS, COLUMNS, COLUMNS))
NARROW = seeded(BATCH, HEADS, COLUMNS, 8)
MASK, BIAS = seeded(ROWS, COLUMNS) > -0.5, seeded(BATCH, 1, ROWS, COLUMNS)
PACKED = seeded(BATCH, ROWS, 3 * HEADS * DEPTH)


def written(scale=lambda x: x, between=lambda x: x):
    return lambda q, k, v, *more: between((scale(q) @ k.mT), *more).softmax(-1) @ v


def in_rows(x):
    """The same values, all heads of a row side by side."""
    return x.transpose(1, 2).contiguous().transpose(1, 2)


def of_packed(x):
    """As a layer of a vision transformer has it, in rows again."""
    q, k, v = x.view(BATCH, ROWS, 3, HEADS, DEPTH).permute(2, 0, 3, 1, 4).unbind(0)
    return attention(q, k, v).transpose(1, 2).reshape(BATCH, ROWS, HEADS * DEPTH)


def windows(q, k, v, mask):
    """Scores of windows in turns, each with a mask of its own, as a shifted window has them."""
    scores = (q * 0.25) @ k.mT + BIAS[:1]
    scores = (scores.view(1, BATCH, HEADS, ROWS, COLUMNS) + mask[:, None]).view(scores.shape)
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


def safe_in_stacks(q, k, v, mask):
    """As PyTorch has it of values of another size, with the scores in one stack before the mask."""
    scores = torch.bmm(q.flatten(0, 1), k.flatten(0, 1).mT).view(*q.shape[:3], k.shape[2])
    shares = torch.ops.aten._safe_softmax(scores / 4 + mask, -1)
    return torch.bmm(shares.flatten(0, 1), v.flatten(0, 1)).view(*q.shape[:3], v.shape[3])


CASES = {
    "plain": (attention, (Q, K, V)),
    "other values": (attention, (Q, K, NARROW)),
    "a scale": (lambda q, k, v: attention(q, k, v, scale=0.3), (Q, K, V)),
    "a mask": (attention, (Q, K, V, MASK)),
    "a mask of images": (attention, (Q, K, V, (BIAS > 0) | (torch.arange(COLUMNS) < 1))),
    "a bias": (attention, (Q, K, V, BIAS)),
    "a bias of columns": (attention, (Q, K, V, BIAS[:1, :, :1])),
    "causal": (lambda q, k, v: attention(q, k, v, is_causal=True), (Q, K, V)),
    "causal of more rows": (lambda q, k, v: attention(k, q, q, is_causal=True), (Q, K, V)),
    "groups of heads": (lambda q, k, v: attention(q, k[:, :2], v[:, :2], enable_gqa=True), (Q, K, V)),
    "groups of heads and a bias": (
        lambda q, k, v, b: attention(q, k[:, :2], v[:, :2], b, enable_gqa=True),
        (Q, K, V, BIAS),
    ),
    "one head of keys": (lambda q, k, v: attention(q, k[:, :1], v[:, :1]), (Q, K, V)),
    "three axes": (attention, (Q[0], K[0], V[0])),
    "five axes": (attention, tuple(x.view(1, BATCH, *x.shape[1:]) for x in (Q, K, V))),
    "one image in rows": (attention, tuple(in_rows(x[:1]) for x in (Q, K, V))),
    "in float64": (attention, (Q.double(), K.double(), V.double())),
    "packed": (of_packed, (PACKED,)),
    "written": (written(), (Q, K, V)),
    "scaled": (written(lambda q: q * 0.25), (Q, K, V)),
    "divided": (written(between=lambda x: x / 4), (Q, K, V)),
    "with a bias": (written(lambda q: q * 0.25, lambda x, b: x + b), (Q, K, V, BIAS)),
    "with a bias before": (written(between=lambda x, b: b + 0.25 * x), (Q, K, V, BIAS)),
    "of stacks": (lambda q, k, v: torch.bmm(torch.bmm(q, k.mT).softmax(2), v), (Q[0], K[0], V[0])),
    "windows": (windows, (Q, K, V, BIAS[:, 0])),
}
LEFT = {
    "few rows": (attention, (Q[:, :, :3], K, V)),
    "a filled mask": (lambda q, k, v, m: (q @ k.mT).masked_fill(m, -1e4).softmax(-1) @ v, (Q, K, V, MASK)),
    "a scale of a run": (lambda q, k, v, b: written(between=lambda x: x * b)(q, k, v), (Q, K, V, BIAS)),
    "another axis": (lambda q, k, v: (q @ k.mT).softmax(-2) @ v, (Q, K, V)),
    "powers that others read": (lambda q, k, v: [(p := (q @ k.mT).softmax(-1)) @ v, p], (Q, K, V)),
    "scores that others read": (lambda q, k, v: [(s := q @ k.mT).softmax(-1) @ v, s], (Q, K, V)),
}


class Beside(nn.Module):
    """A function, and a convolution, without which a graph is PyTorch's."""

    def __init__(self, function):
        super().__init__()
        self.function, self.conv = function, nn.Conv2d(3, 3, 1)

    def forward(self, x, *args):
        return self.conv(x), self.function(*args)


def ran(function, args):
    """What was counted in the first call of each way, whose results are eager's."""
    net, args = Beside(function).eval(), (seeded(1, 3, 8, 8), *args)
    with torch.no_grad():
        wanted = net(*args)[1]
        for way in ways(net, args):
            counted = Ran()
            close(way(*args)[1], wanted)
            yield counted.plans, counted.operators


@pytest.mark.parametrize("name", CASES)
def test_an_attention_is_one_step(name):
    for plans, _ in ran(*CASES[name]):
        assert plans == 2


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_to_pytorch(name):
    for plans, _ in ran(*LEFT[name]):
        assert plans == 1


def test_the_result_is_read_where_it_lies():
    """Between the layers before and behind an attention PyTorch takes the queries, keys and values apart, no more."""
    for first in ({"embed": 64}, {"embed": 64, "fused": False}):
        net, x = Layer(**first).eval(), seeded(BATCH, 3, 64, 64)
        with torch.no_grad():
            wanted, converted, counted = net(x), fastconv.torch.convert(net, x), Ran()
            close(converted(x), wanted)
        assert counted.plans == 3
        assert counted.operators <= 5


class Layer(nn.Module):
    """A layer of a vision transformer behind its patches."""

    def __init__(self, embed, fused=True):
        super().__init__()
        self.patches, self.packed, self.out = nn.Conv2d(3, embed, 4, 4), nn.Linear(embed, 3 * embed), nn.Linear(64, 64)
        self.norm, self.fused = nn.LayerNorm(embed), fused

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        n, rows, channels = x.shape
        q, k, v = self.packed(self.norm(x)).view(n, rows, 3, 4, channels // 4).permute(2, 0, 3, 1, 4).unbind(0)
        y = attention(q, k, v) if self.fused else written(lambda q: q * 0.25)(q, k, v)
        return x + self.out(y.transpose(1, 2).reshape(x.shape))


@pytest.mark.parametrize("is_float", [False, True])
def test_a_row_that_sees_nothing_is_zero(is_float):
    """As in eager mode, where the softmax alone would give NaN; other rows keep their bits."""
    mask = MASK.clone()
    mask[3] = False
    args = Q, K, V, torch.where(mask, 0.0, -torch.inf) if is_float else mask
    others = Q, K, V, torch.where(MASK, 0.0, -torch.inf) if is_float else MASK
    net, x = Beside(attention).eval(), seeded(1, 3, 8, 8)
    for way in ways(net, (x, *args)):
        with torch.no_grad():
            y, other = (way(x, *given)[1] for given in (args, others))
        assert (y[:, :, 3] == 0).all()
        close(y, attention(*args))
        y[:, :, 3] = other[:, :, 3]
        torch.testing.assert_close(y, other, rtol=0, atol=0)


@pytest.mark.parametrize("function", [attention, safe_in_stacks])
def test_such_a_row_beside_what_is_no_number(function):
    """Shares of 0 give NaN of values that are not finite."""
    mask = torch.where(seeded(BATCH, HEADS, ROWS, COLUMNS) > 0, 0.0, -torch.inf)
    mask[0, 1, 3] = mask[1, 2, 4] = -torch.inf
    v = V.clone()
    v[0, 1, 2, 3] = torch.inf
    net, args = Beside(function).eval(), (seeded(1, 3, 8, 8), Q, K, v, mask)
    wanted = function(*args[1:])
    for way in ways(net, args):
        with torch.no_grad():
            counted, y = Ran(), way(*args)[1]
        assert counted.plans == 2
        assert y.stride() == wanted.stride()
        torch.testing.assert_close(y, wanted, equal_nan=True)


def test_a_row_of_overflowing_products_beside_one_that_sees_nothing():
    q, k, mask = Q.clone(), K.clone(), torch.zeros(ROWS, COLUMNS)
    mask[3] = -torch.inf
    q[0, 0, 0], k[0, 0] = -torch.finfo(q.dtype).max / 16, 2
    net, x = Beside(lambda *args: attention(*args, scale=1e-3)).eval(), seeded(1, 3, 8, 8)
    for way in ways(net, (x, q, k, V, mask)):
        with torch.no_grad():
            y = way(x, q, k, V, mask)[1]
        assert (y[:, :, 3] == 0).all()
        torch.testing.assert_close(y[0, 0, 0], V[0, 0].mean(0))


def test_what_is_no_number_stays_in_its_row():
    q = Q.clone()
    q[1, 2, 3, 4] = torch.nan
    net, x = Beside(attention).eval(), seeded(1, 3, 8, 8)
    for way in ways(net, (x, q, K, V)):
        with torch.no_grad():
            y, wanted = way(x, q, K, V)[1], way(x, Q, K, V)[1]
        assert y[1, 2, 3].isnan().all()
        y[1, 2, 3] = wanted[1, 2, 3]
        torch.testing.assert_close(y, wanted, rtol=0, atol=0)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("values", [(torch.inf, -torch.inf), (3e38, 3e38)])
def test_values_that_are_infinite_or_huge_are_told_by_no_warning(values):
    v = V.clone()
    v[0, :, 0, 0], v[:, 1, 1, 1] = values
    for plans, _ in ran(attention, (Q, K, v)):
        assert plans == 2


@pytest.mark.parametrize("dynamic", [False, True])
def test_dynamic_shapes(dynamic):
    net, xs = Layer(64).eval(), [seeded(n, 3, size, size) for n, size in ((2, 64), (1, 64), (3, 72))]
    torch._dynamo.reset()
    with torch.no_grad():
        compiled, counted = torch.compile(net, backend="fastconv", dynamic=dynamic), Ran()
        for x in xs:
            close(compiled(x), net(x))
    assert counted.left == 0
    assert counted.plans == 3 * len(xs)


def test_the_same_bits_for_any_team_and_batch():
    net, x, threads = Layer(64).eval(), seeded(3, 3, 64, 64), torch.get_num_threads()
    try:
        with torch.no_grad():
            converted, found = fastconv.torch.convert(net, x), []
            for n in (1, 2, 3):
                torch.set_num_threads(n)
                found += [converted(x), torch.cat([converted(one) for one in x.split(1)])]
    finally:
        torch.set_num_threads(threads)
    for y in found[1:]:
        torch.testing.assert_close(y, found[0], rtol=0, atol=0)
