"""The line between the judge and the sandbox, and the filter of system calls."""

import contextlib
import io
import json
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judge.attacks_kernel import WITHHELD

from coursework.judge import (
    attempt,
    clock,
    errors,
    notebook,
    process,
    syscalls,
    wire,
)
from coursework.judge.desk import reading

# Neither how fast the machine is nor whether this folder can be written to matters.
CALM = settings(
    deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def npy(array):
    body = io.BytesIO()
    np.save(body, array)
    return body.getvalue()


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (1, 2, 3, 4)])
def test_what_numpy_saves_is_read(shape):
    array = np.random.default_rng(0).normal(size=shape)
    piece = npy(array)
    (read,) = wire.decode_arrays([len(piece)], piece)
    assert read.shape == shape
    assert (read == array).all()


@pytest.mark.parametrize(
    "array",
    [np.arange(3), np.zeros(3, "f4"), np.zeros(3, ">f8"), np.asfortranarray(np.eye(3)),
     np.zeros(3, complex), np.zeros(3, [("a", "<f8")]), np.array(["right"])],
    ids=lambda array: str(array.dtype),
)  # fmt: skip
def test_what_the_worker_never_sends_is_not_read(array):
    piece = npy(array)
    with pytest.raises(wire.GarbledError):
        wire.decode_arrays([len(piece)], piece)


def test_no_byte_of_a_header_can_be_changed_to_advantage():
    """Every change of one byte is refused, or leaves an array of the same size."""
    good = npy(np.ones((2, 3)))
    for place in range(128):
        for byte in (0, 32, 39, 44, 49, 255):
            piece = good[:place] + bytes([byte]) + good[place + 1 :]
            try:
                (read,) = wire.decode_arrays([len(piece)], piece)
            except wire.GarbledError:
                continue
            assert read.nbytes == 48


def verdict(steps, data):
    """Run a filter, step by step, as the kernel does; `data` is {offset: value}."""
    value, place = None, 0
    while True:
        kind, yes, no, k = steps[place]
        place += 1
        if kind == syscalls.LOAD:
            value = data.get(k, 0)
        elif kind == syscalls.RETURN:
            return k
        else:
            hit = value == k if kind == syscalls.EQUAL else value >= k
            place += yes if hit else no


@pytest.mark.parametrize("more", [{}, syscalls.START], ids=["last", "first"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_lets_through_what_it_names_and_nothing_else(machine, more):
    steps = list(struct.iter_unpack("=HBBI", syscalls.program(machine, more)))
    mine = syscalls.ARCHITECTURES[machine]
    column = syscalls.COLUMN[machine]
    allowed = {pair[column] for pair in (syscalls.ALLOWED | more).values()}
    chosen = {c[column]: (16 + 8 * c[2], c[3]) for c in syscalls.CHOSEN.values()}
    for number in range(600):
        place, fine = chosen.get(number, (16, ()))
        for value in (0, 1, 21, 2**32 - 1, *fine):
            good = number in allowed or value in fine
            expected = syscalls.ALLOW if good else syscalls.REFUSE
            assert verdict(steps, {0: number, 4: mine, place: value}) == expected
    assert verdict(steps, {0: syscalls.X32 + 1, 4: mine}) == syscalls.REFUSE
    assert verdict(steps, {0: 1, 4: 0x40000003}) == syscalls.KILL  # 32-bit calls
    assert syscalls.program("z80") == b""


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_no_number_of_the_filter_stands_for_two_calls(machine):
    column = syscalls.COLUMN[machine]
    every = [*syscalls.ALLOWED.values(), *syscalls.CHOSEN.values()]
    every += syscalls.START.values()
    numbers = [pair[column] for pair in every if pair[column] is not None]
    assert len(set(numbers)) == len(numbers)
    forbidden = {pair[column] for pair in WITHHELD.values()}
    start = {pair[column] for pair in syscalls.START.values()}
    assert not forbidden & (set(numbers) - start)


# Whatever a sandbox says: a zero with a reason, and never an error of ours


class Says:
    """A process that has said these bytes, and ends."""

    def __init__(self, data):
        self.clock, self._data = clock.Clock(), io.BytesIO(data)

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        pass

    def send(self, message, deadline):
        """Take what is sent, and pay no heed."""

    def _read(self, size, deadline):
        part = self._data.read(size)
        if len(part) < size:
            raise process.EndedError
        return part

    receive = process.Process.receive


def message(text, body=b"", sizes=None):
    """Return a message of which no part need be right."""
    return struct.pack(">II", *(sizes or (len(text), len(body)))) + text + body


GOOD = npy(np.ones((4, 2)))
HEADS = [
    b"{}", b"[]", b"3", b"null", b"", b"\xff\xfe", b"[" * 4000, b"9" * 4000, b"NaN",
    b'{"cell": 1}', b'{"cell": 1, "error": "ValueError"}', b'{"cells": "done"}',
    b'{"cell": 1, "error": {"a": [1]}}', b'{"error": "\\ud800"}', b'{"error": null}',
    b'{"bad": "nothing"}', b'{"bad": ["nothing"]}', b'{"bad": {}}',
    b'{"missing": true}', b'{"missing": [[]]}', b'{"ready": true}', b'{"cells": 3}',
    b'{"refused": "json"}', b'{"refused": []}', b'{"refused": {"a": 1}}',
    b'{"refused": 1e999}', b'{"sizes": []}', b'{"sizes": [-8, 8]}',
    b'{"sizes": [true]}', b'{"sizes": "x"}',
    b'{"sizes": [1e308]}', b'{"sizes": {"0": 1}}', b'{"sizes": null}',
    b'{"sizes": [%d]}' % len(GOOD), b'{"sizes": [%d]}' % (1 << 70),
]  # fmt: skip
SHAPES = [
    b"()", b"(4, 2)", b"(0,)", b"(0, 999999999, 999999999, 999999999)", b"(,)",
    b"(0, 0, 0, 0, 0, 0, 0, 0)", b"(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)", b"(99999999999,)",
    b"(4 2)", b"(0, 8388609)", b"(999999999, 0)", b"(00000, 1)", b"(, , 0)",
]  # fmt: skip
BODIES = [GOOD, GOOD[:-1], b"", b"\0" * 16, b"\0\0\0\1\0\0\0\1\xed", b"x" * 9]
BODIES += [GOOD[:128].replace(b"(4, 2)", shape) for shape in SHAPES]
BODIES += [GOOD.replace(b"(4, 2), }", shape + b", }") for shape in SHAPES]
HEADS += [b'{"sizes": [%d]}' % len(body) for body in BODIES]
CORPUS = [message(head, body) for head in HEADS for body in BODIES]
CORPUS += [message(b"{}", b"", (2**32 - 1, 0)), message(b"{}", b"", (2, 2**32 - 1))]
ANYTHING = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(CORPUS),
    st.builds(message, st.sampled_from(HEADS) | st.binary(max_size=40), st.binary()),
)


def judged(drawn, data):
    """Check what becomes of a notebook whose sandbox says these bytes."""
    state = attempt.attempt(drawn.questions, [(1, "")], lambda: Says(data))
    assert set(state.reasons) == {q.name for q in drawn.questions}
    assert all(isinstance(r, str) and r for r in state.reasons.values())
    assert set(state.reports.values()) <= KNOWN
    with contextlib.suppress(notebook.RefusedError):
        cells = notebook.code_cells(Says(data), b"")
        assert all(isinstance(source, str) for _, source in cells)


KNOWN = {*attempt.BROKEN, *(f"it stopped: {words}" for words in errors.WORDS)}


def test_each_of_the_odd_messages_is_a_zero_with_a_reason(drawn):
    opening = message(b'{"cell": 1}') + message(b'{"cells": "done"}')
    for data in CORPUS:
        judged(drawn, data)
        judged(drawn, opening + data * 2)


@CALM
@given(st.lists(ANYTHING, max_size=4), st.booleans())
def test_any_bytes_of_a_sandbox_are_a_zero_with_a_reason(drawn, pieces, honest):
    opening = message(b'{"cell": 1}') + message(b'{"cells": "done"}')
    judged(drawn, opening * honest + b"".join(pieces))


@CALM
@given(st.binary(max_size=120), st.integers(0, len(GOOD)), st.integers(0, 20))
def test_any_bytes_within_an_array_are_garbled_or_an_array(data, place, cut):
    piece = GOOD[:place] + data + GOOD[place + cut :]
    with contextlib.suppress(wire.GarbledError):
        (array,) = wire.decode_arrays([len(piece)], piece)
        assert array.dtype == np.float64


@CALM
@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9)
    | st.sampled_from(["code", "markdown", "not-graded"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["cells", "cell_type", "source", "metadata", "tags"]), inner
    ),
))  # fmt: skip
def test_any_json_is_a_notebook_or_refused(value):
    for whole in (value, {"cells": value}, {"cells": [value]}):
        header, body = reading.read(json.dumps(whole).encode())
        if "refused" in header:
            assert header["refused"] in reading.REFUSALS
        else:
            cells = notebook.code_cells(Says(message(b"{}", body)), b"")
            assert len(cells) == header["cells"]


def test_text_that_is_no_text_comes_out_of_the_sandbox_as_it_is():
    cells = [{"cell_type": "code", "source": s} for s in ("\ud800", "é\0", "")]
    header, body = reading.read(json.dumps({"cells": cells}).encode())
    assert header == {"cells": 3}
    read = notebook.code_cells(Says(message(b"{}", body)), b"")
    assert read == [(1, "\ud800", True), (2, "é\0", True), (3, "", True)]
