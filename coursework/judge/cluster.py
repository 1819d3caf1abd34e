"""The same grading on a Dask cluster. Its machines need this project and bubblewrap."""

from contextlib import contextmanager

from coursework.judge.exam import code_fingerprint

CONNECT_SECONDS = 10


class ClusterError(Exception):
    """The cluster cannot be used."""


def connect(address):
    """Return a client of the cluster whose workers all run this very judge."""
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler at {address}: {error}") from None
    try:
        found = set(client.run(code_fingerprint).values())
    except ModuleNotFoundError as error:
        raise ClusterError(f"a worker cannot import the judge: {error}") from None
    if found != {code_fingerprint()}:
        client.close()
        raise ClusterError(
            "the workers run another version of the judge" if found
            else f"the cluster at {address} has no workers"
        )  # fmt: skip
    return client


@contextmanager
def executor(client):
    """Give (executor, how many tasks to have under way).

    While it is used, the death of a worker fails the tasks that it had, instead of
    carrying them to the next worker: who tries again, and how often, we decide.
    """
    before = client.run_on_scheduler(_allow_failures, 0)
    try:
        yield client.get_executor(pure=False), 2 * sum(client.nthreads().values())
    finally:
        client.run_on_scheduler(_allow_failures, before)


def killed(error):
    """Tell whether an error says that a worker died."""
    return type(error).__name__ == "KilledWorker"


def _allow_failures(number, dask_scheduler=None):
    before = dask_scheduler.allowed_failures
    dask_scheduler.allowed_failures = number
    return before
