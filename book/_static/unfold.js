// What the theme forgets of all that folds.
//
// A button that unfolds a solution is named by its hint, which a style sheet draws, and by
// the title beside it: "Click to show: Solution to Exercise 1". It comes with one name for
// all, which is not what it shows.
//
// What scrolls sideways must be reached by the keyboard. The theme sees to that when a
// page opens, while what is folded has no width yet.
document.addEventListener("DOMContentLoaded", () => {
  const name = (button) => {
    const title = button.closest(".admonition-title").textContent.trim();
    button.setAttribute("aria-label", `${button.dataset.toggleHint}: ${title}`);
  };
  const reach = (unfolded) => {
    for (const text of unfolded.querySelectorAll("pre")) {
      text.tabIndex = text.scrollWidth > text.clientWidth ? 0 : -1;
    }
  };
  for (const button of document.querySelectorAll("button.toggle-button")) {
    name(button);
    new MutationObserver(() => {
      name(button);
      reach(document.getElementById(button.dataset.target));
    }).observe(button, { attributeFilter: ["data-toggle-hint"] });
  }
  for (const details of document.querySelectorAll("details")) {
    details.addEventListener("toggle", () => reach(details));
  }
});
