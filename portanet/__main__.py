"""The command line: `python -m portanet info` says which backends can be used on this machine."""

from __future__ import annotations

import argparse
import sys

import portanet
from portanet.info import report, wrong_choice


def main(arguments: list[str] | None = None) -> int:
    """Run a command of `python -m portanet`; its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m portanet",
        description="Neural networks in the array API standard: one script on many array libraries.",
        epilog="Exit status: 0; 1 if PORTANET_BACKEND names a backend that cannot be used; 2 for wrong arguments.",
    )
    parser.add_argument("--version", action="version", version=f"portanet {portanet.__version__}")
    commands = parser.add_subparsers(dest="command", title="commands")
    commands.add_parser("info", help="list the backends: version, devices, memory, or what is missing")
    if parser.parse_args(arguments).command is None:
        parser.print_help()
        return 0
    print(report())
    return 0 if wrong_choice() is None else 1


if __name__ == "__main__":
    sys.exit(main())
