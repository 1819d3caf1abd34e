// What a link within the page leads to, shown when a reader points at it: an equation or a
// figure. Escape, or leaving, takes it away; the keyboard's focus shows it too. A symbol
// shows what it stands for; the page Notation has the same for those who do not point.
const REST = 300; // milliseconds on a symbol: who passes over it is not stopped
document.addEventListener("DOMContentLoaded", () => {
  let shown = null;
  const hide = () => {
    shown?.remove();
    shown = null;
  };
  const target = (link) => {
    const found = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    return found?.matches("div.math, figure") && !found.contains(link) ? found : null;
  };
  const open = () => {
    hide();
    shown = document.createElement("div");
    shown.className = "jc-preview";
    shown.setAttribute("aria-hidden", "true"); // the same stands where the link leads
  };
  const place = (link) => {
    document.body.append(shown);
    const at = link.getBoundingClientRect();
    const room = document.documentElement.clientWidth - shown.offsetWidth - 8;
    shown.style.left = `${Math.max(8, Math.min(at.left, room)) + scrollX}px`;
    const above = at.top - shown.offsetHeight - 8;
    shown.style.top = `${(above > 60 ? above : at.bottom + 8) + scrollY}px`;
  };
  const show = (event) => {
    const link = event.target;
    const found = target(link);
    hide();
    if (!found) return;
    open();
    for (const part of found.cloneNode(true).children) {
      if (!part.matches("mjx-assistive-mml")) shown.append(part.cloneNode(true));
    }
    for (const old of shown.querySelectorAll("[id]")) old.removeAttribute("id");
    for (const stop of shown.querySelectorAll("a")) stop.tabIndex = -1;
    place(link);
  };
  const explain = async (symbol) => {
    const number = /jc-symbol-(\d+)/.exec(symbol.className)[1];
    const [name, meaning, shape] = globalThis.jachessSymbols[number];
    open();
    const mine = shown;
    mine.textContent = `${name}: ${meaning}; ${shape}`;
    await globalThis.MathJax.typesetPromise([mine]);
    if (shown === mine) place(symbol);
  };
  for (const symbol of document.querySelectorAll("article .jc-symbol")) {
    let waiting = 0;
    symbol.addEventListener("pointerenter", (e) => {
      if (e.pointerType === "mouse") waiting = setTimeout(explain, REST, symbol);
    });
    symbol.addEventListener("pointerleave", () => {
      clearTimeout(waiting);
      hide();
    });
  }
  for (const link of document.querySelectorAll("article a[href^='#']")) {
    if (link.matches(".headerlink")) continue;
    link.addEventListener("pointerenter", (e) => e.pointerType === "mouse" && show(e));
    link.addEventListener("pointerleave", hide);
    link.addEventListener("focus", (e) => link.matches(":focus-visible") && show(e));
    link.addEventListener("blur", hide);
  }
  document.addEventListener("keydown", (e) => e.key === "Escape" && hide());
});
