"""Messages between the judge and a sandbox; what comes back is not trusted.

A message is two lengths of four bytes, a JSON header and a body. Arrays are `.npy`
bytes in the body. Lengths are checked before anything is read, shapes before anything
is allocated, and nothing is ever unpickled.
"""

import io
import json
import math
import re
import struct
from itertools import accumulate, pairwise

import numpy as np

HEADER_LIMIT = 4096
BODY_LIMIT = 8 << 20
NPY = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)"
    rb"\{'descr': '<f8', 'fortran_order': False, 'shape': \((?P<shape>[0-9, ]*)\), \}"
    rb" *\n",
    re.DOTALL,
)


class GarbledError(Exception):
    """The sandbox sent what no honest one sends."""


def encode(header, body=b""):
    """Return a message as bytes."""
    text = json.dumps(header).encode()
    return struct.pack(">II", len(text), len(body)) + text + body


def encode_value(value, body):
    """Return an argument for a header, its arrays written to the end of a body."""
    if isinstance(value, (list, tuple)):
        return [encode_value(v, body) for v in value]
    if isinstance(value, np.ndarray):
        np.save(body, value, allow_pickle=False)
        return {"npy": True}
    return value.item() if isinstance(value, np.generic) else value


def encode_call(function, arguments, parts):
    """Return the message that asks for function(*arguments).

    `parts` is how many arrays come back together; 0 means one, and no tuple.
    """
    body = io.BytesIO()
    values = encode_value(list(arguments), body)
    header = {"function": function, "arguments": values, "parts": parts}
    return encode(header, body.getvalue())


def sizes(prefix):
    """Return (header, body) lengths of a message, both within their limits."""
    header, body = struct.unpack(">II", prefix)
    if header > HEADER_LIMIT or body > BODY_LIMIT:
        raise GarbledError
    return header, body


def decode_header(text):
    """Return the header, a dict; its size bounds its depth."""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise GarbledError from None
    if not isinstance(header, dict):
        raise GarbledError
    return header


def decode_arrays(lengths, body):
    """Return the arrays of a body that is cut into pieces of these lengths."""
    fine = isinstance(lengths, list) and all(type(n) is int and n >= 0 for n in lengths)
    if not fine or sum(lengths) != len(body):
        raise GarbledError
    ends = [0, *accumulate(lengths)]
    return [_array(body[a:b]) for a, b in pairwise(ends)]


def _array(piece):
    """Return the array of a `.npy` piece of float64 numbers, a view of its bytes.

    The header must be, letter by letter, what NumPy writes for such an array.
    """
    match = NPY.match(piece[:1024])
    if not match:
        raise GarbledError
    dimensions = [d for d in match["shape"].replace(b" ", b"").split(b",") if d]
    if len(dimensions) > 8 or any(len(d) > 9 for d in dimensions):
        raise GarbledError
    shape = tuple(map(int, dimensions))
    data = piece[match.end() :]
    # Beside a 0, any size fits: no array that was sent has a side longer than a body.
    if math.prod(shape) * 8 != len(data) or max(shape, default=0) > BODY_LIMIT:
        raise GarbledError
    try:
        return np.frombuffer(data, "<f8").reshape(shape)
    except ValueError:  # NumPy has bounds of its own
        raise GarbledError from None
