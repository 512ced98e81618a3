"""Images in a store, computed by processes: in bounded memory, also where one of them is killed, and what travels."""

import os
import resource
import signal
import time

import dask
import dask.array as da
import numpy as np
import pytest
from cases import normals
from dask.distributed import Client, LocalCluster

import fastconv
from fastconv._planning.plan import Plan

SIZE, CHUNK = 2000, 256


@pytest.fixture(scope="module")
def client():
    """Two processes; dask leaves settings of thread counts in the environment."""
    before = dict(os.environ)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, memory_limit="1GB", dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client
    os.environ.clear()
    os.environ.update(before)


def net():
    rng = np.random.default_rng(0)
    weights = [normals(rng, shape, "float32") / 6 for shape in [(3, 3, 3, 16), (3, 3, 16, 16), (1, 1, 16, 2)]]
    first, second, last = weights
    return fastconv.Sequential(
        fastconv.Conv2d(first, stride=2, padding=1, activation="relu"),
        fastconv.Conv2d(second, padding=1, activation="relu"),
        fastconv.MaxPool2d(2, ceil_mode=True),
        fastconv.Conv2d(last),
    )


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """(an image, the store that has it)."""
    x = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    path = str(tmp_path_factory.mktemp("image") / "x.zarr")
    with dask.config.set(scheduler="synchronous"):
        da.from_array(x, (CHUNK, CHUNK, 3)).to_zarr(path)
    return x, path


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_memory_is_bounded(client, image, tmp_path):
    """A process never holds more than a part of the image."""
    x, path = image
    lazy = fastconv.dask.apply(net(), da.from_zarr(path).astype(np.float32))
    lazy.blocks[:3, :3].compute()  # all is imported
    before = client.run(peak_bytes)
    lazy.to_zarr(str(tmp_path / "y.zarr"))
    after = client.run(peak_bytes)
    assert max(after[worker] - before[worker] for worker in before) < 4 * x.nbytes / 3
    np.testing.assert_array_equal(da.from_zarr(str(tmp_path / "y.zarr")).compute(), net()(x.astype(np.float32)))


def count_plans():
    """Count the plans that arrive in a process."""
    was = Plan.__setstate__

    def count(self, state):
        Plan.arrived += 1
        was(self, state)

    Plan.arrived, Plan.__setstate__ = 0, count


def test_plan_travels_once(client, image):
    """To each process, not with each block; there it is packed once."""
    _, path = image
    client.run(count_plans)
    try:
        lazy = fastconv.dask.apply(net(), da.from_zarr(path).astype(np.float32))
        assert lazy.npartitions > 50
        client.compute(lazy.sum(dtype=float)).result()
        arrived = client.run(lambda: Plan.arrived)
    finally:
        client.restart()
    assert all(1 <= times <= 2 for times in arrived.values())


def test_killed_worker(client, image):
    """Its blocks, and the plan, are made again elsewhere."""
    x, path = image
    lazy = fastconv.dask.apply(net(), da.from_zarr(path).astype(np.float32))
    result = client.compute(lazy)
    while not any(str(key).startswith("('fastconv") for keys in client.has_what().values() for key in keys):
        time.sleep(0.05)
    killed = next(iter(client.run(os.getpid).values()))
    os.kill(killed, signal.SIGKILL)
    np.testing.assert_array_equal(result.result(), net()(x.astype(np.float32)))
    assert killed not in client.run(os.getpid).values()


def test_blocks_that_moved(client, image):
    """What came from another process lies at any byte, and is taken as it is."""
    x, _ = image
    whole = x[:600, :600].astype(np.float32)
    parts = client.scatter([whole[:300], whole[300:]])
    stacked = da.concatenate([da.from_delayed(part, (300, 600, 3), dtype=np.float32) for part in parts])
    np.testing.assert_array_equal(fastconv.dask.apply(net(), stacked).compute(), net()(whole))
