"""The machine, as far as it bears on the numbers: no name, no path."""

import os
import platform
import time
from pathlib import Path


def describe_machine():
    """Return the processor, its caches, the memory and the system."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "caches": caches(),
        "memory_gb": memory(),
        "system": system(),
    }


def lines(path):
    """Return the lines of a file, none if there is no such file."""
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def processor():
    """Return the processor's name and vector instructions."""
    about = {}
    for line in lines("/proc/cpuinfo"):
        field, _, value = line.partition(":")
        about.setdefault(field.strip(), value.strip())
    model = about.get("model name") or platform.processor() or platform.machine()
    flags = about.get("flags", "").split()
    vectors = [f for f in ("amx_tile", "avx512f", "avx2") if f in flags][:2]
    return ", ".join([model, *vectors])


def caches():
    """Return {level and kind: size} of the first core's caches."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((lines(index / f) or ["?"])[0] for f in FIELDS)
        found[f"L{level} {kind.lower()}"] = size
    return found


FIELDS = ("level", "type", "size")


def memory():
    """Return the machine's memory in units of 10⁹ bytes, or None."""
    try:
        pages = os.sysconf("SC_PHYS_PAGES")
        return round(os.sysconf("SC_PAGE_SIZE") * pages / 1e9, 1)
    except (AttributeError, OSError, ValueError):
        return None


def system():
    """Return the operating system, with its distribution where it says so."""
    for line in lines("/etc/os-release"):
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return platform.system()


def quietest_core(seconds=0.2):
    """Return the core, of those we may run on, that was idle the longest just now."""
    cores = os.sched_getaffinity(0)
    before = idle_ticks()
    time.sleep(seconds)
    after = idle_ticks()
    return max(cores, key=lambda core: after.get(core, 0) - before.get(core, 0))


def idle_ticks():
    """Return {core: how long it had nothing to do}."""
    fields = (line.split() for line in lines("/proc/stat"))
    return {int(f[0][3:]): int(f[4]) for f in fields if f and f[0][3:].isdigit()}
