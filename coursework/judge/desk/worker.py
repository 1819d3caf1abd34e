"""Run the cells of one submission and answer calls. This file runs in the sandbox.

It knows no expected value and no score, and nothing that it says is trusted. Both ways,
a message is two lengths, a JSON header and a body of `.npy` pieces.
"""

import ctypes
import io
import json
import os
import resource
import struct
import sys

os.chdir("/desk")
sys.path += ["/numpy", "/desk", "/ipython"]
import cells as running  # noqa: E402
import numpy as np  # noqa: E402
import reading  # noqa: E402
import stand_ins  # noqa: E402

NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2  # of prctl(2)


class Void(io.RawIOBase):
    """A stream that swallows what is printed."""

    def writable(self):
        """Say that it can be written to."""
        return True

    def write(self, data):
        """Forget the data."""
        return len(data)


def wire():
    """Return the streams to the judge, and close the standard ones to the student."""
    commands, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open("/dev/null", os.O_RDONLY)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    sys.stdin = None
    sys.stdout = sys.stderr = io.TextIOWrapper(io.BufferedWriter(Void()), "utf-8")
    return commands, answers


class Program(ctypes.Structure):
    """A filter of system calls, as the kernel takes it: a count of steps of 8 bytes."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def restrict(steps):
    """Put this process, once and for all, under the last limit and the last filter."""
    # A submission is one process of one thread. The other limits came with us.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    program = Program(len(steps) // 8, steps)
    if prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or prctl(
        SECCOMP, FILTER, ctypes.byref(program)
    ):
        raise OSError(ctypes.get_errno(), "the filter of system calls")


def receive(stream):
    """Return the next (header, body)."""
    sizes = stream.read(8)
    if len(sizes) < 8:
        os._exit(0)
    header, body = struct.unpack(">II", sizes)
    return json.loads(stream.read(header)), io.BytesIO(stream.read(body))


def send(stream, header, body=b""):
    """Send one message."""
    text = json.dumps(header).encode()
    stream.write(struct.pack(">II", len(text), len(body)) + text + body)
    stream.flush()


def decode(value, body):
    """Return an argument; arrays are read from the body in the order they are met."""
    if value == {"npy": True}:
        return np.load(body, allow_pickle=False)
    return [decode(v, body) for v in value] if isinstance(value, list) else value


def encode(value):
    """Return one array of numbers as `.npy` bytes, or raise a TypeError."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError("not real numbers")
    body = io.BytesIO()
    np.save(body, np.array(array, dtype="<f8", order="C"), allow_pickle=False)
    return body.getvalue()


def run_cells(cells, namespace, answers):
    """Run the cells in order and report each; one that fails does not stop the rest."""
    for number, source, graded in cells:
        report, name = {"cell": number}, f"<cell {number}>"
        if not graded:
            running.run_definitions(source, name, namespace)
        elif (error := running.run(source, name, namespace)) is not None:
            report["error"] = type(error).__name__[:80]
        send(answers, report)
    send(answers, {"cells": "done"})


def answer(call, body, namespace):
    """Return (header, body) for one call of a function of the notebook."""
    if call["function"] not in namespace:
        return {"missing": True}, b""
    arguments = [decode(value, body) for value in call["arguments"]]
    body.seek(0)
    original = [decode(value, body) for value in call["arguments"]]
    try:
        value = namespace[call["function"]](*arguments)
    except BaseException as error:
        return {"error": type(error).__name__[:80]}, b""
    parts = call["parts"]
    if value is None:
        return {"bad": "nothing"}, b""
    if parts and not (isinstance(value, (tuple, list)) and len(value) == parts):
        return {"bad": "parts"}, b""
    if not all(map(unchanged, arguments, original)):
        return {"bad": "changed"}, b""
    try:
        pieces = [encode(part) for part in (value if parts else [value])]
    except BaseException:
        return {"bad": "numbers"}, b""
    return {"sizes": [len(piece) for piece in pieces]}, b"".join(pieces)


def unchanged(given, original):
    """Tell whether an argument is what it was before the call."""
    if isinstance(original, list):
        return len(given) == len(original) and all(map(unchanged, given, original))
    return np.array_equal(given, original)


def put_right(call, namespace):
    """Let right functions of earlier questions take the place of the student's."""
    helpers = {"__name__": "helpers"}
    exec(call["helpers"], helpers)
    namespace.update((name, helpers[name]) for name in call["names"])
    return {"helpers": "done"}, b""


def main():
    """Do what the judge asks until it stops asking."""
    commands, answers = wire()
    restrict(bytes.fromhex(sys.argv[1]))
    send(answers, {"ready": True})
    stand_ins.install()
    namespace = running.new_namespace(stand_ins.Nothing())
    header, body = receive(commands)
    if "notebook" in header:
        found = reading.read(body.getvalue())
        if "written" in header:
            found = reading.read_answers(body.getvalue(), header["written"])
        send(answers, *found)
        header, _ = receive(commands)
    run_cells(header["cells"], namespace, answers)
    while True:
        call, body = receive(commands)
        if "helpers" in call:
            send(answers, *put_right(call, namespace))
        else:
            send(answers, *answer(call, body, namespace))


main()
