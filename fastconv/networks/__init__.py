"""The published networks, from an image to class scores: `alexnet`, `googlenet`, `nin`, `resnet`, `squeezenet`.

Each function gives a `Network`: its graph with the shapes of its weights, which `Network.plan` binds to arrays. Called
directly it runs with random ones. All take `layout`; all but `nin` take `classes`, the number of scores, for weights of
one's own. Where a number printed in a paper disagrees with the arithmetic, the network's function says so.

Notes
-----
Weights are named by their nodes, as PyTorch names them in a `state_dict`: those of the node "conv1" are "conv1.weight"
and "conv1.bias"; a batch norm "bn1" has "bn1.weight", "bn1.bias", "bn1.running_mean" and "bn1.running_var". Arrays have
the order of the network's layout: HWIO and (C, K) in NHWC, OIHW and (K, C), PyTorch's, in NCHW.

- `resnet` has torchvision's names, and takes its weights in layout NCHW as they are.
- `squeezenet` has the names of its paper: torchvision's "features.0" is "conv1", "features.3.squeeze" "fire2.squeeze",
  "classifier.1" "conv10"; the Fire modules have the same order.
- `googlenet` has those of table 1 and of `fastconv.Inception` ("3a.branch5x5"), `nin` those of `fastconv.MLPConv`,
  `alexnet` Caffe's ("fc6"). torchvision's networks of the first and the last name have other layers.

Examples
--------
>>> import numpy as np
>>> from fastconv import networks
>>> net = networks.squeezenet("1.1")
>>> f"{net.cost().macs:,}", net.weight_shapes["fire2.squeeze.weight"]
('387,747,520', (1, 1, 64, 16))
>>> x = np.ones(net.input_shape, np.float32)
>>> scores = net(x)  # with random weights
>>> scores.shape, f"{scores.sum():.3f}"
((1000,), '1.000')
>>> plan = net.plan(net.random_weights(seed=0))  # with any: a mapping of arrays, or a file's path
>>> bool((plan(x) == scores).all())
True
"""

from fastconv.networks._alexnet import alexnet
from fastconv.networks._googlenet import googlenet
from fastconv.networks._network import Network
from fastconv.networks._nin import nin
from fastconv.networks._resnet import resnet
from fastconv.networks._squeezenet import squeezenet

__all__ = ["Network", "alexnet", "googlenet", "nin", "resnet", "squeezenet"]
