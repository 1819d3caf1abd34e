"""What memory there is: by the machine, the container and the limits of the process."""

import math
import subprocess
import sys

import numpy as np
import pytest

import jachess_lib as jl
from jachess_lib._engine import memory

GB = 10**9


def write(folder, **files):
    """Write small files below a folder."""
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Stand in for /proc and /sys/fs/cgroup: 12 GB free, no container."""
    monkeypatch.setattr(memory, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "resource", None)
    free = "MemTotal: 16000000 kB\nMemFree: 1000 kB\nMemAvailable: 12000000 kB\n"
    write(tmp_path, proc__meminfo=free)
    return tmp_path


def test_what_is_free_and_not_what_is_installed(machine):
    assert memory.available() == 12_000_000 * 1024


def test_a_container_of_version_2(machine):
    write(machine, proc__self__cgroup="0::/pod/box\n")
    box = machine / "cgroup/pod/box"
    write(box, **{"memory.max": f"{4 * GB}\n", "memory.current": f"{3 * GB}\n"})
    assert memory.available() == GB
    write(box, **{"memory.stat": f"anon 5\ninactive_file {GB // 2}\nfile 7\n"})
    assert memory.available() == GB + GB // 2
    # the group above has less
    write(box.parent, **{"memory.max": f"{5 * GB}", "memory.current": f"{5 * GB - 7}"})
    assert memory.available() == 7
    write(box.parent, **{"memory.current": f"{6 * GB}"})
    assert memory.available() == 0


def test_a_container_without_a_limit(machine):
    write(machine, proc__self__cgroup="0::/\n")
    write(machine / "cgroup", **{"memory.max": "max\n", "memory.current": "77\n"})
    assert memory.available() == 12_000_000 * 1024


def test_a_container_of_version_1_that_sees_the_path_of_its_host(machine):
    write(machine, proc__self__cgroup="9:name=systemd:/x\n4:cpu,memory:/docker/abc\n")
    root = machine / "cgroup/memory"
    write(
        root,
        **{
            "memory.limit_in_bytes": f"{2 * GB}\n",
            "memory.usage_in_bytes": f"{GB}\n",
            "memory.stat": f"inactive_file 1\ntotal_inactive_file {GB // 4}\n",
        },
    )
    assert memory.available() == GB + GB // 4


def test_where_nothing_can_be_asked(machine, monkeypatch):
    (machine / "proc/meminfo").unlink()
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**20}
    monkeypatch.setattr(memory.os, "sysconf", pages.get)
    assert memory.available() == 4 * 2**30

    def refuse(name):
        raise ValueError(name)

    monkeypatch.setattr(memory.os, "sysconf", refuse)
    assert memory.available() == math.inf


@pytest.mark.skipif(memory.resource is None, reason="no ulimit on this system")
@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_the_limits_of_the_process(limit):
    code = f"""if True:
        import resource, numpy as np, jachess_lib as jl
        from jachess_lib._engine import memory
        resource.setrlimit(resource.{limit}, (3 << 30, 3 << 30))
        assert 0 < memory.available() < 3 << 30
        net = jl.Network((200, 150, 10), np.zeros(31660))     # H takes 7.5 GiB
        try:
            jl.outer_product_hessian(net, np.zeros((1, 200)))
        except MemoryError as error:
            print(error)
    """
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "that this process can get: use outer_product_diagonal" in run.stdout


def test_small_things_ask_nobody(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 0)
    memory.require_memory(1000, lambda: "this", "do that")
    with pytest.raises(
        MemoryError, match=r"^this needs 1\.0 GiB .* 0\.0 GiB .*: do that$"
    ):
        memory.require_memory(2**30, lambda: "this", "do that")


def test_what_it_takes_beside_the_result_counts(monkeypatch):
    net = jl.Network((9, 60, 20, 1), np.zeros(1841))
    X, T = np.zeros((3, 9)), np.zeros((3, 1))
    H, J = 8 * 1841**2, np.zeros((200, 9))
    for function, arrays, needed in [
        (jl.exact_hessian, (X, T), H + (1 << 26)),
        (jl.outer_product_hessian, (X,), H + (1 << 26)),
        (jl.residual_hessian, (X, T), H + (1 << 26)),
        (jl.parameter_jacobian, (np.tile(J, (60, 1)),), 8 * 12000 * 1841 + 1),
    ]:
        monkeypatch.setattr(memory, "available", lambda needed=needed: needed - 1)
        monkeypatch.setattr(memory, "_SMALL", 0)
        with pytest.raises(MemoryError, match="with what it takes to compute it"):
            function(net, *arrays)
    monkeypatch.setattr(memory, "available", lambda: 1 << 27)
    assert jl.exact_hessian(net, X, T).shape == (1841, 1841)
