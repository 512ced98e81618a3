"""A network on an image larger than memory: `python examples/image_larger_than_memory.py [--size 30000] [FOLDER]`.

It needs the extra `dask` and the libraries distributed and zarr. In the folder it writes an image of size × size pixels
and three channels, unless it is there, and beside it what a small network makes of it. Two processes compute it, each
in 1 GB at most: dask ends one that takes more, and begins its work anew in another.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

import fastconv

try:
    import dask.array as da
    import zarr  # noqa: F401  # by which dask writes
    from dask.distributed import Client, LocalCluster
except ImportError as error:
    raise SystemExit(f"{error}: python -m pip install '.[dask]' distributed zarr") from None

CHUNK = 1024  # a multiple of the network's strides and of its tiles: then the chunks of the result are alike


def network() -> fastconv.Sequential:
    """A network that finds edges: fully convolutional, with a result for every 4 × 4 pixels."""
    rng = np.random.default_rng(0)

    def weight(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[:3])))

    return fastconv.Sequential(
        fastconv.Conv2d(weight(3, 3, 3, 16), stride=2, padding=1, activation="relu"),
        fastconv.Conv2d(weight(3, 3, 16, 16), padding=1, activation="relu"),
        fastconv.MaxPool2d(2),
        fastconv.Fire((weight(1, 1, 16, 8), None), (weight(1, 1, 8, 16), None), (weight(3, 3, 8, 16), None)),
        fastconv.Conv2d(weight(1, 1, 32, 1)),
    )


def write_image(path: Path, size: int) -> None:
    """An image of bytes, in a store of chunks."""

    def pixels(block_id: tuple[int, int, int], block_info: dict) -> np.ndarray:
        (top, bottom), (left, right), (_, channels) = block_info[None]["array-location"]
        rng = np.random.default_rng(block_id)
        waves = np.sin(np.arange(top, bottom) / 50)[:, None] + np.cos(np.arange(left, right) / 70)
        noise = rng.integers(0, 24, (bottom - top, right - left, channels), np.uint8)
        return (58 * waves[..., None] + 116).astype(np.uint8) + noise

    image = da.map_blocks(
        pixels,
        chunks=da.core.normalize_chunks((CHUNK, CHUNK, 3), (size, size, 3)),
        dtype=np.uint8,
        meta=np.empty((0, 0, 0), np.uint8),
    )
    image.to_zarr(str(path), overwrite=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", nargs="?")
    parser.add_argument("--size", type=int, default=4000)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as temporary,
        LocalCluster(n_workers=2, threads_per_worker=1, memory_limit="1GB", dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        folder = Path(options.folder or temporary)
        image = folder / f"image{options.size}.zarr"
        if not image.exists():
            write_image(folder / "unfinished.zarr", options.size)
            (folder / "unfinished.zarr").rename(image)
        x = da.from_zarr(str(image)).astype(np.float32) / np.float32(255)
        y = fastconv.dask.apply(network(), x)
        start = perf_counter()
        y.to_zarr(str(folder / "edges.zarr"), overwrite=True)
        print(f"{x.shape}, {x.nbytes / 1e9:.3g} GB as float32, to {y.shape} in {perf_counter() - start:.0f} s")
        peaks = client.run(peak_memory)
        print(f"the processes took {max(peaks.values()) / 1e6:.0f} MB at most")


def peak_memory() -> int:
    """The most bytes of memory that this process had."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
