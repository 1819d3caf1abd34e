"""The benchmark measures what it says: nothing here needs a peer, or times anything."""

import dataclasses
import json
import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import jachess_lib as jl
from benchmarks import (
    idioms,
    machine,
    measure,
    nist,
    operations,
    part,
    peers,
    run,
    torch_networks,
    yardsticks,
)
from benchmarks.goals import AGREEMENT, OTHERS, RATIOS
from benchmarks.peers import base
from benchmarks.peers.base import Call, Skip
from benchmarks.problems import (
    DTYPES,
    FUNCTIONS,
    GROWTH,
    SIZES,
    SQUARE,
    Size,
    problem,
    result_shape,
)

ROOT = Path(__file__).resolve().parents[1]
SMALL = Size((3, 5, 4, 2), "softmax", 7)
EFFORT = measure.Effort(budget=0, rounds=3, batch=0, limit=60)
EVERY_FUNCTION = pytest.mark.parametrize("function", FUNCTIONS)


# Records of other environments


def test_the_real_pytorch_gave_the_same_outputs_with_this_very_code():
    record = json.loads(torch_networks.RESULTS.read_text(encoding="utf-8"))
    current = torch_networks.digest()
    assert record["source"] == current, "run python -m benchmarks.torch_networks again"
    assert len(record["from_torch"]) == 2 * 8
    networks = list(torch_networks.networks(np.float32))
    assert len(record["to_torch"]) == 2 * len(networks)
    for way in ("from_torch", "to_torch"):
        assert max(record[way].values()) < 10  # units of the last place


def test_the_fits_of_nist_are_of_this_very_code():
    record = json.loads(nist.RESULTS.read_text(encoding="utf-8"))
    assert record["source"] == nist.digest(), "run python -m benchmarks.nist again"
    told = {(fit["problem"], fit["start"]): fit["ways"] for fit in record["fits"]}
    assert len(told) == 6
    for at, ways in told.items():
        *given, truth = nist.problem(*at)
        for way, make in list(nist.WAYS.items())[:3]:  # the others need their packages
            b, evaluations = make(*given)()
            recorded = ways[way]
            assert abs(evaluations - recorded["evaluations"]) <= 0.1 * evaluations
            digits = -np.log10(np.abs(b / truth - 1).max())
            assert abs(digits - recorded["digits"]) < 2


# Problems


@pytest.mark.parametrize("size", [*SIZES.values(), SMALL], ids=lambda s: str(s.layers))
def test_a_problem_is_what_its_size_says(size):
    case = problem(size, "float32")
    assert case.net.sizes == size.layers
    assert case.net.n_parameters == size.n_parameters == case.v.size
    assert case.X.shape == (size.n_patterns, size.layers[0])
    assert {a.dtype for a in (case.net.w, case.X, case.T, case.v)} == {case.dtype}
    assert (problem(size, "float32").v == case.v).all()
    assert np.abs(problem(size).X - case.X).max() < 1e-6


def test_the_sizes_are_those_of_the_page():
    assert {name: size.n_parameters for name, size in SIZES.items()} == {
        "tiny": 83,
        "medium": 4929,
        "digits": 6570,
        "deep": 10147,
        "wide": 101770,
    }
    for axis, sizes in GROWTH.items():
        for value, size in sizes.items():
            hidden = size.layers[1:-1]
            grown = {"width": hidden[0], "N": size.n_patterns, "depth": len(hidden)}
            assert grown[axis] == value


def test_the_permutation_puts_weights_before_biases():
    case = problem(Size((2, 2, 1), "linear", 3))
    assert case.permutation().tolist() == [1, 2, 4, 5, 0, 3, 7, 8, 6]


@EVERY_FUNCTION
@pytest.mark.parametrize("dtype", DTYPES)
def test_our_own_calls_compute_the_function(function, dtype):
    case = problem(SMALL, dtype)
    found = peers.calls("ours", function, case)
    assert ("ours, out=" in found) == (function in CAN_FILL)
    by_product = {
        "HessianOperator": lambda: jl.exact_hessian(case.net, case.X, case.T) @ case.v,
        "hessian_vector_product": lambda: (
            jl.exact_hessian(case.net, case.X, case.T) @ case.v
        ),
        "GaussNewtonOperator": lambda: (
            jl.outer_product_hessian(case.net, case.X) @ case.v
        ),
        "gauss_newton_vector_product": lambda: (
            jl.outer_product_hessian(case.net, case.X) @ case.v
        ),
    }
    for call in found.values():
        result = np.asarray(call.run())
        assert result.shape == result_shape(function, SMALL)
        if function in by_product:
            error = measure.relative_error(result, by_product[function]())
            assert error < AGREEMENT[dtype]
    if "ours, out=" in found:
        buffer = found["ours, out="].run()
        assert buffer is found["ours, out="].run()
        assert found["ours, out="].keeps == buffer.nbytes
        assert (buffer == found["ours"].run()).all()


CAN_FILL = {
    "input_jacobian",
    "parameter_jacobian",
    "exact_hessian",
    "outer_product_hessian",
    "hessian_diagonal",
}


@EVERY_FUNCTION
def test_we_come_first_and_every_family_has_its_module(function):
    assert peers.families(function)[:3] == ["ours", "jax", "torch"]
    for module, _ in peers.FAMILIES.values():
        assert (ROOT / "benchmarks" / "peers" / f"{module}.py").exists()


def test_products_are_skipped_where_they_are_too_many():
    assert base.too_many_products(20_000) is None
    assert base.too_many_products(20_001).reason.startswith("one product for each of")
    assert base.products_again(1000, "H") is None
    assert base.products_again(1001, "H").reason == "the same 1,001 products as H"
    # 7 patterns, 5 + 4 + 2 units, P = 54, three times 8 bytes
    assert base.every_tangent(problem(SMALL, "float32")) == 24 * 54 * 7 * 11


# Operations


def by_hand(layers, N, exact):
    """Count the same products by walking over their indices."""
    wide = [(m, 1 + i) for i, m in pairwise(layers)]
    count = 0
    for l, (J, I) in enumerate(wide):
        pairs_j = sum(1 for j in range(J) for q in range(J) if j <= q)
        pairs_i = sum(1 for i in range(I) for p in range(I) if i <= p)
        count += pairs_j * pairs_i
        for m in range(l):
            Q, P = wide[m]
            count += J * Q * I * P
            count += J * wide[m + 1][0] * Q
            count += Q * J * Q if m == l - 1 else 0
            if exact and m == l - 1:
                count += Q * J * P
            elif exact:
                count += (I - 1) * Q * J * P + (I - 1) * wide[m + 1][0] * Q
    return N * count


@pytest.mark.parametrize("exact", [True, False])
def test_operations_are_counted_right(exact):
    for layers in ((3, 2), (4, 10, 3), (3, 5, 4, 2)):
        found = operations.multiply_adds(Size(layers, "linear", 7), exact=exact)
        assert sum(found.values()) == by_hand(layers, 7, exact)
    one = operations.multiply_adds(Size((1, 1, 1), "linear", 1))
    # on paper: (1, z) twice, its outer product once each; one pair, one bend
    assert one == {"diagonal blocks": 6, "pairs": 4, "bends": 2, "sweeps": 2}


def walked(function, layers, N):
    """Count the products line by line, as the lessons write them."""
    edges = list(pairwise(layers))  # (units below, units) of each layer
    last, K = len(edges) - 1, layers[-1]
    count = sum(N * (1 + i) * j for i, j in edges) if "Operator" not in function else 0
    for l in range(last, -1, -1):
        i, j = edges[l]
        whole, alone = N * (1 + i) * j, N * i * j
        if function in ("error_gradient", "hessian_diagonal"):
            count += whole + (alone if l else 0)  # δ z (or M_jj z²), and δ back
        if function == "outer_product_diagonal":
            count += whole + (K * alone if 0 < l < last else 0)
        if function == "parameter_jacobian":
            count += K * alone if 0 < l < last else 0
        if function == "input_jacobian":
            count += K * alone if l < last else 0
        if function == "hessian_vector_product":
            count += alone if l else 0  # δ back
        if function.startswith(("hessian_vector", "HessianOp")):
            # v z, w R{z}, R{δ} z, δ R{z}, w R{δ}, v δ
            count += 2 * whole + (4 * alone if l else 0)
        if function.startswith(("gauss", "GaussNewtonOp")):
            count += 2 * whole + (2 * alone if l else 0)  # v z, w R{z}, R{δ} z, w R{δ}
        if function == "hessian_diagonal" and l:
            count += j * alone if l < last else 0  # M_jk w_kq
            count += alone * i if l > 1 else alone  # Σ w_kj B_kq, at last for j = q
    return count


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f not in SQUARE])
def test_products_are_counted_as_the_lessons_write_them(function):
    for layers in ((3, 2), (4, 10, 3), (5, 6, 4, 2), (3, 5, 4, 6, 2)):
        found = operations.products_of(function, Size(layers, "linear", 7))
        # one layer alone goes back by M itself
        extra = 7 * 2 * 2 * 3 if (function, layers) == ("input_jacobian", (3, 2)) else 0
        assert found == walked(function, layers, 7) + extra


def test_products_of_a_square_matrix():
    for exact, function in ((True, SQUARE[0]), (False, SQUARE[1])):
        size = Size((3, 5, 4, 2), "linear", 7)
        assert operations.products_of(function, size) == by_hand(size.layers, 7, exact)


# Agreement


def test_relative_error():
    A = np.arange(6.0).reshape(2, 3)
    assert measure.relative_error(A, A) == 0
    assert measure.relative_error(A + np.diag([0, 1, 0])[:2], A) == pytest.approx(0.2)
    assert measure.relative_error(A[:, :2], A) == math.inf
    assert math.isnan(measure.relative_error(A * np.nan, A))
    assert measure.relative_error(3.0, np.array(2.0)) == 0.5
    assert measure.relative_error(np.zeros((0, 3)), np.zeros((0, 3))) == 0


def test_a_planted_mistake_is_a_row_that_says_so():
    case = problem(SMALL)
    right = jl.exact_hessian(case.net, case.X, case.T)
    wrong = right.copy()
    wrong[3, 4] += 1e-8 * np.abs(right).max()
    calls = {
        "ours": Call(lambda: right),
        "equal": Call(lambda: right.copy()),
        "wrong": Call(lambda: wrong),
        "nan": Call(lambda: right * np.nan),
        "shape": Call(lambda: right[:-1]),
        "transposed scale": Call(lambda: right / 2, lambda r: 2 * r),
    }
    rows, good, _ = measure.compare(calls, AGREEMENT["float64"])
    assert list(good) == ["ours", "equal", "transposed scale"]
    for name in ("wrong", "nan", "shape"):
        assert rows[name]["status"] == "disagrees"
        assert rows[name]["note"].startswith("off by")
    assert rows["wrong"]["error"] == pytest.approx(1e-8, rel=1e-3)
    assert rows["equal"]["first"] > 0
    _, good, _ = measure.compare(calls, AGREEMENT["float32"])
    assert "wrong" in good


def test_the_reference_is_a_copy():
    buffer = np.ones(3)

    def fill():
        buffer[...] = 2
        return buffer

    rows, _, _ = measure.compare({"a": Call(lambda: buffer), "b": Call(fill)}, 1e-10)
    assert rows["b"]["status"] == "disagrees"


def test_a_peer_that_raises_is_a_row_and_the_others_go_on():
    def fails():
        raise RuntimeError("no kernel in /usr/lib/x.so for this")

    calls = {
        "late": Call(fails),
        "ours": Call(lambda: 1.0),
        "large": Call(lambda: 1.0, needs=9 << 30),
        "skipped": Skip("too many"),
    }
    rows, good, _ = measure.compare(calls, 1e-10)
    assert list(good) == ["ours"]
    assert rows["late"]["status"] == "failed"
    assert rows["late"]["note"] == "RuntimeError: no kernel in for this"
    assert rows["large"] == {"status": "skipped", "note": "needs about 9 GiB"}
    assert rows["skipped"] == {"status": "skipped", "note": "too many"}


def test_a_slow_call_is_stopped():
    def forever():
        while True:
            pass

    calls = {"ours": Call(lambda: 1.0), "slow": Call(forever)}
    rows, good, _ = measure.compare(calls, 1e-10, seconds=0.01)
    assert list(good) == ["ours"]
    assert rows["slow"] == {"status": "too slow", "note": "more than 0.01 s a call"}


def test_a_family_that_cannot_be_built_is_a_row(monkeypatch):
    def calls(family, function, problem):
        if family != "ours":
            raise ModuleNotFoundError(f"No module named {family!r}")
        return {"ours": Call(lambda: 1.0)}

    monkeypatch.setattr(peers, "calls", calls)
    spec = {"function": "error", "dtype": "float64", "quick": True}
    spec["families"] = ["ours", "jax", "torch"]
    rows = {row["peer"]: row for row in part.rows(SMALL, spec)}
    assert set(rows) == {"ours", "jax", "torch"}
    assert rows["ours"]["status"] == "timed"
    assert rows["jax"]["note"] == "ModuleNotFoundError: No module named 'jax'"
    assert {row["status"] for row in rows.values()} == {"timed", "failed"}


def test_a_result_too_large_for_everyone_is_one_row():
    spec = {"function": "exact_hessian", "dtype": "float64", "quick": True}
    (row,) = part.rows(SIZES["wide"], spec)
    assert (row["peer"], row["status"]) == ("all", "skipped")
    assert row["note"] == "the result alone needs 77 GiB"


# Timing


def test_rounds_are_interleaved_there_and_back():
    order = list(measure.interleaved({"a": 3, "b": 1, "c": 2}))
    assert order == ["a", "b", "c", "c", "a", "a"]
    assert list(measure.interleaved({})) == []


def test_everyone_is_called_as_often_as_the_row_says(monkeypatch):
    counts = {"a": 0, "b": 0}

    def count(name):
        counts[name] += 1
        return 1.0

    calls = {name: Call(lambda name=name: count(name)) for name in counts}
    ticks = iter(range(10**6))
    monkeypatch.setattr(measure.time, "perf_counter", lambda: next(ticks))
    monkeypatch.setattr(measure.time, "process_time", lambda: 2 * next(ticks))
    rows = {"a": {}, "b": {}}
    measure.time_calls(calls, rows, {}, EFFORT, 8)
    for name, row in rows.items():
        assert row["calls"] == 1
        assert counts[name] == row["rounds"] == 4  # three, and the one that calibrates
        assert row["cpu"][0] <= row["cpu"][1] <= row["cpu"][2]


def test_a_slow_start_does_not_make_the_batch_small(monkeypatch):
    durations = iter([0.5, 0.4, 0.001, 0.002, 0.003, 0.004, 0.005])
    monkeypatch.setattr(measure, "timed", lambda run, n: (0, next(durations)))
    assert measure.shortest(None, 0.9, batch=1) == 0.001
    assert measure.shortest(None, 2.0, batch=1) == 2.0


def test_timed_is_the_mean_of_its_calls(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(measure.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(measure.time, "process_time", lambda: now[0] / 2)

    def run():
        now[0] += 3

    assert measure.timed(run, 5) == (1.5, 3.0)


def test_summary_is_the_quartiles():
    assert measure.summary([4.0]) == [4.0, 4.0, 4.0]
    assert measure.summary([1.0, 5.0, 2.0, 4.0, 3.0]) == [2.0, 3.0, 4.0]


def test_memory_beyond_the_result():
    n = 1 << 20

    def wasteful():
        waste = np.ones(3 * n)
        return waste[:n].copy()

    if measure.status("VmHWM") is None:
        return  # only Linux tells
    with measure.peak_memory() as beyond:
        wasteful()
    found = beyond()
    assert found is None or found >= 2.9 * 8 * n
    np.ones(16 * n)  # a peak that came before does not count
    with measure.peak_memory() as beyond:
        np.ones(n)
    found = beyond()
    assert found is None or found < 8 * 8 * n


def test_yardsticks_do_what_their_names_say():
    product = yardsticks.beside(np.float32)["gemm"].run()
    assert product.shape == (yardsticks.ORDER,) * 2
    assert product.dtype == np.float32
    found = yardsticks.speeds(lambda run: [run(), 0.5][1], numbers=10)
    assert found["write_warm"] == found["copy"] == 8e-9 * 10 / 0.5
    assert found["dgemm"] == 2e-9 * yardsticks.MULTIPLY_ADDS / 0.5


def test_the_hessian_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_SCRATCH", str(tmp_path))
    monkeypatch.setattr(part, "ON_DISK", SMALL)
    record = part.on_disk(None)
    assert record["P"] == SMALL.n_parameters
    assert record["bytes"] == 8 * record["P"] ** 2
    assert record["error"] < 1e-10
    assert list(tmp_path.iterdir()) == []


def test_a_growth_part_has_every_point(monkeypatch):
    monkeypatch.setattr(part, "GROWTH", {"N": {2: SMALL, 3: SMALL}})
    monkeypatch.setattr(
        peers, "calls", lambda f, *_: {f: Call(lambda: 1.0), f + " 2": Skip("second")}
    )
    spec = {"function": "error", "dtype": "float64", "quick": True, "axis": "N"}
    spec["families"] = ["ours", "jax"]
    points = part.growth(spec)["points"]
    assert [point["value"] for point in points] == [2, 3]
    assert [row["peer"] for row in points[0]["rows"]] == ["ours", "jax"]


# The run


PARTS = [{"kind": "compare", "size": s} for s in ("a", "b", "c")]


def test_a_run_goes_on_where_it_was_interrupted(tmp_path):
    path, seen = tmp_path / "parts.jsonl", []

    def execute(spec):
        if spec["size"] == "c" and len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(spec["size"])
        return {"rows": [spec["size"]]}

    with pytest.raises(KeyboardInterrupt):
        run.run_parts(PARTS, run.Store(path, "k"), execute)
    assert seen == ["a", "b"]
    seen.append("go on")
    records = run.run_parts(PARTS, run.Store(path, "k"), execute)
    assert seen == ["a", "b", "go on", "c"]
    assert [record["rows"] for _, record in records] == [["a"], ["b"], ["c"]]


def test_a_part_counts_only_under_its_key_and_when_whole(tmp_path):
    path = tmp_path / "parts.jsonl"
    run.Store(path, "old").add(PARTS[0], {"rows": []})
    store = run.Store(path, "new")
    assert store.records() == {}
    store.add(PARTS[1], {"rows": [1]})
    with path.open("a") as file:
        file.write('{"key": "new", "part": "cut o')
    assert list(store.records().values()) == [{"rows": [1]}]
    store.add(PARTS[2], {"rows": [2]})  # the torn line does not spoil the next
    assert list(store.records().values()) == [{"rows": [1]}, {"rows": [2]}]


def test_the_key_changes_with_the_library_and_with_versions(monkeypatch, tmp_path):
    for name in ("jachess_lib", "benchmarks"):
        (tmp_path / name).mkdir()
    source = tmp_path / "jachess_lib" / "hessian.py"
    source.write_text("a = 1")
    monkeypatch.setattr(run, "ROOT", tmp_path)
    first = run.key()
    assert run.key() == first
    (tmp_path / "benchmarks" / "run.py").write_text("print()")
    assert run.key() == first
    source.write_text("a = 2")
    second = run.key()
    assert second != first
    monkeypatch.setattr(run, "versions", lambda: {"numpy": "0"})
    assert run.key() != second


def test_a_process_that_dies_is_a_row(monkeypatch, tmp_path):
    monkeypatch.setattr(run, "SCRATCH", tmp_path)
    record = run.execute({"kind": "no such kind", "threads": 1})
    (row,) = record["rows"]
    assert row["status"] == "failed"
    assert row["note"] == "the process ended with 1"
    results = run.assemble([(run.part("growth", 1, False, axis="N"), record)])
    assert results["growth"] == []
    assert results["parts"][0]["failed"] == row["note"]


def test_a_part_runs_in_a_process_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(run, "SCRATCH", tmp_path)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    spec = run.comparison(1, True, "wide", "exact_hessian", "float32", ["ours"])
    record = run.execute(spec)
    assert record["rows"][0]["status"] == "skipped"
    assert len(record["load"]) == 2
    assert run.environment(1)["OPENBLAS_NUM_THREADS"] == "1"


def test_the_plan_is_complete_and_has_nothing_twice():
    full = run.plan()
    texts = [json.dumps(spec) for spec in full]
    assert len(set(texts)) == len(texts)
    compared = {
        (spec["size"], spec["function"], spec["dtype"])
        for spec in full
        if spec["kind"] == "compare" and spec["threads"] == 1
    }
    every = {(s, f, d) for s in SIZES for f in FUNCTIONS for d in DTYPES}
    large = set(SIZES) - set(run.SMALL)
    assert compared == every - {(s, f, "float32") for s in large for f in SQUARE}
    quick = run.plan(quick=True)
    assert {spec.get("size") for spec in quick} == {None, "tiny", "digits"}
    assert all(spec["quick"] for spec in quick)
    assert not any(spec["quick"] for spec in full)


def test_the_machine_has_no_name_and_no_path():
    about = machine.describe_machine()
    assert about["processor"]
    assert "/" not in json.dumps(about).replace("GNU/Linux", "")
    assert machine.platform.node() not in json.dumps(about)


def test_the_quietest_core_is_the_one_that_idles(monkeypatch, tmp_path):
    stat = tmp_path / "stat"
    stat.write_text("cpu 1 1 1 7\ncpu0 9 0 0 100 5\ncpu1 9 0 0 300 5\nintr 1 2\n")
    read = machine.lines
    monkeypatch.setattr(machine, "lines", lambda path: read(stat))
    assert machine.idle_ticks() == {0: 100, 1: 300}
    ticks = iter([{0: 100, 1: 300}, {0: 190, 1: 310}])
    monkeypatch.setattr(machine, "idle_ticks", lambda: next(ticks))
    monkeypatch.setattr(
        machine.os, "sched_getaffinity", lambda _: {0, 1}, raising=False
    )
    assert machine.quietest_core(0) == 0


def test_numbers_are_rounded_and_rows_stand_on_lines():
    results = {"a": 1, "rows": [{"x": 1.23456789}, {"x": [0.000123456]}], "none": []}
    text = run.as_text(results)
    assert json.loads(text) == {
        "a": 1,
        "rows": [{"x": 1.235}, {"x": [0.0001235]}],
        "none": [],
    }
    assert '\n{"x": 1.235},\n' in text


# The results that the book shows


@pytest.fixture(scope="module")
def results():
    """Return the committed results."""
    return json.loads(run.RESULTS.read_text(encoding="utf-8"))


def test_the_results_are_of_this_schema(results):
    assert results["schema"] == run.SCHEMA
    assert results["quick"] is False
    fresh = run.assemble([])
    assert set(fresh) <= set(results)
    assert results["goals"] == json.loads(json.dumps({"ratios": RATIOS, **OTHERS}))
    for field in ("sizes", "products", "gemm_multiply_adds", "agreement"):
        assert results[field] == json.loads(json.dumps(fresh[field]))
    assert set(results["speed"]) == {"1", "2"}
    assert all(results["versions"][package] for package in run.PACKAGES)


def test_the_results_hold_every_part(results):
    named = [entry["part"] for entry in results["parts"]]
    wanted = [run.name(spec) for spec in run.plan() if spec["kind"] != "shards"]
    assert set(wanted) <= set(named)
    assert len(named) == len(set(named))
    assert not [entry for entry in results["parts"] if "failed" in entry]
    found = {(g["axis"], g["function"]) for g in results["growth"]}
    assert found == {
        (axis, f)
        for axis in GROWTH
        for f in ("exact_hessian", "hessian_vector_product")
    }
    for growth in results["growth"]:
        values = [point["value"] for point in growth["points"]]
        assert values == list(GROWTH[growth["axis"]])
    assert results["on_disk"]["P"] >= 20_000


def test_every_row_is_timed_or_says_why_not(results):
    timed = {"first", "error", "cpu", "wall", "rounds", "calls", "peak"}
    for row in results["rows"]:
        assert row["function"] in FUNCTIONS
        assert row["size"] in SIZES
        if row["status"] == "timed":
            needs = timed - (
                {"first", "error"} if row["family"] == "machine" else set()
            )
            assert needs <= set(row), row
            assert 0 < row["cpu"][0] <= row["cpu"][1] <= row["cpu"][2]
        else:
            assert row["status"] in ("skipped", "failed", "too slow", "disagrees")
            assert row["note"]
    ours = {
        (row["size"], row["function"], row["dtype"])
        for row in results["rows"]
        if row["peer"] == "ours" and row["status"] == "timed"
    }
    large = {("wide", f, "float64") for f in SQUARE}
    large |= {(s, f, "float32") for s in set(SIZES) - set(run.SMALL) for f in SQUARE}
    every = {(s, f, d) for s in SIZES for f in FUNCTIONS for d in DTYPES}
    assert ours == every - large


def test_who_was_timed_agreed(results):
    for row in results["rows"]:
        if row["status"] == "timed" and row["family"] != "machine":
            assert row["error"] <= AGREEMENT[row["dtype"]], row
        if row["status"] == "disagrees":
            assert not row["error"] <= AGREEMENT[row["dtype"]], row


def test_the_results_name_no_machine_and_no_path(results):
    text = run.RESULTS.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w])/(home|root|tmp|work|opt|usr)/", text)
    assert set(results["machine"]) == {
        "processor", "cores", "caches", "memory_gb", "system", "blas",
    }  # fmt: skip


def test_every_goal_has_rows_to_be_checked_by(results):
    for goal in RATIOS:
        for size in goal["sizes"]:
            families = {
                row["family"]
                for row in results["rows"]
                if (row["size"], row["function"], row["dtype"], row["threads"])
                == (size, goal["function"], "float64", 1)
            }
            assert goal["peer"] in families


def test_sizes_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SMALL.output = "linear"


STORED = json.loads(idioms.RESULTS.read_text(encoding="utf-8"))


def test_each_chapter_says_how_jax_and_pytorch_put_it():
    said = {chapter.stem: set(idioms.blocks(chapter)) for chapter in idioms.chapters()}
    assert len(said) == len(list((ROOT / "notebooks").glob("*.ipynb")))
    assert all(frameworks == {"JAX", "PyTorch"} for frameworks in said.values())


def test_the_lines_that_stand_there_are_those_that_were_run():
    """And they compute what the library computes; a gradient check computes nothing."""
    stored = {(line["chapter"], line["framework"]): line for line in STORED}
    for chapter in idioms.chapters():
        for framework, text in idioms.blocks(chapter).items():
            line = stored.pop((chapter.stem, framework))
            assert line["lines"] == idioms.digest(text), "run benchmarks.idioms"
            assert line["distance"] or "check" in text
            assert all(apart < 1e-13 for apart in line["distance"].values())
    assert not stored


def test_a_line_that_computes_something_else_is_noticed():
    """What is compared is found by its name, and must be the block's own."""
    net, given, truth = idioms.case()
    plain = {"NumPy": lambda net, given: {"net": net, **given}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(idioms, "WORDS", plain)
        right = idioms.run("NumPy", "Y = net(X)", net, given, truth)
        wrong = idioms.run("NumPy", "Y = net(2 * X)\nother = 1", net, given, truth)
    assert right == {"Y": 0.0}
    assert wrong["Y"] > 0.01
