"""No page fails axe, the usual judge of accessibility: the rules and how to ask them.

Minor findings pass: a table may leave its corner cell empty.
"""

from pathlib import Path

AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
FINDINGS = """async rules =>
  (await axe.run(document, {resultTypes: ['violations'], ...rules}))
  .violations.filter(v => v.impact !== 'minor')
  .map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 99))])"""
# The outlines of the letters of formulas: tens of thousands on a page, which is what
# would take axe its time. Nothing in them has a name, a role or a colour of its own.
DROP_OUTLINES = """() => document.querySelectorAll('mjx-container > svg')
  .forEach(svg => svg.querySelector('text') || svg.replaceChildren())"""
# A page has thousands of coloured words of code, in a few colours: one of each class in
# each kind of block is judged, and the others are made plain text.
DROP_REPEATED_WORDS = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll('.highlight span:not(:has(*))')) {
    const block = word.closest('pre').parentElement.parentElement;
    const kind = `${word.className} ${block.className}`;
    if (seen.has(kind)) word.replaceWith(word.textContent);
    seen.add(kind);
  }
  document.querySelectorAll('.highlight pre').forEach(e => e.normalize());
}"""
UNFOLD = """() => {
  const folded = [...document.querySelectorAll(
    'details:not([open]) > summary, .toggle-hidden button.toggle-button')];
  folded.forEach(e => e.click());
  return folded.length;
}"""
# What can be worked and shows other words than its name has: axe's rule, and for the
# words that a style sheet draws, which axe does not see.
MISNAMED = """() => {
  const plain = text => text.toLowerCase().replace(/[^\\p{L}\\p{N}]+/gu, ' ').trim();
  const drawn = (e, where) => {
    const text = getComputedStyle(e, where).content;
    return /^"/.test(text) ? JSON.parse(text) : '';
  };
  const icon = /[\\uE000-\\uF8FF]/g;
  return [...document.querySelectorAll(
      'a, button, summary, input, select, [role=button], [role=link], [role=tab]')]
    .filter(e => e.hasAttribute('aria-label') && e.checkVisibility())
    .map(e => [e.getAttribute('aria-label'),
      [drawn(e, '::before'), e.innerText || '', drawn(e, '::after')]
        .join(' ').replace(icon, '')])
    .filter(([name, shown]) => !plain(name).includes(plain(shown)));
}"""

# Two pictures later all listeners have run, and what moved has arrived.
SETTLED = """async () => {
  const picture = () => new Promise(requestAnimationFrame);
  await picture();
  await picture();
  await Promise.allSettled(document.getAnimations().map(a => a.finished));
}"""


def prepare(page, axe):
    """Load axe into a page, and leave out what would take it its time for nothing."""
    page.evaluate(DROP_OUTLINES)
    page.evaluate(DROP_REPEATED_WORDS)
    page.evaluate(axe)


def darken(page):
    """Let a page change to its dark colours, as at nightfall."""
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    page.evaluate(SETTLED)


def findings(page, *, colours_alone=False):
    """Return what axe and we find on a page as it stands.

    In another theme a page has the same elements, in other colours.
    """
    rules = {"runOnly": ["color-contrast"]} if colours_alone else {}
    return page.evaluate(FINDINGS, rules) + page.evaluate(MISNAMED)


def unfold(page):
    """Unfold all that folds; return how much there was."""
    many = page.evaluate(UNFOLD)
    page.evaluate(SETTLED)
    return many
