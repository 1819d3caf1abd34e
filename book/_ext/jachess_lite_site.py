"""The notebook that runs in a reader's browser: built beside the pages, in `lite/`.

JupyterLite brings the page and the kernel, and the chapters lie beside it as they are.
`book/_lite/pyodide.json` names each file that comes from elsewhere, with its hash; what
is ours comes from the book. The packages that a kernel asks for, the library among
them, stand in the one list that Pyodide loads from, so that a chapter needs no cell
that installs them, and no package index is ever asked.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from sphinx.errors import ExtensionError

HERE = Path(__file__).parent
PINS = json.loads((HERE.parent / "_lite" / "pyodide.json").read_text(encoding="utf-8"))
KERNEL = "@jupyterlite/pyodide-kernel-extension"
# All that the kernel would else look for on a package index, or install one by one.
AT_START = ["micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi"]
AT_START += ["ipython"]
BUILD_WHEEL = """import sys
from pathlib import Path
from flit_core.wheel import make_wheel_in
make_wheel_in(Path("pyproject.toml"), Path(sys.argv[1]))"""
# A chapter names the kernel that ran it: take the one there is, without a question.
OVERRIDES = {"@jupyterlab/notebook-extension:tracker": {"autoStartDefaultKernel": True}}
EPOCH = "1767225600"  # the date of all files: the same sources make the same bytes


def settings():
    """Return what the notebook page is told: above all, where its Python comes from."""
    kernel = {
        "pyodideUrl": "./pyodide/pinned.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {
            "lockFileURL": "pyodide/pyodide-lock.json",
            "packages": AT_START,
            "env": {"JACHESS_ENGINE": "plain"},  # what a chapter shows is what it runs
        },
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "The Jacobian and the Hessian",
            "appUrl": "./notebooks",
            "litePluginSettings": {f"{KERNEL}:kernel": kernel},
        },
    }


def labextensions():
    """Return the folder in which the kernel's half for the browser lies."""
    return Path(sys.prefix, "share", "jupyter", "labextensions", *KERNEL.split("/"))


def pack(name, place):
    """Make a wheel again of an installed package in pure Python; return its path."""
    found = distribution(name)
    wheel = place / f"{name}-{found.version}-py3-none-any.whl"
    own = {"INSTALLER", "REQUESTED", "direct_url.json"}  # of this installation
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(found.files):
            if file.name not in own and "__pycache__" not in file.parts:
                entry = zipfile.ZipInfo(file.as_posix())
                archive.writestr(entry, file.locate().read_bytes())
    return wheel


def our_wheels(root, place):
    """Put what the book itself serves into a folder; return the paths."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    subprocess.run(
        [sys.executable, "-c", BUILD_WHEEL, str(place)],
        cwd=root, env=environment, check=True,
    )  # fmt: skip
    pack("comm", place)
    for name in ("piplite", "ipykernel", "pyodide_kernel"):
        (wheel,) = (labextensions() / "static" / "pypi").glob(f"{name}-*.whl")
        shutil.copy(wheel, place)
    return sorted(place.glob("*.whl"))


def entry(wheel, depends):
    """Return what the list of packages says of one of ours."""
    name, version = wheel.name.split("-")[:2]
    return {
        "name": name.replace("_", "-"),
        "version": version,
        "file_name": wheel.name,  # from where the list lies
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "imports": [name],
        "depends": depends,
        "install_dir": "site",
        "package_type": "package",
        "unvendored_tests": False,
    }


def lock(root, wheels):
    """Return the list of packages: those of Pyodide at their address, and ours."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["figures"]
    depends = {
        "jachess_lib": [re.match(r"[\w-]+", line)[0] for line in asked],
        "pyodide_kernel": ["comm", "ipython"],
        "ipykernel": ["pyodide-kernel"],
        "piplite": ["micropip"],
    }
    packages = {
        name: {**package, "file_name": PINS["packages"] + package["file_name"]}
        for name, package in PINS["lock"]["packages"].items()
    }
    for wheel in wheels:
        made = entry(wheel, depends.get(wheel.name.split("-")[0], []))
        packages[made["name"]] = made
    return {**PINS["lock"], "packages": packages}


def write(path, what):
    """Write what a browser is to read."""
    path.write_text(json.dumps(what, indent=1), encoding="utf-8")


def stage(root, place):
    """Lay out anew what the build starts from: a leftover would change its result."""
    shutil.rmtree(place, ignore_errors=True)
    (place / "files").mkdir(parents=True)
    for chapter in (root / "notebooks").glob("*.ipynb"):
        shutil.copy(chapter, place / "files")
    for name, what in (("jupyter-lite", settings()), ("overrides", OVERRIDES)):
        write(place / f"{name}.json", what)


def build(root, place, out):
    """Build the notebook page into a folder."""
    stage(root, place)
    shutil.rmtree(out, ignore_errors=True)
    command = [
        sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(place),
        "--output-dir", str(out), "--apps", "notebooks", "--ignore-sys-prefix",
        f"--LiteBuildConfig.federated_extensions={labextensions()}",
        "--no-sourcemaps", "--no-unused-shared-packages", "--no-libarchive",
        "--source-date-epoch", EPOCH,
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise ExtensionError(f"The notebook page could not be built:\n{done.stdout}")
    core = out / "pyodide"
    core.mkdir()
    shutil.copy(HERE.parent / "_lite" / "pinned.mjs", core)
    packages = lock(root, our_wheels(root, core))
    for name, what in (("core", PINS["core"]), ("pyodide-lock", packages)):
        write(core / f"{name}.json", what)
    check(out)


def check(out):
    """Raise if the page would take its Python from elsewhere: builds have lost this."""
    made = json.loads((out / "jupyter-lite.json").read_text(encoding="utf-8"))
    made, wanted = (
        config["jupyter-config-data"]["litePluginSettings"][f"{KERNEL}:kernel"]
        for config in (made, settings())
    )
    for name, value in wanted.items():
        if made.get(name) != value:
            raise ExtensionError(f"lite/jupyter-lite.json: {name} is {made.get(name)}")


def _build(app, failed):
    if not failed and app.builder.name == "html":
        out = Path(app.outdir)
        build(Path(app.srcdir), out.parent / "lite", out / "lite")


def setup(app):
    """Connect: after all that goes through the pages, which these are not."""
    app.connect("build-finished", _build, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
