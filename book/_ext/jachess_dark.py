"""A dark twin for every figure: paper becomes dark paper, ink becomes pale ink.

Between the two, lightness turns over and hue stays, in a space (OKLab) in which that is
what the eye sees: red stays the positive end of a map, and blue the negative one.
"""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _oklab(rgb):
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T


def _rgb(lab):
    linear = (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T
    linear = linear.clip(0, 1)
    return np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055
    )


def _colour(code):
    return _oklab(np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255)


def twin(rgb, paper, ink):
    """Return pixels (…, 3) in 0–255 turned over; `paper`, `ink` are (light, dark)."""
    packed = rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    shades, place = np.unique(packed, return_inverse=True)  # few, beside the pixels
    lab = _oklab(np.stack([shades >> 16, shades >> 8 & 255, shades & 255], 1) / 255)
    (paper, dark_paper), (ink, dark_ink) = map(_colour, paper), map(_colour, ink)
    along = (lab[:, :1] - ink[0]) / (paper[0] - ink[0])  # 0 is ink, 1 is paper
    beside = lab - (ink + along * (paper - ink))
    turned = _rgb(dark_ink + along * (dark_paper - dark_ink) + beside)
    return np.rint(255 * turned).astype(np.uint8)[place].reshape(rgb.shape)


def name_of(name):
    """Return the name of the twin of a picture."""
    return name.removesuffix(".png") + "-dark.png"


def write(source, target, roles, cache):
    """Write the twin of a picture; what was turned over once is kept."""
    key = hashlib.sha256(source.read_bytes() + repr(roles).encode()).hexdigest()
    kept = Path(cache) / f"{key[:24]}.png"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.array(Image.open(source).convert("RGB"))
        turned = twin(pixels, roles["paper"], roles["ink"])
        Image.fromarray(turned).quantize(256, dither=Image.Dither.NONE).save(
            kept, optimize=True
        )
    target.write_bytes(kept.read_bytes())
