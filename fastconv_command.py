"""The command `fastconv`, beside the package: when that cannot be imported, one line says why."""

import sys


def main():
    """Run the command line; returns the exit code."""
    try:
        from fastconv.cli import main
    except (ImportError, ValueError) as error:  # the compiled part is missing, or FASTCONV_ISA is wrong
        print(f"fastconv: {error}", file=sys.stderr)
        return 2
    return main()
