"""The command `fastconv`: explain, profile, run and info."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from fastconv import __version__

INFO = "versions, compiler, BLAS, instruction sets and threads"
EXPLAIN = "what a convolution of a given shape will do, and what it costs"
PROFILE = "where the time of an ONNX model goes, and what its 1×1 convolutions save"
RUN = "the results of an ONNX model for a saved array"
_MAX = 2**31 - 1  # of a size


def main(arguments: list[str] | None = None) -> int:
    """Run `fastconv` with these arguments, the command line's by default; returns the exit code."""

    def run() -> None:
        options = _parser().parse_args(arguments)
        options.run(options)

    return in_one_line("fastconv", run)


def in_one_line(name: str, run: Callable[[], int | None]) -> int:
    """Run a command; returns its exit code. An error of what it was given is one line, and so is a full disk."""
    try:
        try:
            return run() or 0
        finally:
            if sys.stdout:  # None where it was closed
                sys.stdout.flush()  # not at Python's exit, where an error is a traceback
    except BrokenPipeError:  # the reader wants no more, as in `fastconv info | head -1`
        _settle(sys.stdout)
        return 1
    except KeyboardInterrupt:
        _settle(sys.stdout)
        return 130  # as shells have it of Ctrl-C
    except (ArithmeticError, ImportError, MemoryError, OSError, TypeError, ValueError) as error:
        if sys.stderr:  # which may be closed or full too
            with suppress(OSError):
                print(f"{name}: {str(error) or type(error).__name__}", file=sys.stderr)
            _settle(sys.stderr)
        _settle(sys.stdout)
        return 2 if isinstance(error, (ArithmeticError, TypeError, ValueError)) else 1  # 2, as argparse has it


def _settle(stream: TextIO | None) -> None:
    """Flush a stream; what it cannot be rid of goes nowhere, so that Python's exit does not fail on it again."""
    if not stream:
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fastconv", description=f"explain: {EXPLAIN}; profile: {PROFILE}; run: {RUN}; info: {INFO}."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)

    info = commands.add_parser("info", help=INFO, description=f"Print {INFO}.")
    info.set_defaults(run=_info)

    explain = commands.add_parser(
        "explain",
        help=EXPLAIN,
        description=f"Print {EXPLAIN}.",
        epilog="Example, GoogLeNet's 5×5: fastconv explain 28 28 192 32 --kernel 5 --padding 2",
    )
    for name, meaning in (("H", "height"), ("W", "width"), ("C", "input channels"), ("K", "output channels")):
        explain.add_argument(name, type=int, help=meaning)
    explain.add_argument("--kernel", type=_pair, default=(1, 1), metavar="R[,S]", help="kernel size (1)")
    explain.add_argument("--stride", type=_pair, default=(1, 1), metavar="N[,N]", help="stride (1)")
    explain.add_argument("--padding", type=_padding, default=0, metavar="N[,N]|same|valid", help="padding (0)")
    explain.add_argument("--dilation", type=_pair, default=(1, 1), metavar="N[,N]", help="dilation (1)")
    explain.add_argument("--groups", type=int, default=1, help="groups (1)")
    explain.add_argument("--layout", default="NHWC", help="NHWC or NCHW (NHWC)")
    explain.add_argument("--batch", type=int, default=1, help="images (1)")
    explain.add_argument("--algorithm", default="auto", help="auto, direct, winograd, fip or blas (auto)")
    explain.add_argument("--accuracy", default="normwise", help="normwise or componentwise (normwise)")
    explain.add_argument("--threads", type=int, help="most threads (one for each physical CPU)")
    explain.add_argument("--measure", action="store_true", help="run it too: time, GFLOP/s, and the share of the peak")
    explain.set_defaults(run=_explain)

    profile = commands.add_parser("profile", help=PROFILE, description=f"Print {PROFILE}.")
    profile.add_argument("MODEL", help="an ONNX file")
    profile.add_argument("--shape", action="append", metavar="[NAME=]NxCxHxW", help="of an input (the model's own)")
    profile.add_argument("--input", metavar="FILE", help="of inputs, .npy or .npz (random numbers, zeros of no float)")
    profile.add_argument("--threads", type=int, help="most threads (one for each physical CPU)")
    profile.add_argument("--json", action="store_true", help="for programs")
    profile.set_defaults(run=_profile)

    run = commands.add_parser("run", help=RUN, description=f"Save {RUN}.")
    run.add_argument("MODEL", help="an ONNX file")
    run.add_argument("INPUT", help="a .npy file, or a .npz file with an array for each input")
    run.add_argument("-o", "--output", required=True, metavar="OUTPUT.npz", help="where the results go")
    run.add_argument("--threads", type=int, help="most threads (one for each physical CPU)")
    run.set_defaults(run=_run)

    return parser


def _pair(text: str, others: str = "") -> tuple[int, int]:
    """An integer, or two as "3,5", as a pair (height, width); `others` are accepted elsewhere."""
    try:
        height, width = map(int, text.split(",") if "," in text else [text] * 2)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected one integer or two with a comma between them{others}, got {text!r}"
        ) from None
    return height, width


def _padding(text: str) -> str | tuple[int, int]:
    return text if text in ("same", "valid") else _pair(text, ", same or valid")


def _info(options: argparse.Namespace) -> None:
    from fastconv import show_config

    show_config()


def _explain(options: argparse.Namespace) -> None:
    import numpy as np

    from fastconv import Conv2d, cost
    from fastconv._checks import shapes

    _check_sizes(options)
    size = options.H, options.W
    x_shape = (options.batch, *size, options.C) if options.layout == "NHWC" else (options.batch, options.C, *size)
    weight_shape = shapes.weight_for(options.kernel, options.C, options.K, options.groups, options.layout)
    geometry = {name: getattr(options, name) for name in ("stride", "padding", "dilation", "groups", "layout")}
    costs = cost.conv2d(x_shape, weight_shape, bias=False, **geometry)  # checks the shapes before memory is asked for
    how = {"algorithm": options.algorithm, "accuracy": options.accuracy, "num_threads": options.threads}
    plan = Conv2d(np.zeros(weight_shape, np.float32), **geometry, **how)
    print(plan.describe(x_shape, measure=options.measure))
    print(f"{'parameters':17} {costs.params:,}")
    print(f"{'least traffic':17} {costs.bytes:,} bytes: input, weights and output once")
    print(f"{'MACs a byte':17} {costs.macs / costs.bytes:.1f}")


def _profile(options: argparse.Namespace) -> None:
    _check_sizes(options)
    _commands().profile(options)


def _run(options: argparse.Namespace) -> None:
    _check_sizes(options)
    _commands().run(options)


def _commands() -> Any:
    """The commands on ONNX files; their error where the library onnx is missing says what to install."""
    from fastconv.onnx import needs_onnx

    needs_onnx()
    from fastconv.onnx import _commands

    return _commands


def _check_sizes(options: argparse.Namespace) -> None:
    """Raise ValueError naming the option or argument that is out of range, before a shape is made of several."""
    least = dict.fromkeys(("H", "W", "C", "K", "kernel", "stride", "dilation", "groups", "threads"), 1)
    for name, low in (least | {"padding": 0, "batch": 0}).items():
        value = getattr(options, name, None)
        for size in value if isinstance(value, tuple) else [value]:
            if isinstance(size, int) and not low <= size <= _MAX:
                shown = name if len(name) == 1 else f"--{name}"
                raise ValueError(f"{shown} must be at {f'least {low}' if size < low else f'most {_MAX}'}, got {size}")


if __name__ == "__main__":
    sys.exit(main())
