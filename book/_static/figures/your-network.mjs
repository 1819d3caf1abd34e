// <jc-network>: a reader drops a network, and sees its sizes, its outputs at an input
// that can be moved, J, H with its spectrum, and error bars. All is computed here, and
// nothing leaves the machine.

import { forward, inputJacobian, matmul, network, nParameters } from "./core.mjs";
import { exactHessian } from "./curvature.mjs";
import { eigenvalues } from "./eigen.mjs";
import { number } from "./kit.mjs";
import { drawSpectrum, finite, heatMap, html, plural, short } from "./pictures.mjs";
import { readFile } from "./readers.mjs";
import { Refusal } from "./reading.mjs";

const HESSIAN = { parameters: 600, work: 4e8 };
const SLIDERS = 12;

/** y, J and the standard deviations of y that inputs off by sigma bring. */
export function atInput(net, x, sigma) {
  const J = inputJacobian(net, x);
  const covariance = matmul(
    J.map((row) => row.map((value) => value * sigma ** 2)),
    J[0].map((_, i) => J.map((row) => row[i])),
  );
  return {
    y: forward(net, x).y,
    J,
    covariance,
    bars: covariance.map((row, k) => Math.sqrt(row[k])),
  };
}

/** H of the error over the patterns that the file holds, or at x with y for a target. */
export function curvatureOf({ net, X, T }, x) {
  const P = nParameters(net);
  if (P > HESSIAN.parameters) return null;
  const most = Math.max(1, Math.floor(HESSIAN.work / P ** 2));
  const [some, targets] = T
    ? [X.slice(0, most), T.slice(0, most)]
    : [[x], [forward(net, x).y]];
  const H = exactHessian(net, some, targets);
  return { H, patterns: some.length, spectrum: finite(H) ? eigenvalues(H) : [NaN] };
}

class YourNetwork extends HTMLElement {
  connectedCallback() {
    this.replaceChildren();
    const zone = html(this, "div", { class: "jc-drop" });
    const field = html(zone, "label", {}, "Drop a network here, or choose a file ");
    this.file = html(field, "input", { type: "file", accept: ".json,.safetensors" });
    const units = html(
      zone,
      "p",
      { class: "jc-units" },
      "A .safetensors file that names no units has ",
    );
    const hidden = this.choice(units, "hidden units", [
      "tanh",
      "relu",
      "sigmoid",
      "softplus",
      "identity",
    ]);
    const output = this.choice(units, "outputs", ["linear", "sigmoid", "softmax"]);
    this.chosen = () => ({ hidden: hidden.value, output: output.value });
    const example = html(
      zone,
      "button",
      { type: "button" },
      "Or take the network of the front page",
    );
    this.answer = html(this, "p", { class: "jc-answer", role: "status" });
    this.results = html(this, "div", { class: "jc-results" });
    this.file.addEventListener(
      "change",
      () => this.file.files[0] && this.take(this.file.files[0]),
    );
    example.addEventListener("click", () => this.takeExample());
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      if (event.dataTransfer.files[0]) this.take(event.dataTransfer.files[0]);
    });
    // A picture keeps the colours that it was drawn with.
    const repaint = () => this.found && (this.update(), this.curve());
    const theme = { attributeFilter: ["data-theme"] };
    new MutationObserver(repaint).observe(document.documentElement, theme);
    this.dataset.ready = "yes";
  }

  choice(parent, name, options) {
    const field = html(parent, "label");
    const select = html(field, "select");
    options.forEach((option) => html(select, "option", {}, option));
    field.append(` ${name} `);
    return select;
  }

  async take(file) {
    this.say("Reading and computing …");
    this.results.replaceChildren();
    this.state = this.found = null;
    try {
      const found = await readFile(file, this.chosen());
      await new Promise((painted) => setTimeout(painted, 30)); // it may take two seconds
      this.show(found);
    } catch (failure) {
      this.results.replaceChildren();
      this.say(
        failure instanceof Refusal
          ? failure.message
          : "This file could not be read as a network.",
        true,
      );
    }
    this.file.value = "";
  }

  async takeExample() {
    const answer = await fetch(new URL("networks.json", import.meta.url));
    const { landing } = await answer.json();
    const net = network(landing);
    const names = (count, letter) =>
      Array.from({ length: count }, (_, n) => `${letter}${n}`);
    this.show({
      net,
      units: landing,
      inputs: names(3, "x"),
      outputs: names(2, "y"),
      X: landing.X,
      T: landing.T,
    });
  }

  say(sentence, refused = false) {
    this.answer.textContent = sentence;
    this.answer.classList.toggle("refused", refused);
  }

  show(found) {
    const { net, units } = found;
    this.found = found;
    this.x = found.X ? [...found.X[0]] : Array(net.sizes[0]).fill(0);
    this.sigma = 0.1;
    this.results.replaceChildren();
    const P = nParameters(net);
    const between = net.sizes.length > 2 ? `${units.hidden} hidden units, ` : "";
    this.say(
      `A ${net.sizes.join("-")} network: ${between}${units.output} outputs, ${plural(P, "parameter")}.`,
    );
    const top = html(this.results, "div", { class: "jc-columns" });
    this.inputs(html(top, "section"));
    this.outputs(html(top, "section"));
    this.jacobian = html(this.results, "section");
    this.hessian = html(this.results, "section");
    this.update();
    this.curve();
  }

  inputs(section) {
    const { inputs, X } = this.found;
    html(section, "h2", {}, "Inputs");
    inputs.slice(0, SLIDERS).forEach((name, i) => {
      const column = X ? X.map((row) => row[i]) : [-3, 3];
      const [low, high] = [Math.min(...column), Math.max(...column)];
      const span = high - low || 1;
      const [from, to] = [low - 0.1 * span, high + 0.1 * span];
      this.slider(section, name, from, to, this.x[i], (value) => (this.x[i] = value));
    });
    if (inputs.length > SLIDERS)
      html(
        section,
        "p",
        {},
        `… and ${plural(inputs.length - SLIDERS, "input")} more, which stay at their first values.`,
      );
    this.slider(
      section,
      "each input is off by ±",
      0,
      1,
      this.sigma,
      (value) => (this.sigma = value),
    );
  }

  slider(section, name, low, high, start, put) {
    const row = html(section, "label", { class: "jc-slider" });
    html(row, "span", {}, name);
    const input = html(row, "input", {
      type: "range",
      min: low,
      max: high,
      step: "any",
      value: start,
    });
    const value = html(row, "output", {}, number(start, 2));
    input.addEventListener("input", () => {
      put(+input.value);
      value.textContent = number(+input.value, 2);
      this.update();
      clearTimeout(this.later);
      if (!this.found.T) this.later = setTimeout(() => this.curve(), 150);
    });
  }

  outputs(section) {
    html(section, "h2", {}, "Outputs, and how far they may be off");
    this.rows = this.found.outputs.slice(0, SLIDERS).map((name) => {
      const row = html(section, "p", { class: "jc-row" });
      html(row, "span", {}, name);
      return html(row, "output");
    });
    if (this.found.outputs.length > SLIDERS)
      html(
        section,
        "p",
        {},
        `… and ${plural(this.found.outputs.length - SLIDERS, "output")} more.`,
      );
  }

  update() {
    const here = atInput(this.found.net, this.x, this.sigma);
    const sound = finite(here.y) && finite(here.J);
    this.rows.forEach((row, k) => {
      row.textContent = sound ? `${short(here.y[k])} ± ${short(here.bars[k])}` : "—";
    });
    this.jacobian.replaceChildren();
    html(this.jacobian, "h2", {}, "J, the Jacobian at this input");
    if (sound) heatMap(this.jacobian, here.J, this.found.outputs, this.found.inputs);
    else
      html(
        this.jacobian,
        "p",
        { class: "refused" },
        "At this input the numbers of the network are too large to be held.",
      );
    this.state = { ...this.state, x: [...this.x], sigma: this.sigma, sound, ...here };
  }

  curve() {
    const { found, hessian } = this;
    hessian.replaceChildren();
    html(hessian, "h2", {}, "H, the Hessian of the error");
    const curved = curvatureOf(found, this.x);
    this.state = {
      ...this.state,
      P: nParameters(found.net),
      sizes: found.net.sizes,
      H: curved && curved.H.map((row) => [...row]),
      spectrum: curved && curved.spectrum,
    };
    if (!curved) {
      html(
        hessian,
        "p",
        {},
        `With ${plural(nParameters(found.net), "parameter")} it is too large for this page, which draws it up to ${HESSIAN.parameters}.`,
      );
      return;
    }
    if (!finite(curved.spectrum)) {
      html(hessian, "p", { class: "refused" }, "Its numbers are too large to be held.");
      return;
    }
    const over = found.T
      ? `Over ${plural(curved.patterns, "pattern")} of the file.`
      : "The file holds no targets, so this is H at the input above with the output itself for a target: the residual is 0, and H is the outer product.";
    html(hessian, "p", {}, over);
    const pair = html(hessian, "div", { class: "jc-columns" });
    heatMap(html(pair, "div"), curved.H);
    drawSpectrum(html(pair, "div"), curved.spectrum);
  }
}

customElements.define("jc-network", YourNetwork);
