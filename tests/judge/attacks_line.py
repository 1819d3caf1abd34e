"""Attacks on the line between the sandbox and the judge: forged messages."""

from judge.attack import attack

PIPE = """
import json, struct, sys, time
frame = sys._getframe()
while "answers" not in frame.f_locals:
    frame = frame.f_back
answers, commands = frame.f_locals["answers"], frame.f_back.f_locals["commands"]
here = frame.f_locals["number"]
def say(header, body=b"", sizes=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    sizes = sizes or (len(text), len(body))
    answers.write(struct.pack(">II", *sizes) + text + body)
    answers.flush()
def npy(dictionary, data=b""):
    header = dictionary.encode().ljust(117) + b"\\n"
    return b"\\x93NUMPY\\x01\\x00" + struct.pack("<H", len(header)) + header + data
def answer(piece):
    say({"cell": here})
    say({"cells": "done"})
    for _ in range(9):
        say({"sizes": [len(piece)]}, piece)
"""
ZEROS = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, ), }"


def forged(tries, source, **options):
    """Return an attack that speaks on the judge's own line."""
    return attack(tries, PIPE + source, **options)


def garbled(tries, source):
    """Return an attack that must be seen for what it is, and at once."""
    return forged(tries, source, shows="no answer, or one that is far too large")


FORGED = {
    "forged-verdict": forged(
        "say that all is right",
        f"answer(npy({ZEROS!r}))\nsay({{'points': 10, 'right': True, 'score': 10}})",
    ),
    "forged-null": forged(
        "answer that nothing is wrong",
        "say({'cell': here}); say({'cells': 'done'})\n"
        "for _ in range(9): say({'error': None, 'bad': None, 'sizes': []})",
    ),
    "forged-lengths": garbled(
        "make the judge wait for four gigabytes",
        "say(b'{}', b'', (2**32 - 1, 2**32 - 1))",
    ),
    "forged-body-length": garbled(
        "make the judge allocate four gigabytes", "say(b'{}', b'', (2, 2**32 - 1))"
    ),
    "forged-shape": garbled(
        "make the judge allocate an exabyte",
        f"answer(npy({ZEROS.replace('1, ', '1000000000, 1000000000')!r}, b'8' * 8))",
    ),
    "forged-dimensions": garbled(
        "overflow the product of a shape",
        f"answer(npy({ZEROS.replace('(1, )', '(' + '4294967296, ' * 4 + ')')!r}))",
    ),
    "forged-zero": garbled(
        "make the judge fail over a shape whose sides no memory holds, and one is 0",
        f"answer(npy({ZEROS.replace('(1, )', '(0' + ', 999999999' * 3 + ')')!r}))",
    ),
    "forged-pickle": garbled(
        "have the judge unpickle a command",
        "import pickle, os\nclass Evil:\n"
        "    def __reduce__(self): return os.system, ('touch OWNED',)\n"
        f"answer(npy({ZEROS.replace('<f8', '|O')!r}, pickle.dumps([Evil()])))",
    ),
    "forged-expression": garbled(
        "have the judge evaluate a header",
        "answer(npy(\"{'descr': __import__('os').system('touch OWNED'), "
        "'fortran_order': False, 'shape': (1, ), }\"))",
    ),
    "forged-deep-json": garbled("exhaust the judge's stack", "say(b'[' * 4000)"),
    "forged-scalar": garbled("send JSON that is no object", "say(b'3')"),
    "forged-number": garbled(
        "send a number of four thousand digits",
        "say({'cell': here}); say({'cells': 'done'})\n"
        "for _ in range(9): say(b'{\"sizes\": [' + b'9' * 4000 + b']}')",
    ),
    "forged-negative": garbled(
        "send lengths below zero",
        "say({'cell': here}); say({'cells': 'done'})\n"
        "for _ in range(9): say({'sizes': [-8, 16]}, b'x' * 8)",
    ),
    "forged-types": garbled(
        "send headers of the wrong types",
        "say({'cell': here, 'error': {'a': [1]}})",
    ),
    "forged-flood": forged(
        "flood the judge", "while True: say({'cell': here}, b'x' * 1_000_000)"
    ),
    "forged-silence": forged(
        "begin a message and fall silent",
        "answers.write(struct.pack('>II', 100, 0) + b'{'); answers.flush()\n"
        "time.sleep(60)",
    ),
    "forged-drip": forged(
        "send a byte now and then",
        "answers.write(struct.pack('>II', 4000, 0))\n"
        "while True: answers.write(b' '); answers.flush(); time.sleep(0.05)",
    ),
    "forged-closed": forged("close the line", "answers.close(); commands.close()"),
    "forged-report": forged(
        "carry the inputs out in the report of a cell",
        "say({'cell': here}); say({'cells': 'done'})\n"
        "sizes = struct.unpack('>II', commands.read(8))\n"
        "call = commands.read(sizes[0]); body = commands.read(sizes[1])\n"
        "say({'cell': here, 'error': 'SECRET' + body.hex()[-200:]})",
    ),
}
