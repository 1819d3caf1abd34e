// Loaded before MathJax starts, on pages without it too.
//
// What lies below the title of a page stays unseen until its faces have come and its
// formulas stand: a page whose lines move under the reader's eyes is worse than one that
// comes a moment later. A style sheet shows it after a while, whatever happens.
{
  const root = document.documentElement;
  root.classList.add("jc-drawing");
  const show = () => root.classList.remove("jc-drawing");
  if (!window.MathJax) {
    addEventListener("DOMContentLoaded", () => document.fonts.ready.then(show));
  } else {
    MathJax.startup = {
      ready() {
        delete MathJax.config.options.menuOptions; // of the menu, which is not there
        MathJax.startup.defaultReady();
      },
      async pageReady() {
        await document.fonts.ready;
        // What is folded has no width, and a long formula needs one to be broken at.
        const folded = [...document.querySelectorAll("details:not([open])")];
        for (const details of folded) details.open = true;
        await MathJax.startup.defaultPageReady().finally(show);
        for (const details of folded) details.open = false;
      },
    };
  }
}
