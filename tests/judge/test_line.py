"""The line between the judge and the sandbox, and the filter of system calls."""

import io
import struct

import numpy as np
import pytest

from coursework.judge import (
    syscalls,
    wire,
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


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_refuses_what_it_names_and_nothing_else(machine):
    """Run the filter, step by step, as the kernel does."""
    code = syscalls.program(machine)
    steps = list(struct.iter_unpack("=HBBI", code))

    def verdict(architecture, number):
        value, place = None, 0
        while True:
            kind, yes, no, k = steps[place]
            place += 1
            if kind == syscalls.LOAD:
                value = {0: number, 4: architecture}[k]
            elif kind == syscalls.RETURN:
                return k
            else:
                hit = value == k if kind == syscalls.EQUAL else value >= k
                place += yes if hit else no

    mine = syscalls.ARCHITECTURES[machine]
    column = syscalls.COLUMN[machine]
    refused = {pair[column] for pair in syscalls.REFUSED.values()}
    for number in range(500):
        expected = syscalls.REFUSE if number in refused else syscalls.ALLOW
        assert verdict(mine, number) == expected
    assert verdict(mine, syscalls.X32 + 1) == syscalls.REFUSE
    assert verdict(0x40000003, 1) == syscalls.KILL  # 32-bit calls
    assert syscalls.program("z80") == b""
