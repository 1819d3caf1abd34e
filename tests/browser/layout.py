"""What can be measured of a page: each is a script that returns its findings."""

# Formulas that reach beyond their line, or into the number of their equation.
CUT = """() => [...document.querySelectorAll('article mjx-container')].filter(e => {
  if (!e.checkVisibility()) return false;
  const right = Math.max(...[...e.querySelectorAll('svg')]
    .map(s => s.getBoundingClientRect().right));
  const line = e.closest('div.math, p, td, th, li, dd, figcaption, h1, h2, h3') ?? e;
  const number = e.parentElement.querySelector('.eqno');
  const end = number ? number.getBoundingClientRect().left
                     : line.getBoundingClientRect().right;
  return right > Math.min(end, document.documentElement.clientWidth) + 1;
}).map(e => e.textContent.slice(0, 80))"""
# What is wider than its room and hides the rest: code, tables, formulas. One that says
# that it scrolls may.
HIDDEN_WIDTH = """() => [...document.querySelectorAll('main *')].filter(e =>
  e.checkVisibility() && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1
  && getComputedStyle(e).overflowX !== 'visible'
  && !e.closest('mjx-assistive-mml, .jc-scrolls, svg'))
  .map(e => `${e.tagName}.${e.className} ${e.scrollWidth} > ${e.clientWidth}: `
    + e.textContent.trim().slice(0, 40))"""
# How far what a reader saw has moved since the page began to load.
SHIFT = """() => new Promise(resolve => {
  let sum = 0;
  const add = list => list.getEntries()
    .forEach(entry => { if (!entry.hadRecentInput) sum += entry.value; });
  const watch = new PerformanceObserver(add);
  watch.observe({type: 'layout-shift', buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => {
    add({getEntries: () => watch.takeRecords()});
    resolve(sum);
  }));
})"""
TAB_STOPS = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex]')]
  .filter(e => e.tabIndex >= 0 && !e.disabled
    && e.checkVisibility({visibilityProperty: true})).length"""
# Pictures that stand on a mat of another colour than the page.
MATS = """() => [...document.querySelectorAll('article img')].filter(e => {
    const style = getComputedStyle(e);
    return style.display !== 'none'
      && (style.padding !== '0px' || style.backgroundColor !== 'rgba(0, 0, 0, 0)');
  }).map(e => e.alt)"""
# The sizes of the three kinds of headings, of those that a page has.
HEADINGS = """() => ['h1', 'h2', 'h3'].map(h => document.querySelector(`article ${h}`))
  .filter(Boolean).map(e => parseFloat(getComputedStyle(e).fontSize))"""
