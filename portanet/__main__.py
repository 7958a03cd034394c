"""`python -m portanet info`: which backends can be used on this machine, and what is missing for the others."""

from __future__ import annotations

import argparse

from portanet.info import report


def main(arguments: list[str] | None = None) -> None:
    """Run a command of `python -m portanet`."""
    parser = argparse.ArgumentParser(prog="python -m portanet")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("info", help="list the backends: version, devices, memory, or what is missing")
    parser.parse_args(arguments)
    print(report())


if __name__ == "__main__":
    main()
