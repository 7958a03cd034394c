"""What the operating system says of this machine."""

from __future__ import annotations

import pathlib


def host_memory() -> dict[str, int]:
    """Bytes `used` and `total` of the machine's memory, as Linux reports them; elsewhere empty."""
    report = pathlib.Path("/proc/meminfo")
    if not report.exists():
        return {}
    kilobytes = {line.partition(":")[0]: int(line.split()[1]) for line in report.read_text().splitlines()}
    total = kilobytes["MemTotal"] * 1024
    return {"used": total - kilobytes["MemAvailable"] * 1024, "total": total}
