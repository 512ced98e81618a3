"""Parts of channels, stacks, pixels by channels, and what is picked by numbers: modules of these are one plan."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch_compiling import Ran, close, compiled, seeded

import fastconv.torch

pytestmark = pytest.mark.filterwarnings("ignore")


class Between(nn.Module):
    """A function of two maps, between convolutions."""

    def __init__(self, function):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(3, 8, 3, padding=1)
        self.wide, self.narrow, self.last = nn.Conv2d(8, 16, 1), nn.Conv2d(8, 1, 1), nn.Conv2d(8, 4, 1)
        self.spatial, self.function = nn.Conv2d(2, 1, 3, padding=1), function

    def forward(self, x):
        return self.last(self.function(self, torch.tanh(self.first(x)), torch.relu(self.second(x))))


def pixel(x):
    return x.mean((2, 3), keepdim=True)


def selective(net, a, b):
    """SKNet: Li et al., arXiv:1903.06586."""
    x = torch.stack([a, b], 1)
    return (x * net.wide(pixel(x.sum(1))).view(len(a), 2, 8, 1, 1).softmax(1)).sum(1)


def chosen(net, a, b):
    """The same with the shares taken apart."""
    shares = net.wide(pixel(a + b)).view(len(a), 2, 8, 1, 1).softmax(1)
    return a * shares[:, 0] + b * shares[:, 1]


def split(net, a, b):
    """ResNeSt: Zhang et al., arXiv:2004.08955."""
    x = torch.cat([a, b], 1).view(len(a), 2, 8, *a.shape[2:])
    shares = net.wide(pixel(x.sum(1))).view(len(a), 1, 2, -1).transpose(1, 2).softmax(1).reshape(len(a), -1)
    return (x * shares.view(len(a), -1, 1, 1).reshape(len(a), 2, 8, 1, 1)).sum(1)


def spatial(net, a, b):
    """CBAM: Woo et al., arXiv:1807.06521."""
    pools = torch.max(a, 1)[0].unsqueeze(1), torch.mean(a, 1).unsqueeze(1)
    return a * torch.sigmoid(net.spatial(torch.cat(pools, 1)))


def halves(net, a, b):
    first, second = torch.cat([a, b], 1).view(len(a), 2, 8, *a.shape[2:]).split(1, 1)
    return first.cumsum(3).flatten(1, 2) - second.cumsum(3).flatten(1, 2)


def bottleneck(net, a, b):
    """BAM: Park et al., arXiv:1807.06514."""
    return a * (1 + torch.sigmoid(pixel(b) * net.narrow(a)))


def expanded(net, a, b):
    return a * torch.sigmoid(pixel(b).expand_as(a) + net.narrow(a).expand_as(a))


def by_hand(x, y, value=0.0, sizes=None):
    """The divisor of a response norm, of two maps, or along another axis than the channels."""
    squares = (x * y).view(sizes or (len(x), 1, *x.shape[1:]))
    squares = functional.pad(squares, (0, 0) * (squares.dim() - 3) + (1, 1), value=value)
    pool = functional.avg_pool2d if squares.dim() == 4 else functional.avg_pool3d
    means = pool(squares, (3, *(1,) * (squares.dim() - 3)), 1)
    return means.view(x.shape).mul(0.5).add(2.0).pow(0.75)


FUNCTIONS = {
    "a mean of a stack": lambda net, a, b: torch.stack([a, b]).mean(0),
    "a sum after the channels": lambda net, a, b: torch.stack([a, b], 2).sum(2),
    "a sum along the last axis": lambda net, a, b: torch.stack([a, b, a], -1).sum(-1),
    "a maximum of a stack": lambda net, a, b: torch.stack([a, b, a + b]).max(0)[0],
    "a maximum that keeps its axis": lambda net, a, b: torch.stack([a, b], 1).amax(1, keepdim=True).squeeze(1),
    "halves of the channels": lambda net, a, b: torch.cat([a, b], 1).view(len(a), 2, 8, *a.shape[2:]).max(1)[0],
    "pairs of channels": lambda net, a, b: torch.cat([a, b], 1).view(len(a), 8, 2, *a.shape[2:]).mean(2),
    "one of a stack": lambda net, a, b: torch.stack([a, b]).unbind(0)[0] - torch.stack([a, b], 1)[:, 1],
    "channels of a stack": lambda net, a, b: a * torch.stack([a, b], 1).sum(2)[:, :1],
    "two channels of each": lambda net, a, b: a + torch.stack([a[:, :2], b[:, :2]], 1).amax(2).amax(1, keepdim=True),
    "some of a stack": lambda net, a, b: torch.stack([a, b, a], 1)[:, 1:].sum(1),
    "one of each pair": lambda net, a, b: torch.cat([a, b], 1).view(len(a), 8, 2, *a.shape[2:])[:, :, 1],
    "a stack as channels": lambda net, a, b: torch.stack([a, b], 2).flatten(1, 2)[:, 3:11],
    "means over rows and columns": lambda net, a, b: a * a.mean(2).unsqueeze(2) * a.mean(3).unsqueeze(3),
    "rows by columns": lambda net, a, b: b * (a.mean(2, keepdim=True) + a.mean(3, keepdim=True)),
    "a stack of what channels have": lambda net, a, b: a * net.spatial(torch.stack([a.amax(1), a.mean(1)], 1)),
    "channels by numbers": lambda net, a, b: a * b[:, [7, 0, -1, 2, 3, 4, 5, 5]],
    "channels by a tensor": lambda net, a, b: a + torch.index_select(b, 1, torch.tensor([4, 5, 6, 7, 0, 1, 2, 3])),
    "reflections": lambda net, a, b: a.flip(3) + b.flip(1, 2),
    "rolls": lambda net, a, b: a.roll((1, -2), (2, 3)) + b.roll(3, 1),
    "deviations": lambda net, a, b: (a - pixel(a)) / (a.std((2, 3), keepdim=True) + b.var((2, 3), keepdim=True) + 0.1),
    "sums with factors": lambda net, a, b: a.add(b, alpha=0.3) - b.sub(1, alpha=3) + torch.addcmul(a, b, b, value=0.5),
    "between": lambda net, a, b: torch.lerp(a, b, 0.3) + torch.lerp(a, b, 0.75),
    "a response norm": lambda net, a, b: functional.local_response_norm(a, 5) + nn.LocalResponseNorm(3, 2, 0.5, 2)(b),
    "selective kernels": selective,
    "chosen kernels": chosen,
    "split attention": split,
    "spatial attention": spatial,
    "a bottleneck's attention": bottleneck,
    "an expanded attention": expanded,
}


def made(function):
    torch.manual_seed(0)
    return Between(function).eval()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_plan(name):
    net, x, other = made(FUNCTIONS[name]), seeded(2, 3, 10, 12), seeded(1, 3, 9, 7)
    with torch.no_grad():
        converted = fastconv.torch.convert(net, x)
        for image in x, other:
            ran = Ran()
            close(converted(image), net(image))
            assert (ran.plans, ran.operators) == (1, 0)


@pytest.mark.parametrize("name", ["one of a stack", "reflections", "split attention"])
def test_one_plan_of_dynamo(name):
    net, x = made(FUNCTIONS[name]), seeded(2, 3, 10, 12)
    with torch.no_grad():
        torch._dynamo.reset()
        ran = Ran()
        close(compiled(net)(x), net(x))
        assert (ran.plans, ran.operators) == (1, 0)


OTHERS = {  # which no graph of fastconv has in one piece, and are right all the same
    "many parts": lambda net, a, b: torch.stack([a] * 9 + [b], 1).sum(1),
    "groups of parts": lambda net, a, b: (
        a * torch.cat([a, b], 1).view(len(a), 2, 2, 4, *a.shape[2:]).sum(2).flatten(1, 2)
    ),
    "a stack that is read": lambda net, a, b: torch.stack([a, b], 3).cumsum(3)[:, :, :, 1],
    "an even response norm": lambda net, a, b: functional.local_response_norm(a, 4),
    "a response norm of other values": lambda net, a, b: b / by_hand(a, a),
    "a response norm between ones": lambda net, a, b: a / by_hand(a, a, 1.0),
    "a response norm along rows": lambda net, a, b: a / by_hand(a, a, sizes=a.shape),
    "a response norm of images": lambda net, a, b: a / by_hand(a, a, sizes=(1, 1, len(a), 8, a[0, 0].numel())),
    "a response norm of columns": lambda net, a, b: a / by_hand(a, a, sizes=(len(a), 8, *a.shape[2:], 1)),
    "an average that others read": lambda net, a, b: a / by_hand(a, a) + by_hand(a, b),
    "other sizes": lambda net, a, b: torch.cat([a, b[:, :4], b[:, :4]], 1).view(len(a), 2, 8, *a.shape[2:]).sum(1),
    "halves that are read": halves,
    "a softmax over pixels": lambda net, a, b: torch.stack([a, b], 1).softmax(1).sum(1),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_parts(name):
    net, x = made(OTHERS[name]), seeded(2, 3, 10, 12)
    with torch.no_grad():
        close(fastconv.torch.convert(net, x)(x), net(x))
