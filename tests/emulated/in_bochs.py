"""Run a Python program of this working tree, such as its tests, on an emulated processor with AVX-512.

    python tests/emulated/in_bochs.py -- tests/kernels/guard_pages.py fast_inner_products

Bochs, an emulator, boots a Linux kernel whose first process is this Python, with NumPy, SciPy, what the tests import
and the tree as it is built. It needs Debian's bochs, genisoimage, isolinux and syslinux-common, and a kernel: that of
/boot, or KERNEL, which `dpkg -x` takes out of a linux-image-cloud-amd64 that `apt-get download` brought. Results count,
times do not: a minute or more passes before the program starts, and then it is hundreds of times slower than on a
processor. MODEL is a line of `bochs --help cpu`; --set FASTCONV_FIP=1 sets a variable of its environment.
"""

import argparse
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[1]
SYSLINUX = Path("/usr/lib/ISOLINUX/isolinux.bin"), Path("/usr/lib/syslinux/modules/bios/ldlinux.c32")
DISTRIBUTIONS = "numpy", "scipy", "pytest", "hypothesis", "threadpoolctl", "asv_runner"
LEFT_OUT = {"site-packages", "test", "tests", "idlelib", "ensurepip", "tkinter", "lib2to3", "build", ".git", "docs"}
# Bochs 2.7 tells the size of XSAVEC's area wrong, whereupon Linux would leave all of AVX off.
APPEND = "initrd=/initrd console=ttyS0 quiet mitigations=off nokaslr panic=-1 clearcpuid=xsavec,xsaves"
MENU = f"DEFAULT linux\nLABEL linux\nKERNEL /vmlinuz\nAPPEND {APPEND}\n"
MACHINE = """
display_library: rfb, options="timeout=0"
plugin_ctrl: speaker=0
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model={model}, ips=50000000, ignore_bad_msrs=1
clock: sync=none
megs: 1536
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={folder}/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={folder}/serial
log: {folder}/log
"""


def files():
    """{path in the guest: file here} of all that it needs."""
    found = {"/init": HERE / "init.py"}
    for folder in (TREE / name for name in ("fastconv", "benchmarks", "tests", "examples")):
        found.update((f"/tree/{path.relative_to(TREE)}", path) for path in below(folder, LEFT_OUT - {"tests", "build"}))
    found["/tree/pyproject.toml"] = TREE / "pyproject.toml"
    for path in below(Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix})), LEFT_OUT):
        found[str(path)] = path
    # Where packages are installed, since hypothesis reads the source of all modules that it finds elsewhere.
    packages = sysconfig.get_path("purelib", vars={"base": sys.base_prefix})
    for distribution in required(DISTRIBUTIONS):
        for file in distribution.files:
            path = Path(distribution.locate_file(file)).resolve()
            if path.exists() and not LEFT_OUT & set(file.parts[1:]) and file.parts[0] != "..":
                found[f"{packages}/{file}"] = path
    python = Path(sys.executable).resolve()
    found[str(python)] = python
    for path in [python, *(path for path in found.values() if ".so" in path.name)]:
        listed = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            if "/site-packages/" not in library:
                found[library] = Path(library).resolve()
    return found


def below(folder, left_out):
    """The files that a running program may read, outside folders of these names."""
    for directory, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in left_out]
        yield from (Path(directory, name) for name in names if not name.endswith((".c", ".a", ".pyx", ".o")))


def required(names):
    """These distributions and what they require."""
    found = {}
    names = list(names)
    while names:
        name = names.pop()
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform
        if found.setdefault(distribution.name, distribution) is distribution:
            names += [re.match(r"[\w.-]+", line)[0] for line in distribution.requires or [] if "extra ==" not in line]
    return found.values()


def write_archive(target, contents):
    """An archive in cpio's format newc, from which the kernel fills its first file system."""

    def entry(name, mode, mtime, data):
        fields = (0, mode, 0, 0, 1, int(mtime), len(data), 0, 0, 0, 0, len(name.encode()) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        target.write(head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4))

    folders = {"/dev", "/proc", "/sys", "/tmp", "/root"}
    folders.update(str(folder) for path in contents for folder in Path(path).parents)
    for folder in sorted(folders - {"/"}):
        entry(folder[1:], 0o40755, 0, b"")
    for path, source in contents.items():
        data = source if isinstance(source, bytes) else source.read_bytes()
        mtime = 0 if isinstance(source, bytes) else source.stat().st_mtime
        entry(path[1:], 0o100755, mtime, data)
    entry("TRAILER!!!", 0, 0, b"")


def make_disc(folder, kernel, command):
    """A CD that boots the kernel, with all files as its first file system."""
    disc = folder / "disc"
    disc.mkdir()
    for path in SYSLINUX:
        shutil.copy(path, disc)
    shutil.copy(kernel, disc / "vmlinuz")
    (disc / "isolinux.cfg").write_text(MENU)
    contents = files()
    init = f"#!{Path(sys.executable).resolve()}\n".encode() + contents["/init"].read_bytes()
    with open(disc / "initrd", "wb") as archive:
        write_archive(archive, {**contents, "/init": init, "/command": json.dumps(command).encode()})
    options = ["-quiet", "-b", "isolinux.bin", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"]
    subprocess.run(["genisoimage", *options, "-o", folder / "boot.iso", disc], check=True)


def run(folder, model):
    """Boot; what the guest prints is printed. Its command's exit code, or 125 where the machine ended before it."""
    (folder / "machine").write_text(MACHINE.format(folder=folder, model=model))
    (folder / "go").write_text("c\n")  # Debian's Bochs is a debugger, too, which waits for a command
    serial = folder / "serial"
    serial.touch()
    options = ["-q", "-f", folder / "machine", "-rc", folder / "go"]
    with open(folder / "screen", "w") as screen:
        machine = subprocess.Popen(["bochs", *options], stdin=subprocess.DEVNULL, stdout=screen, stderr=screen)
    shown = 0
    try:
        while True:
            ended = machine.poll() is not None
            text = serial.read_text(errors="replace").replace("\r", "")
            print(text[shown:], end="", flush=True)
            shown = len(text)
            if done := re.search(r"^exit code (\d+)", text, re.MULTILINE):
                return int(done[1])
            if ended or "Kernel panic" in text:
                print(*(folder / "log").read_text().splitlines()[-40:], (folder / "screen").read_text(), sep="\n")
                return 125
            time.sleep(0.5)
    finally:
        machine.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kernels = sorted(Path("/boot").glob("vmlinuz-*"))
    parser.add_argument("--kernel", type=Path, default=kernels[-1] if kernels else None)
    parser.add_argument("--model", default="corei7_skylake_x")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="of the environment")
    parser.add_argument("command", nargs="+", help="arguments of Python, behind --")
    options = parser.parse_args()
    if options.kernel is None:
        parser.error("there is no kernel in /boot: --kernel names one")
    command = {"arguments": options.command, "environment": dict(pair.split("=", 1) for pair in options.set)}
    with tempfile.TemporaryDirectory() as folder:
        make_disc(Path(folder), options.kernel, command)
        sys.exit(run(Path(folder), options.model))


if __name__ == "__main__":
    main()
