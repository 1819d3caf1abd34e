"""Write what the figures that answer are made from: weights, and their still pictures.

    python -m book._tools.figures

The weights come from `jachess_lib`, as JSON. The stills are the figures' own first
pictures, drawn by Chromium: inline SVG for the pages, and PDF for the printed book.
"""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

import jachess_lib as jl

BOOK = Path(__file__).resolve().parents[1]
FIGURES = BOOK / "_static" / "figures"
STILLS = BOOK / "_figures"
HTML = {"content_type": "text/html; charset=utf-8"}
NAMES = ["two-wires", "softmax-triangle", "backward-wave", "the-v", "valley", "push"]
NAMES += ["two-rates"]


def landing():
    """Return the landing's 3-4-2 network and its eight patterns."""
    rng = np.random.default_rng(3)
    w = np.concatenate([rng.normal(size=16) / 2**0.5, rng.normal(size=10) / 1.4])
    net = jl.Network((3, 4, 2), w)
    return net, rng.normal(size=(8, 3)), rng.normal(size=(8, 2))


def as_json(net, X, T):
    """Return a network and its data as the figures read them."""
    return {
        "sizes": net.sizes,
        "hidden": net.hidden[0].name,
        "output": net.output.name,
        "w": net.w.tolist(),
        "X": X.tolist(),
        "T": T.tolist(),
    }


def networks():
    """Return the text of networks.json."""
    return json.dumps({"landing": as_json(*landing())}) + "\n"


def looks():
    """Return the colours of the book and the style of the figures."""
    sheets = (FIGURES.parent / "palette.css", FIGURES / "figures.css")
    return "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)


def show(browser, name):
    """Return a page that shows one figure, from the sources, and nothing else."""
    page = browser.new_page(viewport={"width": 716, "height": 600})
    page.route(
        "http://figures/**",
        lambda route: route.fulfill(path=FIGURES / route.request.url.split("/")[-1]),
    )
    head = '<!doctype html><html lang="en"><base href="http://figures/">'
    page.route("http://figures/", lambda route: route.fulfill(body=head, **HTML))
    page.goto("http://figures/")
    page.set_content(
        f'{head}<style>{looks()}</style><body style="margin: 8px">'
        f'<jc-figure name="{name}"></jc-figure>'
        '<script type="module" src="figures.mjs"></script>'
    )
    page.wait_for_selector("jc-figure[data-ready]")
    return page


def still(page):
    """Return the first picture of a figure as inline SVG that nobody can work."""
    panels = page.locator(".jc-panels").evaluate("e => e.outerHTML")
    return re.sub(r' (?:role|tabindex|aria-[a-z]+)="[^"]*"', "", panels) + "\n"


def printed(page, text):
    """Return a still picture as a PDF of its own size, marked by what it shows.

    A reader of PDF looks for the word startxref near the very end, so that the mark
    stands before it: a comment after it, and XeTeX finds no picture.
    """
    page.set_content(
        f"<style>{looks()} body {{margin: 0}}</style>"
        f'<div class="jc-figure">{text}</div>'
    )
    height = page.locator(".jc-figure").bounding_box()["height"]
    pdf = page.pdf(width="716px", height=f"{height + 2:.0f}px", print_background=True)
    start, end = pdf.rsplit(b"startxref", 1)
    return start + mark(text) + b"startxref" + end


def mark(text):
    """Return the line that marks the PDF of a still: a comment, which names it."""
    return f"% still {hashlib.sha256((text + looks()).encode()).hexdigest()}\n".encode()


def is_current(path, text):
    """Say whether a PDF shows this still; no two of the browser's are alike."""
    return path.exists() and mark(text) in path.read_bytes()


def chromium(playwright):
    """Start the browser that draws; CI and developers have one for the tests."""
    installed = map(shutil.which, ["chromium-headless-shell", "chromium"])
    found = os.environ.get("CHROMIUM") or next(filter(None, installed), None)
    return playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])


def main():
    """Write the weights, then each still for the pages and for the printed book."""
    (FIGURES / "networks.json").write_text(networks(), encoding="utf-8")
    STILLS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        for name in NAMES:
            page = show(browser, name)
            text = still(page)
            (STILLS / f"{name}.html").write_text(text, encoding="utf-8")
            pdf = STILLS / f"{name}.pdf"
            if not is_current(pdf, text):
                pdf.write_bytes(printed(page, text))
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
