"""Published networks as PyTorch modules, written from the papers, with seeded weights and statistics."""

import torch
from torch import nn


def seeded(network):
    """The network in eval mode, whose values stay near 1 through its layers."""
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_in")
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1)
            nn.init.normal_(layer.bias, std=0.1)
            nn.init.normal_(layer.running_mean, std=0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return network.eval()


class Residual(nn.Module):
    """x + body(x), or relu of it with a projected x."""

    def __init__(self, body, shortcut=None, relu=False):
        super().__init__()
        self.body, self.shortcut, self.relu = body, shortcut, relu

    def forward(self, x):
        y = self.body(x)
        y += x if self.shortcut is None else self.shortcut(x)
        return torch.nn.functional.relu(y, inplace=True) if self.relu else y


def conv(inputs, outputs, kernel=1, stride=1, groups=1, act=nn.ReLU, padding=None, eps=1e-5):
    """A convolution, batch norm and activation."""
    padding = kernel // 2 if padding is None else padding
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)]
    layers += [nn.BatchNorm2d(outputs, eps=eps), *([act(inplace=True)] if act else [])]
    return nn.Sequential(*layers)


def head(channels, classes=1000):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]


def resnet(depth):
    """He et al., arXiv:1512.03385, with the stride in the 3×3."""
    stages = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}[depth]
    layers, channels = [conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for stage, blocks in enumerate(stages):
        for i in range(blocks):
            width, stride = 64 * 2**stage, 2 if stage and not i else 1
            outputs = width if depth < 50 else 4 * width
            if depth < 50:
                body = [conv(channels, width, 3, stride), conv(width, width, 3, act=None)]
            else:
                body = [conv(channels, width), conv(width, width, 3, stride), conv(width, outputs, act=None)]
            changes = stride > 1 or channels != outputs
            shortcut = conv(channels, outputs, 1, stride, act=None) if changes else None
            layers.append(Residual(nn.Sequential(*body), shortcut, relu=True))
            channels = outputs
    return nn.Sequential(*layers, *head(channels))


class Branches(nn.Module):
    """The results of several branches, one after the other along the channels."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


def squeezenet():
    """SqueezeNet 1.1: Iandola et al., arXiv:1602.07360."""

    def relu(*arguments, **options):
        return nn.Sequential(nn.Conv2d(*arguments, **options), nn.ReLU(inplace=True))

    def fire(inputs, squeeze, expand):
        return nn.Sequential(
            relu(inputs, squeeze, 1), Branches(relu(squeeze, expand, 1), relu(squeeze, expand, 3, padding=1))
        )

    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    return nn.Sequential(
        *(relu(3, 64, 3, stride=2), pool(), fire(64, 16, 64), fire(128, 16, 64), pool(), fire(128, 32, 128)),
        *(fire(256, 32, 128), pool(), fire(256, 48, 192), fire(384, 48, 192), fire(384, 64, 256), fire(512, 64, 256)),
        *(nn.Dropout(), relu(512, 1000, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )


def googlenet():
    """Szegedy et al., arXiv:1409.4842, with batch norms for the local response norms."""

    def inception(inputs, one, reduce3, three, reduce5, five, pool):
        return Branches(
            conv(inputs, one),
            nn.Sequential(conv(inputs, reduce3), conv(reduce3, three, 3)),
            nn.Sequential(conv(inputs, reduce5), conv(reduce5, five, 5)),
            nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), conv(inputs, pool)),
        )

    rows = [
        *((192, 64, 96, 128, 16, 32, 32), (256, 128, 128, 192, 32, 96, 64), None, (480, 192, 96, 208, 16, 48, 64)),
        *((512, 160, 112, 224, 24, 64, 64), (512, 128, 128, 256, 24, 64, 64), (512, 112, 144, 288, 32, 64, 64)),
        *((528, 256, 160, 320, 32, 128, 128), None, (832, 256, 160, 320, 32, 128, 128)),
        (832, 384, 192, 384, 48, 128, 128),
    ]
    blocks = [inception(*row) if row else nn.MaxPool2d(3, 2, ceil_mode=True) for row in rows]
    stem = [conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, ceil_mode=True), conv(64, 64), conv(64, 192, 3)]
    return nn.Sequential(*stem, nn.MaxPool2d(3, 2, ceil_mode=True), *blocks, *head(1024))


class Squeeze(nn.Module):
    """Squeeze and excitation: Hu et al., arXiv:1709.01507."""

    def __init__(self, channels, squeezed, act, gate):
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)
        self.act, self.gate = act(), gate()

    def forward(self, x):
        return x * self.gate(self.expand(self.act(self.reduce(x.mean((2, 3), keepdim=True)))))


def inverted(inputs, hidden, outputs, kernel, stride, act, squeeze=None, eps=1e-5):
    """An inverted residual: Sandler et al., arXiv:1801.04381."""
    layers = [conv(inputs, hidden, act=act, eps=eps)] if hidden != inputs else []
    layers.append(conv(hidden, hidden, kernel, stride, hidden, act, eps=eps))
    layers += [squeeze] if squeeze else []
    layers.append(conv(hidden, outputs, act=None, eps=eps))
    body = nn.Sequential(*layers)
    return Residual(body) if stride == 1 and inputs == outputs else body


def mobilenet_v2():
    """Sandler et al., arXiv:1801.04381."""
    layers, channels = [conv(3, 32, 3, 2, act=nn.ReLU6)], 32
    rows = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, outputs, repeats, stride in rows:
        for i in range(repeats):
            hidden = channels * expansion
            layers.append(inverted(channels, hidden, outputs, 3, 1 if i else stride, nn.ReLU6))
            channels = outputs
    return nn.Sequential(*layers, conv(320, 1280, act=nn.ReLU6), *head(1280))


def mobilenet_v3():
    """MobileNetV3-Large: Howard et al., arXiv:1905.02244."""
    re, hs = nn.ReLU, nn.Hardswish
    rows = [
        *((3, 16, 16, 0, re, 1), (3, 64, 24, 0, re, 2), (3, 72, 24, 0, re, 1), (5, 72, 40, 24, re, 2)),
        *((5, 120, 40, 32, re, 1), (5, 120, 40, 32, re, 1), (3, 240, 80, 0, hs, 2), (3, 200, 80, 0, hs, 1)),
        *((3, 184, 80, 0, hs, 1), (3, 184, 80, 0, hs, 1), (3, 480, 112, 120, hs, 1), (3, 672, 112, 168, hs, 1)),
        *((5, 672, 160, 168, hs, 2), (5, 960, 160, 240, hs, 1), (5, 960, 160, 240, hs, 1)),
    ]
    layers, channels = [conv(3, 16, 3, 2, act=hs, eps=0.001)], 16
    for kernel, hidden, outputs, squeezed, act, stride in rows:
        squeeze = Squeeze(hidden, squeezed, nn.ReLU, nn.Hardsigmoid) if squeezed else None
        layers.append(inverted(channels, hidden, outputs, kernel, stride, act, squeeze, eps=0.001))
        channels = outputs
    tail = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(960, 1280), nn.Hardswish(), nn.Dropout(0.2)]
    return nn.Sequential(*layers, conv(160, 960, act=hs, eps=0.001), *tail, nn.Linear(1280, 1000))


def efficientnet_b0():
    """Tan and Le, arXiv:1905.11946."""
    layers, channels = [conv(3, 32, 3, 2, act=nn.SiLU)], 32
    rows = [(1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2), (6, 5, 112, 3, 1)]
    for expansion, kernel, outputs, repeats, stride in [*rows, (6, 5, 192, 4, 2), (6, 3, 320, 1, 1)]:
        for i in range(repeats):
            hidden = channels * expansion
            squeeze = Squeeze(hidden, channels // 4, nn.SiLU, nn.Sigmoid)
            layers.append(inverted(channels, hidden, outputs, kernel, 1 if i else stride, nn.SiLU, squeeze))
            channels = outputs
    return nn.Sequential(*layers, conv(320, 1280, act=nn.SiLU), *head(1280))


class Dense(nn.Module):
    """x, and behind it what a layer makes of it."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return torch.cat([x, self.layer(x)], 1)


def densenet121():
    """Huang et al., arXiv:1608.06993."""

    def before(inputs, outputs, kernel=1):
        convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(inplace=True), convolution)

    layers, channels = [conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for block, repeats in enumerate((6, 12, 24, 16)):
        for _ in range(repeats):
            layers.append(Dense(nn.Sequential(before(channels, 128), before(128, 32, 3))))
            channels += 32
        if block < 3:
            layers += [before(channels, channels // 2), nn.AvgPool2d(2)]
            channels //= 2
    return nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU(inplace=True), *head(channels))


class Shuffled(nn.Module):
    """A unit of ShuffleNetV2: half of the channels, or all with a stride, through a branch, then shuffled in pairs."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        half, self.stride = outputs // 2, stride
        taken = inputs if stride > 1 else inputs // 2
        body = conv(taken, half), conv(half, half, 3, stride, half, act=None), conv(half, half)
        self.body = nn.Sequential(*body)
        self.other = nn.Sequential(conv(taken, taken, 3, stride, taken, act=None), conv(taken, half))

    def forward(self, x):
        if self.stride > 1:
            y = torch.cat([self.other(x), self.body(x)], 1)
        else:
            kept, taken = x.chunk(2, 1)
            y = torch.cat([kept, self.body(taken)], 1)
        n, c, h, w = y.shape
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


def shufflenet_v2():
    """ShuffleNetV2 1×: Ma et al., arXiv:1807.11164."""
    layers, channels = [conv(3, 24, 3, 2), nn.MaxPool2d(3, 2, 1)], 24
    for outputs, repeats in ((116, 4), (232, 8), (464, 4)):
        for i in range(repeats):
            layers.append(Shuffled(channels, outputs, 1 if i else 2))
            channels = outputs
    return nn.Sequential(*layers, conv(464, 1024), *head(1024))


NETWORKS = {
    "resnet18": lambda: resnet(18),
    "resnet50": lambda: resnet(50),
    "squeezenet": squeezenet,
    "googlenet": googlenet,
    "mobilenet_v2": mobilenet_v2,
    "mobilenet_v3": mobilenet_v3,
    "efficientnet_b0": efficientnet_b0,
    "densenet121": densenet121,
    "shufflenet_v2": shufflenet_v2,
}
