"""How much memory there is: for a clear error before an array that cannot fit.

NumPy reserves more than there is without a word, and the system then ends the process
when the array is filled.
"""

import math
import os
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
# Below this many bytes nobody asks: the answer would take longer than the array.
_SMALL = 1 << 26


def require_memory(needed, what, instead):
    """Raise a MemoryError if `needed` bytes are not to be had now.

    `what()` says what they are for and `instead` what to call when they are too many.
    """
    if needed < _SMALL:
        return
    free = available()
    if needed > free:
        raise MemoryError(
            f"{what()} needs {needed / 2**30:,.1f} GiB with what it takes to compute "
            f"it, more than the {free / 2**30:,.1f} GiB that this process can get: "
            f"{instead}"
        )


def available():
    """Return the bytes that this process can still get, or infinity if none can say.

    The least of what the machine, the container and `ulimit` leave.
    """
    return max(0, min(_of_machine(), _of_container(), _of_limits()))


def _of_machine():
    for line in _lines(_PROC / "meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    try:  # what is installed, where nothing says what is free
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return math.inf


def _of_container():
    """Return what the control groups leave, this process's own and those above it."""
    left = math.inf
    for line in _lines(_PROC / "self/cgroup"):
        _, controllers, path = line.strip().split(":", 2)
        if not controllers:  # version 2
            root, names = _CGROUPS, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = _CGROUPS / "memory"
            names = (
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            )
        else:
            continue
        group = root / path.strip("/")
        # in a container the path may be that of the host: then the root is the group
        for folder in (group, *group.parents):
            if folder.is_relative_to(root):
                left = min(left, _of_group(folder, *names))
    return left


def _of_group(folder, limit, usage, reclaimable):
    limit, usage = _number(folder / limit), _number(folder / usage)
    if limit is None or usage is None:  # "max", or no such file
        return math.inf
    for line in _lines(folder / "memory.stat"):
        if line.startswith(reclaimable + " "):
            usage -= int(line.split()[1])  # pages of files, given back when asked
    return limit - usage


def _of_limits():
    """Return what `ulimit -v` and `ulimit -d` leave."""
    if resource is None:
        return math.inf
    left = math.inf
    used = [int(n) for line in _lines(_PROC / "self/statm") for n in line.split()]
    for limit, field in ((resource.RLIMIT_AS, 0), (resource.RLIMIT_DATA, 5)):
        soft, _ = resource.getrlimit(limit)
        if soft != resource.RLIM_INFINITY:
            taken = used[field] * resource.getpagesize() if used else 0
            left = min(left, soft - taken)
    return left


def _number(path):
    lines = _lines(path)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _lines(path):
    try:
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
