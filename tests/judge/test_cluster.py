"""The same grading on a real Dask cluster of two processes, one of which is killed."""

import os
import signal
import threading
import time

import pytest
from distributed import LocalCluster
from judge.night import needs
from judge.notebooks import STUB, honest, notebook

from coursework.judge import cluster, log, report, run, submissions

SLOW = "import time\ntime.sleep(0.4)"
KILLER = b"this submission ends its worker"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Start two worker processes."""
    needs("bubblewrap")
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=":0",
        scheduler_port=0,
        local_directory=str(tmp_path_factory.mktemp("workers")),
    ) as local:
        yield local


@pytest.fixture
def client(local, gathered):
    with cluster.connect(local.scheduler_address) as client:
        gathered(local, client)
        yield client


@pytest.fixture
def found(tmp_path):
    """Return twelve submissions, every third one a stub."""
    for n in range(12):
        cells = STUB if n % 3 == 0 else honest()
        (tmp_path / f"s{n:02}.ipynb").write_bytes(notebook(SLOW, *cells, f"# {n}"))
    return submissions.collect(tmp_path)


def pids(client):
    """Return the processes of the workers."""
    return sorted(client.run(os.getpid).values())


def kill_one(client, book):
    """Kill a worker as soon as two results are in."""
    victim = pids(client)[0]

    def wait_and_kill():
        while len(log.read(book)) < 2:
            time.sleep(0.02)
        os.kill(victim, signal.SIGKILL)

    thread = threading.Thread(target=wait_and_kill)
    thread.start()
    return victim, thread


def test_a_worker_killed_in_the_middle_changes_no_mark(client, drawn, found, tmp_path):
    book = tmp_path / "cluster.jsonl"
    victim, thread = kill_one(client, book)
    results = run.run(drawn, found, book, client=client)
    thread.join()
    assert victim not in pids(client)
    assert len(log.read(book)) == 12
    alone = run.run(drawn, found, tmp_path / "alone.jsonl", jobs=2)
    assert results == alone
    assert [report.total(r) for r in results.values()] == [0, 10, 10] * 4


def deadly(grade):
    """Return the grading, but one submission ends the process that grades it.

    A closure: it goes to the workers by value, for they do not know this module.
    """
    return lambda exam, data: os._exit(1) if data == KILLER else grade(exam, data)


def test_who_kills_a_worker_twice_is_marked_and_nobody_else(
    client, drawn, found, tmp_path, monkeypatch
):
    """The killer has two lives; its neighbours keep their marks."""
    (tmp_path / "killer.ipynb").write_bytes(KILLER)
    tried = []
    grade_all = run._grade_all

    def watched(jobs, *rest):
        def note():
            for job in jobs:
                tried.append(job.student)
                yield job

        return grade_all(note(), *rest)

    monkeypatch.setattr(run, "_grade_all", watched)
    with monkeypatch.context() as patch:
        patch.setattr(run, "timed_grade", deadly(run.timed_grade))
        found = submissions.collect(tmp_path)
        results = run.run(drawn, found, tmp_path / "cluster.jsonl", client=client)
    assert results.pop("killer")["status"] == run.KILLER
    assert tried.count("killer") == 2
    assert [report.total(r) for r in results.values()] == [0, 10, 10] * 4
    # It is in the log: the same command does not kill two workers again.
    records = log.read(tmp_path / "cluster.jsonl").values()
    assert any(r["result"]["status"] == run.KILLER for r in records)


def test_the_scheduler_is_left_as_it_was(client, drawn, found, tmp_path):
    def allowed(dask_scheduler=None):
        return dask_scheduler.allowed_failures

    before = client.run_on_scheduler(allowed)
    run.run(drawn, found[:2], tmp_path / "cluster.jsonl", client=client)
    assert client.run_on_scheduler(allowed) == before != 0


def test_no_scheduler_is_said(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(cluster.ClusterError, match="no Dask scheduler at"):
        cluster.connect("tcp://127.0.0.1:9")


def test_another_version_of_the_judge_is_refused(local, monkeypatch):
    monkeypatch.setattr(cluster, "code_fingerprint", lambda: str(os.getpid()))
    with pytest.raises(cluster.ClusterError, match="another version"):
        cluster.connect(local.scheduler_address)
