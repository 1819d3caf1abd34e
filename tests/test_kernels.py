import numpy as np
import pytest

from jachess_lib._engine import kernels

RNG = np.random.default_rng(0)


@pytest.fixture(params=[1, 30, 50, 1 << 20])
def small_temporaries(request, monkeypatch):
    """Temporaries of one number, of a few, and of the usual size.

    Unless they are of the usual size, no block is too small to be packed, and 64
    patterns at a time are summed.
    """
    monkeypatch.setattr(kernels, "_TEMPORARY", request.param)
    if request.param < 1 << 20:
        monkeypatch.setattr(kernels, "_SMALL", 0)
        monkeypatch.setattr(kernels, "_FACTOR", 1)


@pytest.mark.parametrize("n_patterns", [0, 1, 63, 64, 65, 200])
def test_chunks_cover_every_pattern_once(n_patterns, monkeypatch):
    monkeypatch.setattr(kernels, "_PATTERNS", 1000)
    chunks = list(kernels.pattern_chunks(n_patterns, 10))
    covered = [n for chunk in chunks for n in range(chunk.start, chunk.stop)]
    assert covered == list(range(n_patterns))
    assert chunks[0].start == 0
    assert len(chunks) == max(1, -(-n_patterns // 100))


def test_chunks_never_fall_below_sixty_four_patterns():
    chunks = list(kernels.pattern_chunks(130, 1 << 60))
    assert [(c.start, c.stop) for c in chunks] == [(0, 64), (64, 128), (128, 130)]


@pytest.mark.parametrize("N", [0, 1, 4])
def test_contract_index_by_index(N):
    B, V = RNG.standard_normal((N, 2, 3)), RNG.standard_normal((3, 5))
    expected = np.array(
        [
            [
                [sum(B[n, k, j] * V[j, i] for j in range(3)) for i in range(5)]
                for k in range(2)
            ]
            for n in range(N)
        ]
    ).reshape(N, 2, 5)
    np.testing.assert_allclose(kernels.contract(B, V), expected, rtol=1e-13)
    for out in (
        np.empty((N, 2, 5)),
        np.empty((N, 2, 10))[:, :, ::2],
        np.empty((5, 2, N)).T,
    ):
        assert kernels.contract(B, V, out=out) is out
        np.testing.assert_allclose(out, expected, rtol=1e-13)
    assert kernels.contract(B + 1j, V).dtype == np.complex128
    assert kernels.contract(B, V + 1j).dtype == np.complex128


@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize(
    ("N", "J", "I"), [(3, 4, 2), (1, 1, 1), (0, 2, 3), (5, 2, 6), (150, 7, 3)]
)
def test_diagonal_block_index_by_index(small_temporaries, N, J, I, add):
    M, z = RNG.standard_normal((N, J, J)), RNG.standard_normal((N, I))
    M = M + M.transpose(0, 2, 1)
    before = RNG.standard_normal((J, I, J, I))
    block = before.copy()
    kernels.put_diagonal_block(block, z, M, add=add)
    expected = np.einsum("njq,ni,np->jiqp", M, z, z) + add * before
    np.testing.assert_allclose(block, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("kind", ["full", "diagonal", "none"])
@pytest.mark.parametrize(
    ("N", "J", "I", "Q", "P"),
    [(3, 4, 6, 5, 2), (1, 1, 2, 1, 1), (0, 2, 4, 3, 2), (150, 3, 3, 2, 4)],
)
def test_pair_index_by_index(small_temporaries, N, J, I, Q, P, kind, add):
    if kind == "diagonal":
        Q = I - 1
    z, x = RNG.standard_normal((N, I)), RNG.standard_normal((N, P))
    B, delta = RNG.standard_normal((N, J, Q)), RNG.standard_normal((N, J))
    G = {
        "full": RNG.standard_normal((N, I - 1, Q)),
        "diagonal": RNG.standard_normal((N, Q)),
        "none": None,
    }[kind]
    before = RNG.standard_normal((J, I, Q, P))
    block, mirror = before.copy(), before.transpose(2, 3, 0, 1).copy()
    kernels.put_pair(
        block, mirror, z, x, B, delta if G is not None else None, G, add=add
    )
    expected = np.einsum("np,ni,njq->jiqp", x, z, B) + add * before
    if kind == "full":
        expected[:, 1:] += np.einsum("np,nj,niq->jiqp", x, delta, G)
    if kind == "diagonal":
        expected[:, 1:] += np.einsum("np,nj,nq,iq->jiqp", x, delta, G, np.eye(Q))
    np.testing.assert_allclose(block, expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(mirror, block.transpose(2, 3, 0, 1))
    alone = before.copy()
    kernels.put_pair(alone, None, z, x, B, delta, G, add=add)
    np.testing.assert_array_equal(alone, block)


def test_groups_stay_within_the_limit_and_take_at_least_one():
    assert list(kernels._groups([5, 4, 3, 2, 1], 7)) == [(0, 1), (1, 3), (3, 5)]
    assert list(kernels._groups([5, 4], 0)) == [(0, 1), (1, 2)]
    assert list(kernels._groups([5], 100)) == [(0, 1)]
