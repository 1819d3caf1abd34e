"""The page that takes a network: the library's numbers, and a sentence for all else."""

import json
import struct

import numpy as np
import pytest
from browser.hands import assert_accessible, opened
from playwright.sync_api import expect

import jachess_lib as jl

pytestmark = pytest.mark.browser
SKLEARN = {
    "identity": "identity",
    "tanh": "tanh",
    "sigmoid": "logistic",
    "relu": "relu",
}
OUTPUTS = {"linear": "identity", "sigmoid": "logistic", "softmax": "softmax"}


@pytest.fixture
def reader(source_site, chromium):
    with opened(
        chromium, source_site, "<jc-network></jc-network>", "your-network"
    ) as page:
        yield page


def give(page, name, data):
    """Hand the page a file, and return what it answers."""
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    page.locator("input[type=file]").set_input_files(file)
    answer = page.locator(".jc-answer")
    expect(answer).not_to_have_text("Reading and computing …")
    return answer.text_content()


def state(page):
    return page.evaluate("document.querySelector('jc-network').state")


def draw(seed):
    """Return a network of one hidden unit and one output unit in turn, with data."""
    rng = np.random.default_rng(seed)
    hidden, output = list(SKLEARN)[seed % 4], list(OUTPUTS)[seed % 3]
    sizes = tuple(rng.integers(1, 6, size=rng.integers(2, 5)).tolist())
    net = jl.Network.random(sizes, hidden, output, seed=seed)
    X, T = rng.normal(size=(7, sizes[0])), rng.dirichlet(np.ones(sizes[-1]), 7)
    return net, X, T


def as_sklearn(net, X=None, T=None):
    """Return the network as the recipe of the page writes it."""
    parts = {
        "coefs": [W[:, 1:].T.tolist() for W in net.W],
        "intercepts": [W[:, 0].tolist() for W in net.W],
        "out_activation": OUTPUTS[net.output.name],
        "activation": SKLEARN[net.hidden[0].name] if net.hidden else "relu",
    }
    if X is not None:
        parts |= {"X": X.tolist(), "T": T.tolist()}
    return parts


def safetensors(tensors, **meta):
    """Return the bytes of a safetensors file, which is a header and then numbers."""
    header, data = ({"__metadata__": meta} if meta else {}), b""
    for name, array in tensors.items():
        kind = {"f8": "F64", "f4": "F32", "f2": "F16"}[array.dtype.str[1:]]
        end = len(data) + array.nbytes
        offsets = [len(data), end]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": offsets}
        data += array.tobytes()
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + data


def tensors(net, dtype=np.float64):
    named = {}
    for l, W in enumerate(net.W):
        named[f"{2 * l}.weight"] = np.ascontiguousarray(W[:, 1:], dtype)
        named[f"{2 * l}.bias"] = W[:, 0].astype(dtype)
    return named


def assert_agrees(found, net, X, T, tolerance=1e-10):
    x, close = np.array([found["x"]]), {"rtol": tolerance, "atol": tolerance}
    assert found["sizes"] == list(net.sizes)
    assert np.allclose(found["y"], net(x)[0], **close)
    J = jl.input_jacobian(net, x)[0]
    assert np.allclose(found["J"], J, **close)
    noise = found["sigma"] ** 2 * np.eye(net.sizes[0])
    covariance = jl.propagate_covariance(net, x, noise)[0]
    assert np.allclose(found["covariance"], covariance, **close)
    assert np.allclose(found["bars"], np.sqrt(covariance.diagonal()), **close)
    H = jl.exact_hessian(net, X, T)
    scale = max(1, np.abs(H).max())
    assert np.abs(np.array(found["H"]) - H).max() < tolerance * scale
    missed = np.abs(np.array(found["spectrum"]) - np.linalg.eigvalsh(H)).max()
    assert missed < tolerance * scale


@pytest.mark.parametrize("seed", range(20))
def test_twenty_networks_agree(reader, seed):
    """From JSON with data, then from safetensors without: there t is y, and H is G."""
    net, X, T = draw(seed)
    answer = give(reader, "network.json", as_sklearn(net, X, T))
    assert answer.startswith(f"A {'-'.join(map(str, net.sizes))} network")
    assert_agrees(state(reader), net, X, T)
    first = reader.get_by_role("slider").first
    first.press("ArrowRight")
    moved = state(reader)
    assert moved["x"][0] != X[0, 0]
    assert_agrees(moved, net, X, T)

    units = {"hidden": net.hidden[0].name if net.hidden else "tanh"}
    data = safetensors(tensors(net), output=net.output.name, **units)
    assert "network" in give(reader, "network.safetensors", data)
    found = state(reader)
    x = np.array([found["x"]])
    assert_agrees(found, net, x, net(x))
    assert np.allclose(found["H"], jl.outer_product_hessian(net, x), atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_shorter_numbers_are_read_as_they_are(reader, dtype):
    net, _, _ = draw(5)
    net = net.with_parameters(net.w.astype(dtype).astype(float))
    units = {"hidden": net.hidden[0].name, "output": net.output.name}
    give(reader, "n.safetensors", safetensors(tensors(net, dtype), **units))
    x = np.array([state(reader)["x"]])
    assert_agrees(state(reader), net, x, net(x))


def test_units_that_a_file_does_not_name_are_chosen(reader):
    net = jl.Network.random((2, 3, 2), "softplus", "softmax", seed=1)
    reader.get_by_label("hidden units").select_option("softplus")
    reader.get_by_label("outputs").select_option("softmax")
    give(reader, "n.safetensors", safetensors(tensors(net)))
    x = np.array([state(reader)["x"]])
    assert_agrees(state(reader), net, x, net(x))


def test_a_file_can_be_dropped_and_nothing_is_sent(reader):
    sent = []
    reader.on("request", lambda request: sent.append(request.url))
    net, X, T = draw(4)
    reader.evaluate(
        """(text) => {
          const data = new DataTransfer();
          data.items.add(new File([text], "network.json"));
          document.querySelector(".jc-drop").dispatchEvent(
            new DragEvent("drop", {dataTransfer: data, bubbles: true}));
        }""",
        json.dumps(as_sklearn(net, X, T)),
    )
    expect(reader.locator(".jc-answer")).to_contain_text("parameters.")
    assert_agrees(state(reader), net, X, T)
    assert sent == []


def test_a_picture_takes_the_colours_of_the_theme(reader):
    give(reader, "network.json", as_sklearn(*draw(4)))
    picture = reader.locator("canvas").last
    before = picture.evaluate("e => e.toDataURL()")
    reader.add_style_tag(content="[data-theme=dark] { --jc-positive: #00f }")
    reader.evaluate("document.documentElement.dataset.theme = 'dark'")
    reader.wait_for_function(
        """before => [...document.querySelectorAll('canvas')].pop().toDataURL()
          !== before""",
        arg=before,
    )


def test_a_large_network_has_no_hessian_but_all_else(reader):
    net = jl.Network.random((40, 60, 20), "tanh", "softmax", seed=0)
    answer = give(reader, "n.json", as_sklearn(net))
    assert "3,680 parameters" in answer
    found = state(reader)
    assert np.allclose(found["J"], jl.input_jacobian(net, [found["x"]])[0], atol=1e-12)
    assert found["H"] is None
    assert "too large for this page" in reader.locator(".jc-results").text_content()


GOOD = as_sklearn(jl.Network.random((2, 3, 2), "tanh", "softmax", seed=0))
TENSORS = tensors(jl.Network.random((2, 3, 2), seed=0))
FILE = safetensors(TENSORS)


def changed(**parts):
    return {**GOOD, **parts}


def entry(**parts):
    """Return a safetensors file whose first tensor says something else of itself."""
    length = struct.unpack("<Q", FILE[:8])[0]
    header = json.loads(FILE[8 : 8 + length])
    header["0.weight"] |= parts
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + FILE[8 + length :]


X_BAD = [[float(value) for value in range(3)]]
HOSTILE = {
    "empty.json": (b"", "The file is empty."),
    "cut.json": (json.dumps(GOOD).encode()[:-20], "breaks off before its end"),
    "text.json": (b"<script>alert(1)</script>", "This is not JSON"),
    "nan.json": (b'{"coefs": [[[NaN]]], "intercepts": [[0]]}', "NaN or Infinity"),
    "deep.json": (b"[" * 5_000_000, "JSON"),
    "deep-and-closed.json": (b"[" * 200_000 + b"]" * 200_000, "JSON"),
    "list.json": ([1, 2], "holds no network"),
    "null.json": (b"null", "holds no network"),
    "none.json": (changed(coefs=[]), "lists named “coefs”"),
    "one-bias.json": (changed(intercepts=[[0.0]]), "2 tables of weights, but 1 list"),
    "short.json": (changed(intercepts=[[0.0], [0.0, 0]]), "has 1 numbers where 3"),
    "ragged.json": (
        changed(coefs=[[[1, 2, 3], [1, 2]], GOOD["coefs"][1]]),
        "Row 1 of coefs[0] has 2 numbers where 3 are due.",
    ),
    "chain.json": (changed(coefs=[GOOD["coefs"][0]] * 2), "has 2 rows where 3"),
    "words.json": (changed(coefs=[[["a"]], [["b"]]]), "is not a finite number"),
    "null-inside.json": (changed(intercepts=[None, None]), "is not a list of numbers"),
    "infinite.json": (
        json.dumps(GOOD).encode().replace(b"[[[", b"[[[1e999,", 1),
        "is not a finite number",
    ),
    "unit.json": (changed(activation="swish"), "The activation “swish” is none of"),
    "proto.json": (changed(activation="__proto__"), "“__proto__” is none of"),
    "method.json": (changed(out_activation="constructor"), "“constructor” is none of"),
    "no-unit.json": (changed(activation=None), "something that is no name"),
    "object.json": (changed(activation={"toString": 1}), "something that is no name"),
    "html.json": (
        changed(activation="<img src=x onerror=alert(1)>" * 9),
        "The activation “<img src=x",
    ),
    "x.json": (changed(X=X_BAD, T=[[0, 1]]), "Row 0 of X has 3 numbers where 2"),
    "t-alone.json": (changed(T=[[0, 1]]), "no inputs X"),
    "t.json": (changed(X=[[0, 1]], T=[[0.5, 0.6]]), "must sum to 1"),
    "t-range.json": (changed(X=[[0, 1]], T=[[2, -1]]), "lie between 0 and 1"),
    "t-rows.json": (changed(X=[[0, 1]], T=[[0, 1]] * 2), "T has 2 rows where 1"),
    "names.json": (changed(inputs=["a"]), "not as many names"),
    "names-2.json": (changed(inputs=["a", {"toString": 1}]), "A name in the file"),
    "layers.json": (changed(coefs=[[[1]]] * 500, intercepts=[[0]] * 500), "500 layers"),
    "wide.json": (
        changed(coefs=[[[0] * 1000] * 200], intercepts=[[0] * 1000]),
        "The network has 201,000 parameters",
    ),
    "huge.json": (b" " * 20_000_001, "this page reads up to 20"),
    "empty.safetensors": (b"", "The file is empty."),
    "tiny.safetensors": (b"12345", "too short"),
    "cut.safetensors": (FILE[:-9], "The file ends before the tensor “"),
    "cut-head.safetensors": (FILE[:40], "The file ends before its header does"),
    "lie.safetensors": (b"\xff" * 8 + FILE[8:], "Its header claims to be"),
    "lie-2.safetensors": (
        struct.pack("<Q", 20) + FILE[8:],
        "The header of the file is not JSON",
    ),
    "latin.safetensors": (struct.pack("<Q", 4) + b"\xff\xfe{}", "is not JSON"),
    "list.safetensors": (struct.pack("<Q", 2) + b"[]", "names no tensors"),
    "nothing.safetensors": (struct.pack("<Q", 2) + b"{}", "holds no layers"),
    "billion.safetensors": (
        entry(shape=[100_000, 10_000], data_offsets=[0, 8_000_000_000]),
        "claims 1,000,000,000 numbers",
    ),
    "offsets.safetensors": (entry(data_offsets=[0, 8]), "do not fit its shape"),
    "backwards.safetensors": (entry(data_offsets=[48, 0]), "do not fit its shape"),
    "far.safetensors": (entry(data_offsets=[10**6, 10**6 + 48]), "it was cut short"),
    "negative.safetensors": (entry(shape=[-3, -2]), "no shape that a layer could"),
    "flat.safetensors": (entry(shape=[6]), "is not a table of weights"),
    "cube.safetensors": (entry(shape=[3, 2, 1]), "no shape that a layer could have"),
    "none.safetensors": (entry(shape=[0, 2]), "no shape that a layer could have"),
    "kind.safetensors": (entry(dtype="I64"), "The number type of “0.weight” “I64”"),
    "nan.safetensors": (
        safetensors({**TENSORS, "0.bias": np.array([0, np.nan, 0])}),
        "The tensor “0.bias” holds something that is not a finite number.",
    ),
    "order.safetensors": (
        safetensors({"a.weight": np.ones((2, 3)), "b.weight": np.ones((2, 5))}),
        "layers do not fit",
    ),
    "other.safetensors": (
        safetensors({**TENSORS, "0.running_mean": np.ones(3)}),
        "belongs to no layer",
    ),
    "units.safetensors": (safetensors(TENSORS, hidden="swish"), "“swish” is none of"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_network_gets_one_sentence(reader, name):
    data, expected = HOSTILE[name]
    answer = give(reader, name, data)
    assert expected in answer
    assert answer.endswith(".")
    assert len(answer) < 300
    assert reader.locator(".jc-answer.refused").count() == 1
    assert reader.locator(".jc-results > *").count() == 0
    assert state(reader) is None
    # and the next file is read as if nothing had been
    assert "A 2-3-2 network" in give(reader, "good.json", GOOD)


def test_names_are_text_and_numbers_too_large_are_said(reader):
    evil = "<img src=x onerror=document.title='caught'>"
    parts = changed(inputs=[evil, "b"], outputs=["</table><script>", "d"])
    assert "network" in give(reader, "n.json", parts)
    assert reader.locator("jc-network img, jc-network script").count() == 0
    assert evil[:39] in reader.locator(".jc-results").text_content()
    assert reader.title() == "A figure"
    net = jl.Network((1, 1, 1), [1e200, 1e200, 1e200, 1e200], "identity", "linear")
    give(reader, "n.json", as_sklearn(net, np.ones((1, 1)), np.ones((1, 1))))
    assert "too large to be held" in reader.locator(".jc-results").text_content()


def test_the_example_fits_a_phone_and_axe_finds_nothing(source_site, chromium):
    view = {"width": 375, "height": 740}
    element = "<jc-network></jc-network>"
    with opened(chromium, source_site, element, "your-network", viewport=view) as page:
        page.get_by_role("button", name="front page").click()
        expect(page.locator(".jc-words")).to_contain_text("negative")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        assert_accessible(page)


@pytest.mark.book
def test_the_page_of_the_book_takes_one(visit):
    page = visit("book/your_network.html")
    net, X, T = draw(4)
    give(page, "network.json", as_sklearn(net, X, T))
    assert_agrees(state(page), net, X, T)
    assert page.faults == []
