"""The secret from which the hidden inputs of a term are drawn."""

import hashlib
import hmac
import os
import secrets
import stat

import numpy as np

BYTES = 32
REMEDY = "Make a term with: python -m coursework.judge new-term FOLDER"


class SeedError(Exception):
    """The seed file cannot be trusted or cannot be read."""


def make(path):
    """Write a new secret that its owner alone can read; it must not be there yet."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(BYTES))


def read(path):
    """Return the secret in a file that is long enough and its owner's alone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise SeedError(f"{path}: {error.strerror}. {REMEDY}") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise SeedError(f"{path} is not a file. {REMEDY}")
        if mode & 0o077:
            raise SeedError(f"others may read {path}. Say: chmod 600 {path}")
        seed = os.read(descriptor, 1 << 16)
    finally:
        os.close(descriptor)
    if len(seed) < BYTES:
        raise SeedError(f"{path} holds {len(seed)} bytes of at least {BYTES}. {REMEDY}")
    if len(set(seed)) < 8:  # of 32 random bytes, 30 or so differ
        raise SeedError(f"{path} holds no secret, but the same bytes again. {REMEDY}")
    return seed


def generator(seed, assignment, question, student=""):
    """Return the generator of one question: the same for all, or one student's own."""
    name = "/".join([assignment, question, *([student] if student else [])]).encode()
    digest = hmac.new(seed, name, hashlib.sha256).digest()
    return np.random.default_rng(int.from_bytes(digest))
