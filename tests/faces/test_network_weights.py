"""The weights of a network, by name: from mappings and files, and what is said of wrong ones."""

import pickle
import sys

import numpy as np
import pytest

from fastconv import networks

NET = networks.squeezenet("1.1")
WEIGHTS = NET.random_weights()
X = np.random.default_rng(0).standard_normal((2, 40, 41, 3), np.float32)


@pytest.fixture(scope="module")
def scores():
    return NET.plan(WEIGHTS)(X)


def test_random_weights_are_the_default(scores):
    np.testing.assert_array_equal(NET.plan()(X), scores)
    assert np.any(NET.plan(NET.random_weights(1))(X) != scores)
    assert NET.plan(NET.random_weights(dtype=np.float64)).dtype == np.float64


def test_a_network_called_directly(scores):
    net = networks.squeezenet("1.1")
    out = np.empty_like(scores)
    assert net(X, out=out) is out
    np.testing.assert_array_equal(out, scores)
    assert len(pickle.dumps(net)) < 100_000  # without weights
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net))(X), scores)


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"seed": -1}, ValueError),
        ({"seed": 0.5}, TypeError),
        ({"dtype": int}, TypeError),
        ({"dtype": None}, TypeError),
    ],
)
def test_options_of_random_weights_that_are_wrong(option, error):
    (name,) = option
    with pytest.raises(error, match=f"^{name} must be"):
        NET.random_weights(**option)


def test_random_weights_keep_the_size_of_values():
    """Where each of 50 blocks would double the variance, or keep what it adds, no score is left beside the largest."""
    net = networks.resnet(152)
    scores = net.plan()(np.random.default_rng(0).standard_normal((33, 33, 3), np.float32))
    assert abs(scores.sum() - 1) < 1e-3
    assert scores.max() < 0.5


def test_weights_from_npz(tmp_path, scores):
    np.savez(tmp_path / "weights.npz", **WEIGHTS)
    for path in (tmp_path / "weights.npz", str(tmp_path / "weights.npz")):
        np.testing.assert_array_equal(NET.plan(path)(X), scores)


def test_weights_from_safetensors(tmp_path, scores):
    save_file = pytest.importorskip("safetensors.numpy").save_file
    save_file(WEIGHTS, tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(NET.plan(tmp_path / "weights.safetensors")(X), scores)


def test_safetensors_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"pip install safetensors$"):
        NET.plan("weights.safetensors")


def test_weights_are_copied(scores):
    weights = {name: array.copy() for name, array in WEIGHTS.items()}
    plan = NET.plan(weights)
    for array in weights.values():
        array[...] = 0
    np.testing.assert_array_equal(plan(X), scores)


def test_weights_of_pytorch(scores):
    """NCHW throughout: OIHW, (K, C), and the counters that a state_dict has."""
    net = networks.squeezenet("1.1", layout="NCHW")
    weights = {name: turned(array) for name, array in WEIGHTS.items()}
    weights["fire2.bn.num_batches_tracked"] = np.array(3)
    assert {name: array.shape for name, array in weights.items() if name in WEIGHTS} == net.weight_shapes
    np.testing.assert_array_equal(net.plan(weights)(X.transpose(0, 3, 1, 2)), scores)


def turned(array):
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T


FIRST = "conv1.weight"


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (None, ValueError, "^weights has no 'conv1.weight', of shape .3, 3, 3, 64., and 51 more$"),
        ({FIRST: ...}, ValueError, "^weights has no 'conv1.weight', of shape .3, 3, 3, 64.$"),
        ({"conv1.gamma": np.ones(3)}, ValueError, "^weights has 'conv1.gamma', which SqueezeNet 1.1 does not take$"),
        ({FIRST: ..., "net.conv1.weight": 0}, ValueError, "^weights has no 'conv1.weight', .* but 'net.conv1.weight'"),
        ({3: np.ones(3)}, ValueError, "^weights has 3, which"),
        ({FIRST: [1]}, TypeError, "^conv1.weight must be"),
        ({FIRST: np.ones((3, 3, 3, 64), np.float16)}, TypeError, "^conv1.weight .*float16"),
        ({"conv1.bias": np.ones(64)}, TypeError, "^conv1.bias .*float64.*conv1.weight"),
        ({FIRST: np.ones((3, 3, 3, 63), np.float32)}, ValueError, r"^conv1.weight must have shape .* got \(.*63\)$"),
        ({FIRST: turned(WEIGHTS[FIRST])}, ValueError, r"\(64, 3, 3, 3\); that is the order of layout NCHW$"),
        ({"conv1.bias": np.ones((64, 1), np.float32)}, ValueError, r"^conv1.bias must have shape \(64,\)"),
    ],
)
def test_wrong_weights(weights, error, message):
    """`weights` is what differs from right ones; ... stands for one that is missing."""
    given = {} if weights is None else {**WEIGHTS, **weights}
    with pytest.raises(error, match=message):
        NET.plan({name: array for name, array in given.items() if array is not ...})


def test_an_array_of_the_other_layout():
    nchw = networks.squeezenet("1.1", layout="NCHW")
    with pytest.raises(ValueError, match=r"\(3, 3, 3, 64\); that is the order of layout NHWC$"):
        nchw.plan(WEIGHTS)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (3, TypeError, "^weights must be a mapping of arrays, the path of a file or None, got int$"),
        ([WEIGHTS], TypeError, "^weights must be a mapping"),
        ("weights.pth", ValueError, "^weights must be a .npz or .safetensors file, got 'weights.pth'$"),
        ("not/there.npz", FileNotFoundError, "there.npz"),
    ],
)
def test_what_holds_no_weights(weights, error, message):
    with pytest.raises(error, match=message):
        NET.plan(weights)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\3\4", b"\x93NUMPY"])
def test_a_damaged_file(suffix, content, tmp_path):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^weights cannot be read from .*{suffix}': the file is damaged"):
        NET.plan(path)
