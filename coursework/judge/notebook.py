"""Read a submitted notebook: bounded, and believing nothing of it."""

import os
import stat
import struct

from coursework.judge import wire
from coursework.judge.clock import TimedOutError
from coursework.judge.desk.reading import CELL_LIMIT, REFUSALS
from coursework.judge.process import EndedError

SIZE_LIMIT = 64 << 20  # of the file, pictures included; of code there is less
HEAD = struct.Struct(">I?I")
SECONDS = 5  # to read it; they are not taken from those of its cells


class RefusedError(Exception):
    """A submission that cannot be graded, with the reason in words."""


def read(path):
    """Return the bytes of a submission, which is a file and not too large."""
    try:
        # A pipe in place of a file must not hold us up, nor a link lead us elsewhere.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise RefusedError(f"the file cannot be read ({error.strerror})") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError("this is not a file")
        if status.st_size > SIZE_LIMIT:
            raise RefusedError(f"the notebook is larger than {SIZE_LIMIT >> 20} MB")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(SIZE_LIMIT)
    finally:
        os.close(descriptor)


def code_cells(process, data):
    """Return [(number, source, is it graded?)] of a notebook, which a sandbox reads."""
    return _told(process, {"notebook": True}, data)


def written_answers(process, data, names):
    """Return {question: text} of the answers in words, which a sandbox reads."""
    found = _told(process, {"notebook": True, "written": names}, data)
    texts = {number: text for number, text, _ in found}
    return {name: texts.get(n, "") for n, name in enumerate(names, start=1)}


def _told(process, header, data):
    try:
        process.send(wire.encode(header, data), SECONDS)
        header, body = process.receive(SECONDS)
        if header.get("refused") in REFUSALS:
            raise RefusedError(REFUSALS[header["refused"]])
        return _cells(body)
    except TimedOutError:
        raise RefusedError("the notebook takes too long to read") from None
    except (EndedError, wire.GarbledError, TypeError):
        raise RefusedError(REFUSALS["json"]) from None


def _cells(body):
    """Return the cells that a body holds, each in the form of `desk.reading.pack`."""
    found, place, last = [], 0, 0
    while place < len(body):
        if len(body) - place < HEAD.size:
            raise wire.GarbledError
        number, graded, length = HEAD.unpack_from(body, place)
        place += HEAD.size
        text = body[place : place + length]
        if len(text) < length or not last < number <= CELL_LIMIT:
            raise wire.GarbledError
        try:
            found.append((number, text.decode(errors="surrogatepass"), graded))
        except UnicodeDecodeError:
            raise wire.GarbledError from None
        place, last = place + length, number
    return found
