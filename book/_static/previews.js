// What a link within the page leads to, shown when a reader points at it: an equation or a
// figure. Escape, or leaving, takes it away; the keyboard's focus shows it too.
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
  const show = (event) => {
    const link = event.target;
    const found = target(link);
    hide();
    if (!found) return;
    shown = document.createElement("div");
    shown.className = "jc-preview";
    shown.setAttribute("aria-hidden", "true"); // the same stands where the link leads
    for (const part of found.cloneNode(true).children) {
      if (!part.matches("mjx-assistive-mml")) shown.append(part.cloneNode(true));
    }
    for (const old of shown.querySelectorAll("[id]")) old.removeAttribute("id");
    for (const stop of shown.querySelectorAll("a")) stop.tabIndex = -1;
    document.body.append(shown);
    const at = link.getBoundingClientRect();
    const room = document.documentElement.clientWidth - shown.offsetWidth - 8;
    shown.style.left = `${Math.max(8, Math.min(at.left, room)) + scrollX}px`;
    const above = at.top - shown.offsetHeight - 8;
    shown.style.top = `${(above > 60 ? above : at.bottom + 8) + scrollY}px`;
  };
  for (const link of document.querySelectorAll("article a[href^='#']")) {
    if (link.matches(".headerlink")) continue;
    link.addEventListener("pointerenter", (e) => e.pointerType === "mouse" && show(e));
    link.addEventListener("pointerleave", hide);
    link.addEventListener("focus", (e) => link.matches(":focus-visible") && show(e));
    link.addEventListener("blur", hide);
  }
  document.addEventListener("keydown", (e) => e.key === "Escape" && hide());
});
