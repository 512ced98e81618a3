"""The default team follows the CPUs that the process may use now: affinity, places of OpenMP, quotas, limits."""

import inspect
import os
import textwrap
from pathlib import Path

import pytest

import fastconv
from fastconv._planning import cpus
from fastconv._runners import team

LINUX = hasattr(os, "sched_setaffinity")
HAS_TEAMS = fastconv.get_config()["openmp"]
CORES = cpus.physical(cpus.usable(team.affinity()))
several_cpus = pytest.mark.skipif(not HAS_TEAMS or CORES < 2, reason="needs several CPUs and OpenMP")


@several_cpus
@pytest.mark.parametrize(
    "binding",
    [{"OMP_PROC_BIND": "true"}, {"OMP_PLACES": "cores"}, {"OMP_PROC_BIND": "close", "OMP_PLACES": "threads"}],
)
def test_bound_threads_do_not_hide_the_other_cpus(run_python, binding):
    code = "import fastconv; print(fastconv.get_config()['threads'])"
    assert int(run_python("-c", code, **binding)) == CORES


@several_cpus
def test_cpu_affinity_of_gomp(run_python):
    cpus = " ".join(map(str, sorted(os.sched_getaffinity(0))))
    code = "import fastconv; print(fastconv.get_config()['threads'])"
    assert int(run_python("-c", code, GOMP_CPU_AFFINITY=cpus)) == CORES


@several_cpus
def test_a_limit_of_threadpoolctl_holds(run_python):
    code = """
        import numpy as np, fastconv, threadpoolctl
        plan = fastconv.Conv2d(np.ones((3, 3, 64, 64), np.float32), padding=1)
        shape = 56, 56, 64
        before = plan.describe(shape).threads
        with threadpoolctl.threadpool_limits(1):
            assert plan.num_threads == plan.describe(shape).threads == 1
            assert fastconv.Conv2d(np.ones((3, 3, 64, 64), np.float32), num_threads=2).num_threads == 2
        assert plan.describe(shape).threads == before > 1
    """
    run_python("-c", textwrap.dedent(code))


@several_cpus
def test_a_limit_set_before_the_import_holds(run_python):
    code = """
        import ctypes, threadpoolctl
        ctypes.CDLL("libgomp.so.1")
        with threadpoolctl.threadpool_limits(1, user_api="openmp"):
            import fastconv
            assert fastconv.get_config()["threads"] == 1
        assert fastconv.get_config()["threads"] > 1
    """
    run_python("-c", textwrap.dedent(code))


@several_cpus
def test_a_thread_limit_of_openmp_is_told(run_python, threading):
    code = """
        import numpy as np, fastconv
        for num_threads in (None, 2):
            plan = fastconv.Conv2d(np.ones((3, 3, 64, 64), np.float32), padding=1, num_threads=num_threads)
            assert plan.num_threads == plan.describe((56, 56, 64)).threads == 1
    """
    run_python("-c", textwrap.dedent(code), OMP_THREAD_LIMIT="1", FASTCONV_THREADING=threading)


@pytest.mark.parametrize("value", ["99999999999", "9" * 30, "1" * 5000, "2147483648"])
def test_a_number_that_openmp_passes_over_is_passed_over(run_python, value):
    code = "import numpy as np, fastconv; fastconv.pointwise(np.ones((1, 1, 1)), np.ones((1, 1)))"
    code += "; print(fastconv.get_config()['threads'])"
    assert int(run_python("-c", code, OMP_NUM_THREADS=value)) >= 1


@pytest.mark.skipif(not HAS_TEAMS or not LINUX, reason="counts threads of a team in /proc")
def test_layers_of_all_sizes_keep_the_threads_of_a_team(run_python, threading):
    code = """
        import os
        import numpy as np, fastconv
        rng = np.random.default_rng(0)
        shapes = [(1, 1, 96, 16), (1, 1, 16, 64), (3, 3, 16, 64)]
        pairs = [(rng.standard_normal(shape, np.float32), None) for shape in shapes]
        fire = fastconv.Fire(*pairs, num_threads=8)
        x = np.ones((27, 27, 96), np.float32)
        teams = {part.threads for part in fire.describe(x.shape).parts.values()}
        assert len(teams) > 1, "all parts have teams of the same size"
        seen = set()
        for _ in range(30):
            fire(x)
            seen |= set(os.listdir("/proc/self/task"))
        print(len(seen))
    """
    program = textwrap.dedent(code)
    others = len(os.sched_getaffinity(0))  # threads that NumPy's BLAS has
    environment = {"FASTCONV_THREADING": threading, "OMP_WAIT_POLICY": "passive"}
    assert int(run_python("-c", program, **environment)) <= 8 + others


def redirect(folder, real=open):
    """An `open` that finds in `folder` what a kernel says of control groups."""
    prefixes = "/proc/self/cgroup", "/proc/self/mountinfo", "/sys/fs/cgroup/"

    def faked(path, *arguments, **options):
        seen = isinstance(path, str) and path.startswith(prefixes)
        return real(folder + path if seen else path, *arguments, **options)

    return faked


class Groups:
    """Faked control groups, which `redirect` shows."""

    def __init__(self, folder):
        self.folder, self.lines, self.mounts = str(folder), [], ["1 1 0:1 / / rw - ext4 /dev/x rw"]
        self.write("proc/self")

    def write(self, path, **files):
        Path(self.folder, path).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            Path(self.folder, path, name.replace("__", ".")).write_text(text)

    def mount(self, line, root, path, kind, options):
        escaped = f"/{path}".replace(" ", r"\040")
        self.lines.append(line)
        self.mounts.append(f"31 23 0:28 {root} {escaped} rw - {kind} c {options}")
        self.write("proc/self", cgroup="\n".join(self.lines), mountinfo="\n".join(self.mounts))


@pytest.fixture
def groups(tmp_path, monkeypatch):
    cpus._groups.cache_clear()
    monkeypatch.setattr("builtins.open", redirect(str(tmp_path)))
    yield Groups(tmp_path)
    cpus._groups.cache_clear()


def test_the_quota_of_a_group_within_groups(groups):
    groups.mount("0::/user.slice/job.scope/inner", "/", "sys/fs/cgroup", "cgroup2", "rw")
    groups.write("sys/fs/cgroup/user.slice/job.scope/inner", cpu__max="max 100000\n")
    assert cpus.quota() is None
    groups.write("sys/fs/cgroup/user.slice/job.scope", cpu__max="350000 100000\n")
    assert cpus.quota() == 3
    groups.write("sys/fs/cgroup/user.slice/job.scope/inner", cpu__max="150000 100000\n")
    assert cpus.quota() == 1
    groups.write("sys/fs/cgroup/user.slice", cpu__max="20000 100000\n")
    assert cpus.quota() == 1  # not none


def test_quotas_of_version_1(groups):
    groups.mount("4:cpu,cpuacct:/batch/job", "/", "sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct")
    groups.mount("5:memory:/elsewhere", "/", "sys/fs/cgroup/memory", "cgroup", "rw,memory")
    groups.write("sys/fs/cgroup/cpu,cpuacct/batch/job", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    groups.write("sys/fs/cgroup/cpu,cpuacct/batch", cpu__cfs_quota_us="250000", cpu__cfs_period_us="50000")
    assert cpus.quota() == 5


@pytest.mark.parametrize("path", ["/docker/abc", "/", "/../outside"])
def test_inside_a_container(groups, path):
    """The host's path of a group, of which the mount's root is all that is seen."""
    groups.mount(f"0::{path}", path if path != "/../outside" else "/", "sys/fs/cgroup/with space", "cgroup2", "rw")
    groups.write("sys/fs/cgroup/with space", cpu__max="200000 100000")
    assert cpus.quota() == 2


@pytest.mark.parametrize("text", ["", "max", "many 100000", "0 0", "-5 100000", "100000 0", "1", "\x00\x01"])
def test_files_that_say_no_quota(groups, text):
    groups.mount("0::/", "/", "sys/fs/cgroup", "cgroup2", "rw")
    groups.write("sys/fs/cgroup", cpu__max=text)
    assert cpus.quota() is None


@several_cpus
def test_a_quota_changed_while_running(tmp_path, run_python):
    groups = Groups(tmp_path)
    groups.mount("0::/job.scope/inner", "/", "sys/fs/cgroup", "cgroup2", "rw")
    groups.write("sys/fs/cgroup/job.scope", cpu__max="max 100000")
    code = f"""
        import builtins, time
        builtins.open = redirect({str(tmp_path)!r})
        import fastconv
        for quota in ("max", "100000", "max"):
            with open("/sys/fs/cgroup/job.scope/cpu.max", "w") as file:
                file.write(quota + " 100000")
            time.sleep(0.2)
            print(fastconv.get_config()["threads"])
    """
    assert run_python("-c", inspect.getsource(redirect) + textwrap.dedent(code)).split() == [
        str(CORES),
        "1",
        str(CORES),
    ]


@several_cpus
def test_a_real_group_with_a_quota(run_python):
    hierarchy = Path("/sys/fs/cgroup/cpu")
    outer = hierarchy / f"fastconv-test-{os.getpid()}"
    try:
        (outer / "inner").mkdir(parents=True)
        (outer / "cpu.cfs_quota_us").write_text("100000")
    except OSError:
        pytest.skip("no control group of version 1 can be made here")
    code = f"""
        import os, time
        with open("{outer}/inner/cgroup.procs", "w") as group:
            group.write(str(os.getpid()))
        import fastconv
        try:
            assert fastconv.get_config()["threads"] == 1
            with open("{outer}/cpu.cfs_quota_us", "w") as quota:
                quota.write("-1")
            time.sleep(0.2)
            assert fastconv.get_config()["threads"] > 1
        finally:
            with open("{hierarchy}/cgroup.procs", "w") as group:
                group.write(str(os.getpid()))
    """
    try:
        run_python("-c", textwrap.dedent(code))
    finally:
        (outer / "inner").rmdir()
        outer.rmdir()
