// Loaded on pages with formulas, before MathJax starts.
//
// What lies below the head of a page stays unseen until its formulas stand: a page whose
// lines move under the reader's eyes is worse than one that comes a moment later. A style
// sheet shows it after a while, whatever happens.
document.documentElement.classList.add("jc-drawing");
MathJax.startup = {
  ready() {
    // An option of the menu, which is not there.
    delete MathJax.config.options.menuOptions;
    MathJax.startup.defaultReady();
  },
  async pageReady() {
    try {
      await MathJax.startup.defaultPageReady();
    } finally {
      document.documentElement.classList.remove("jc-drawing");
      document.dispatchEvent(new Event("jc-drawn"));
    }
  },
};
