"""Write the colours of the palette where they are used: python -m book._tools.palette.

Pages take them as custom properties of CSS, `--jc-J` and so on, figures from their
style sheet, and formulas on paper from LaTeX. A test fails when a file is stale.
"""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = "Made by book/_tools/palette.py from palette.toml: change it there."


def read():
    """Return {role: (light, dark)} and the roles of the lines of a figure."""
    with (Path(__file__).parent / "palette.toml").open("rb") as file:
        palette = tomllib.load(file)
    roles = {name: row[:2] for name, row in palette["roles"].items()}
    return roles, palette["figures"]["lines"]


def css(roles):
    """Return the custom properties, by the theme that a reader has chosen."""

    def properties(which):
        return "".join(f"  --jc-{n}: {c[which]};\n" for n, c in roles.items())

    return (
        f"/* {MADE} */\n"
        f":root {{\n{properties(0)}}}\n"
        f'html[data-theme="dark"] {{\n{properties(1)}}}\n'
        # Before the theme's script has looked at the machine.
        f'@media (prefers-color-scheme: dark) {{\nhtml[data-theme="auto"] '
        f"{{\n{properties(1)}}}\n}}\n"
        # Nobody prints on dark paper.
        f"@media print {{\n:root,\nhtml[data-theme] {{\n{properties(0)}}}\n}}\n"
    )


def latex(roles):
    """Return the light colours, for formulas on paper."""
    lines = [rf"\definecolor{{jc{n}}}{{HTML}}{{{c[0][1:]}}}" for n, c in roles.items()]
    head = [
        f"% {MADE}",
        r"\ProvidesPackage{jachess-colours}",
        r"\RequirePackage{xcolor}",
    ]
    return "\n".join([*head, *lines]) + "\n"


FIGURES = """# One style sheet for every figure: plt.style.use("jachess_lib.jachess")
# {made}

# Size: the text column of a page is 6.4 in wide; a square panel is 3.2 in. Two dots for
# each that a page has.
figure.figsize      : 6.4, 3.2
figure.constrained_layout.use : True
figure.dpi          : 200
savefig.dpi         : 200

# Type: the face of the text and its formulas, as it ships with Matplotlib, so that
# every machine draws the same; what it lacks comes from the other.
font.family         : STIXGeneral, DejaVu Sans
font.size           : 11
mathtext.fontset    : stix
axes.titlesize      : 11
axes.titlelocation  : left
legend.fontsize     : 10
legend.frameon      : False

# Paper and ink: two spines, no grid, lines that survive a photocopy.
figure.facecolor    : {paper}
axes.facecolor      : {paper}
savefig.facecolor   : {paper}
text.color          : {ink}
axes.edgecolor      : {ink}
axes.labelcolor     : {ink}
xtick.color         : {ink}
ytick.color         : {ink}
axes.spines.top     : False
axes.spines.right   : False
axes.linewidth      : 0.8
lines.linewidth     : 1.6
lines.markersize    : 4

# Each colour has its own dash, so that colour is never the only sign.
axes.prop_cycle     : cycler("color", [{lines}]) + cycler("linestyle", [{dashes}])

# Matrices: magnitude in cividis; with signs, "signed" between -v and v.
image.cmap          : cividis
image.interpolation : nearest
"""
DASHES = '"-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (7, 2))'


def mplstyle(roles, lines):
    """Return the style sheet of the figures; Matplotlib wants its colours bare."""
    light = {name: colours[0][1:] for name, colours in roles.items()}
    cycle = ", ".join(f'"{light[name]}"' for name in lines)
    return FIGURES.format(made=MADE, lines=cycle, dashes=DASHES, **light)


def files():
    """Return {path: text} of all that is made."""
    roles, lines = read()
    return {
        ROOT / "book/_static/palette.css": css(roles),
        ROOT / "book/_latex/jachess-colours.sty": latex(roles),
        ROOT / "jachess_lib/jachess.mplstyle": mplstyle(roles, lines),
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
