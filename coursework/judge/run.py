"""Grade a folder of submissions, on this machine or on a Dask cluster."""

import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass

from coursework.judge import cluster, grade, log, notebook, stop
from coursework.judge.exam import Exam
from coursework.judge.sandbox import IsolationError

KILLER = "it ended the process of the judge that graded it, twice"


@dataclass(frozen=True)
class Job:
    """One submission that has to be graded, by which exam, and its key in the log."""

    student: str
    exam: Exam
    key: str
    data: bytes


def lookup(exam, submission, records):
    """Return (job, None) or (None, result): what is left to do, or what is known."""
    try:
        data = submission.read()
    except notebook.RefusedError as reason:
        return None, grade.refused(exam, str(reason))
    own = exam.of(submission.student)
    key = log.key(own, data)
    if key in records:
        return None, records[key]["result"]
    return Job(submission.student, own, key, data), None


def timed_grade(exam, data):
    """Return (result, seconds) of one submission; this is what a cluster runs."""
    begin = time.monotonic()
    return grade.grade(exam, data), time.monotonic() - begin


def run(exam, submissions, log_path, jobs=1, client=None, fresh=(), on_progress=None):
    """Grade what the log does not hold yet and return {student: result}.

    `fresh` are students that are graded again whatever the log says.
    """
    records = log.read(log_path)
    results = {}

    def waiting():
        for submission in submissions:
            known = {} if submission.student in fresh else records
            job, result = lookup(exam, submission, known)
            if job is None:
                results[submission.student] = result
            else:
                yield job

    pool = _threads(jobs) if client is None else cluster.executor(client)
    with log.Log(log_path) as book, pool as (executor, window):

        def keep(job, result, seconds):
            results[job.student] = result
            if seconds is not None:
                known = {"key": job.key, "student": job.student}
                book.append(**known, seconds=round(seconds, 3), result=result)
            if on_progress:
                on_progress(len(results))

        killers = _grade_all(waiting(), executor, window, keep)
        # A worker that dies takes its neighbours' work along: each of these gets a
        # second try, alone, so that only the one at fault is marked.
        for job in killers:
            if _grade_all([job], executor, window, keep):
                keep(job, grade.refused(job.exam, KILLER), 0)
    return {s.student: results[s.student] for s in submissions}


@contextmanager
def _threads(jobs):
    """Give threads, each of which waits for one sandbox, and how much to hand them."""
    pool = ThreadPoolExecutor(jobs)
    try:
        yield pool, 2 * jobs
    finally:
        pool.shutdown(cancel_futures=True)


def _grade_all(jobs, executor, window, keep):
    """Grade jobs, a few at a time, and return those whose worker was killed."""
    waiting, killers = {}, []

    def harvest(futures):
        for future in futures:
            with stop.deferred():
                job, error = waiting.pop(future), future.exception()
                if error is None:
                    keep(job, *future.result())
                elif isinstance(error, IsolationError):
                    raise error
                elif cluster.killed(error):
                    killers.append(job)
                else:
                    # Not logged: the same command will try it again.
                    words = f"the judge itself failed ({type(error).__name__})"
                    keep(job, grade.refused(job.exam, words), None)

    try:
        for job in jobs:
            waiting[executor.submit(timed_grade, job.exam, job.data)] = job
            while len(waiting) >= window:
                harvest(wait(waiting, return_when=FIRST_COMPLETED).done)
        while waiting:
            harvest(wait(waiting, return_when=FIRST_COMPLETED).done)
    except KeyboardInterrupt:
        # What has begun takes a few seconds at most, and is not lost.
        harvest(wait([f for f in waiting if not f.cancel()]).done)
        raise
    return killers
