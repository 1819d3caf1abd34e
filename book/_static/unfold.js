// What the theme forgets of all that folds.
//
// A button that unfolds a solution is named by its hint, which a style sheet draws, and by
// the title beside it: "Click to show: Solution to Exercise 1". It comes with one name for
// all, which is not what it shows.
//
// What the keyboard meets on its way: each thing once. The menu is one stop, in which the
// arrow keys move; a link to where another one has led already, one from a solution back to
// its exercise, and the buttons that copy code, are passed by. A mouse and a screen reader
// find them all the same.
document.addEventListener("DOMContentLoaded", () => {
  const name = (button) => {
    const title = button.closest(".admonition-title").textContent.trim();
    button.setAttribute("aria-label", `${button.dataset.toggleHint}: ${title}`);
  };
  for (const button of document.querySelectorAll("button.toggle-button")) {
    name(button);
    new MutationObserver(() => {
      name(button);
      measure();
    }).observe(button, { attributeFilter: ["data-toggle-hint"] });
  }

  // A table that is wider than its room says so, and can be reached by the keyboard.
  const measure = () => {
    for (const room of document.querySelectorAll(".pst-scrollable-table-container")) {
      const scrolls = room.scrollWidth > room.clientWidth + 1;
      room.classList.toggle("jc-scrolls", scrolls);
      if (scrolls) room.tabIndex = 0;
      else room.removeAttribute("tabindex");
    }
  };
  for (const details of document.querySelectorAll("details")) {
    details.addEventListener("toggle", measure);
  }
  addEventListener("resize", measure);
  document.fonts.ready.then(measure);

  const menu = [...document.querySelectorAll(".bd-sidebar-primary nav.bd-links a")];
  const start = menu.find((a) => a.matches(".current > a")) ?? menu[0];
  for (const a of menu) a.tabIndex = a === start ? 0 : -1;
  start?.closest("nav").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const shown = menu.filter((a) => a.checkVisibility());
    const at = shown.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = shown[(at + step + shown.length) % shown.length];
    document.activeElement.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  const seen = new Set();
  for (const a of document.querySelectorAll("article a[href]")) {
    const back = a.closest(".solution > .admonition-title"); // to the exercise above it
    if (back || a.matches(".headerlink") || seen.has(a.href)) a.tabIndex = -1;
    seen.add(a.href);
  }
  for (const button of document.querySelectorAll("button.copybtn")) button.tabIndex = -1;
});
