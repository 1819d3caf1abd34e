"""A few shapes in SVG, in the colours of the page that shows them.

A colour is a role of the palette; where no page says what it is, as in a file opened by
itself, the light one stands in.
"""

from book._tools.palette import read

ROLES, _ = read()
LEVELS = 12  # of a colour, between paper and its full strength


def colour(role):
    """Return a role as CSS."""
    return f"var(--jc-{role},{ROLES[role][0]})"


def number(value):
    """Return a coordinate as short as a picture needs it."""
    return f"{round(float(value), 1):g}"


def picture(shapes, width, height, words):
    """Return a whole picture; `words` is what one hears who does not see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{words}">'
        f"{shapes}</svg>\n"
    )


def line(x1, y1, x2, y2, role="ink", width=1.0):
    """Return a straight line."""
    return path([(x1, y1), (x2, y2)], role, width)


def path(points, role="ink", width=1.6, *, closed=False, dash=""):
    """Return a line through points."""
    way = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="M{way}{"z" if closed else ""}" fill="none" '
        f'stroke="{colour(role)}" stroke-width="{width:g}"{dashes}/>'
    )


def circle(x, y, radius, role, edge=None):
    """Return a disc, with an edge if it is named."""
    rim = f' stroke="{colour(edge)}" stroke-width="1.4"' if edge else ""
    return (
        f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" '
        f'fill="{colour(role)}"{rim}/>'
    )


def arrow(x1, y1, x2, y2, role="ink"):
    """Return an arrow, its head drawn by hand: markers do not take a page's colours."""
    dx, dy = x2 - x1, y2 - y1
    length = (dx * dx + dy * dy) ** 0.5
    ux, uy = dx / length * 8, dy / length * 8
    head = [
        (x2 - ux - uy / 2.2, y2 - uy + ux / 2.2),
        (x2, y2),
        (x2 - ux + uy / 2.2, y2 - uy - ux / 2.2),
    ]
    return line(x1, y1, x2, y2, role, 1.6) + path(head, role)


def text(x, y, words, role="muted", size=14):
    """Return a line of words that begins at (x, y)."""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{size}" '
        f'fill="{colour(role)}">{words}</text>'
    )


def label(x, y, words, size=13):
    """Return words that stay legible where lines run below them."""
    halo = f'<text stroke="{colour("paper")}" stroke-width="5" paint-order="stroke"'
    return text(x, y, words, "ink", size).replace("<text", halo)


def _strength(value, limit):
    return round(LEVELS * min(1, abs(float(value)) / limit) ** 0.5)


def cells(x, y, size, A, limit=None):
    """Return a matrix as squares: red is positive, blue negative, paper is zero."""
    limit = limit or max(abs(float(v)) for row in A for v in row)
    ways = {}
    for r, row in enumerate(A):
        for c, value in enumerate(row):
            key = "positive" if value > 0 else "negative", _strength(value, limit)
            way = f"M{number(x + c * size)} {number(y + r * size)}h{number(size)}"
            ways.setdefault(key, []).append(f"{way}v{number(size)}h-{number(size)}z")
    drawn = "".join(
        f'<path d="{"".join(way)}" fill="{colour(role)}" '
        f'fill-opacity="{level / LEVELS:.2f}"/>'
        for (role, level), way in sorted(ways.items())
        if level
    )
    width, height = size * len(A[0]), size * len(A)
    frame = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    return drawn + path(frame, "rule", 1, closed=True)


def network(x, y, width, height, net, values, numbers=(), hollow=0):
    """Return a layered network: wires by their weights, units by their values.

    The first `hollow` layers have no value.
    """
    xs = [x + width * l / net.depth for l in range(net.depth + 1)]
    step = height / max(net.sizes)
    places = [
        [(xs[l], y + height / 2 + step * (j - (m - 1) / 2)) for j in range(m)]
        for l, m in enumerate(net.sizes)
    ]
    drawn = []
    for l, W in enumerate(net.W):
        for j, row in enumerate(W):
            for i, w in enumerate(row[1:]):
                role = "positive" if w > 0 else "negative"
                ends = [places[l][i], places[l + 1][j]]
                dash = "" if w > 0 else "4 3"
                drawn.append(path(ends, role, 0.4 + min(1.6, abs(float(w))), dash=dash))
    for l, layer in enumerate(places):
        limit = max(abs(float(v)) for v in values[l]) or 1
        for j, (cx, cy) in enumerate(layer):
            drawn.append(circle(cx, cy, 11, "paper", "ink"))
            if l >= hollow and (level := _strength(values[l][j], limit)):
                role = "positive" if values[l][j] > 0 else "negative"
                disc = circle(cx, cy, 10, role)
                drawn.append(
                    disc.replace("/>", f' fill-opacity="{level / LEVELS:.2f}"/>')
                )
    for layer, words in zip(places, numbers, strict=False):
        drawn += [
            label(cx + 15, cy - 8, word.replace("-", "−"))
            for (cx, cy), word in zip(layer, words, strict=False)
        ]
    return "".join(drawn)
