"""The log of a run: one line of JSON for each graded submission, only ever appended.

A record is found again by its key: the submission's bytes and the exam's fingerprint.
So a run that was interrupted goes on, a submission that has changed is graded again,
and so is everything after a change of the seed, the assignment or the judge.
"""

import hashlib
import json
import os


def key(exam, data):
    """Return the key of a submission's bytes in the log of an exam."""
    return hashlib.sha256(exam.fingerprint.encode() + b"\0" + data).hexdigest()


def read(path):
    """Return {key: record}, the last record of each key."""
    if not path.exists():
        return {}
    records = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
            records[record["key"]] = record
        except (ValueError, KeyError, TypeError):
            continue  # the last line of a run that lost its power
    return records


class Log:
    """A log that is open for appending."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab+")
        if self._file.tell():
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                self._file.write(b"\n")

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self._file.close()

    def append(self, **record):
        """Write one record and wait until it is on the disk."""
        self._file.write(json.dumps(record).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
