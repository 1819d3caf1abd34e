"""The frame of the pages that the judge writes, each a file that loads nothing."""

FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: {width}; margin: auto; padding: 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem }}
tr, article {{ border-top: 1px solid }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font: inherit }}
rect {{ fill: #0072b2 }}
rect.all {{ fill: #8884 }}
</style>
</head>
<body>
<h1>{heading}</h1>
{body}
</body>
</html>
"""
NARROW, WIDE = "46rem", "60rem"


def page(heading, body, title="", width=NARROW):
    """Return a page; heading, title and body are HTML already."""
    return FRAME.format(heading=heading, body=body, title=title or heading, width=width)
