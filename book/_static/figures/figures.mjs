// <jc-figure name="two-wires">: a figure that answers. Until it comes near, it shows the
// still picture that it holds; then it loads its own module and takes the place of it.

class AnsweringFigure extends HTMLElement {
  connectedCallback() {
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        near.disconnect();
        this.wake();
      },
      { rootMargin: "600px" },
    );
    near.observe(this);
  }

  async wake() {
    const [{ mount }, { Stage }, data] = await Promise.all([
      import(`./${this.getAttribute("name")}.mjs`),
      import("./kit.mjs"),
      fetch(new URL("networks.json", import.meta.url)).then((answer) => answer.json()),
    ]);
    const stage = new Stage(this);
    mount(stage, data);
    stage.show();
    this.setAttribute("role", "group");
  }
}

customElements.define("jc-figure", AnsweringFigure);
