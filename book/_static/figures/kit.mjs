// What the figures share: panels, numbers, handles that answer to pointer, touch and
// keys, and a voice. A figure keeps its numbers in `element.state`, where tests read them.

const SVG = "http://www.w3.org/2000/svg";
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A new SVG element; `text` becomes its content, and is never read as markup. */
export function draw(parent, name, attributes = {}, text) {
  const element = document.createElementNS(SVG, name);
  set(element, attributes);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes))
    element.setAttribute(name, typeof value === "number" ? +value.toFixed(2) : value);
  return element;
}

export const label = (parent, x, y, text, kind = "", anchor = "start") =>
  draw(parent, "text", { x, y, class: kind, "text-anchor": anchor }, text);

/** A label whose letters after "_" stand lower and smaller: "w_ji" or "Σ_n z_p". */
export function maths(parent, x, y, text, kind = "", anchor = "start") {
  const whole = label(parent, x, y, "", kind, anchor);
  setMaths(whole, text);
  return whole;
}

export function setMaths(element, text) {
  element.replaceChildren();
  let low = false;
  for (const part of text.split(/(_\w+)/)) {
    if (!part) continue;
    const span = draw(element, "tspan", {}, part.replace(/^_/, ""));
    const lower = part.startsWith("_");
    if (lower) set(span, { dy: 3.5, "font-size": "72%" });
    else if (low) set(span, { dy: -3.5 });
    low = lower;
  }
}

export const number = (value, digits = 2) => {
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && +text !== 0 ? "−" : "") + text;
};
/** How strong a colour may be under a number that is to be read. */
export const READABLE = 0.45;
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
/** A power of ten, its exponent set high. */
export const tens = (exponent) =>
  `10${[...String(exponent)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("")}`;
/** A positive number with two digits and a power of ten. */
export const power = (value) => {
  if (value === 0) return "0";
  const [digits, ten] = value.toExponential(1).split("e");
  return +ten ? `${digits} · ${tens(+ten)}` : digits;
};

/** Paint a shape by the sign and size of a number: strongest, `most`, at `limit`. */
export function paint(shape, value, limit, most = 1) {
  const depth = most * clamp(Math.sqrt(Math.abs(value) / limit), 0, 1);
  const sign = value < 0 ? "negative" : "positive";
  shape.style.fill = `var(--${sign})`;
  shape.style.fillOpacity = depth.toFixed(3);
}

/** An arrow from (x, y) by (dx, dy), its head included. */
export function arrow(parent, kind) {
  const line = draw(parent, "path", { class: `arrow ${kind}` });
  return (x, y, dx, dy) => {
    const length = Math.hypot(dx, dy);
    const [u, v] = length ? [dx / length, dy / length] : [0, 0];
    const head = Math.min(8, 0.6 * length);
    const [ex, ey] = [x + dx, y + dy];
    const corner = (side) =>
      `${(ex - head * u + side * 0.5 * head * v).toFixed(1)} ${(ey - head * v - side * 0.5 * head * u).toFixed(1)}`;
    const tip = `${ex.toFixed(1)} ${ey.toFixed(1)}`;
    line.setAttribute(
      "d",
      `M${x.toFixed(1)} ${y.toFixed(1)}L${tip}M${corner(1)}L${tip}L${corner(-1)}`,
    );
  };
}

let clips = 0;
/** A group of which only what lies within a box is seen. */
export function within(parent, box) {
  const id = `jc-within-${clips++}`;
  draw(draw(draw(parent, "defs"), "clipPath", { id }), "rect", box);
  return draw(parent, "g", { "clip-path": `url(#${id})` });
}

/** A round knob: the circle that a finger reaches, and the one that the eye sees. */
export function roundKnob(parent, reach = 18, grip = 7) {
  const knob = draw(parent, "g");
  draw(knob, "circle", { r: reach, class: "reach" });
  draw(knob, "circle", { r: grip, class: "grip" });
  return knob;
}

export const path = (points) =>
  points.map(([x, y], n) => `${n ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** One figure on a page: its panels, its controls and its voice. */
export class Stage {
  constructor(element) {
    this.element = element;
    this.panels = document.createElement("div");
    this.panels.className = "jc-panels";
    this.voice = document.createElement("output");
    this.voice.className = "jc-voice";
    this.voice.setAttribute("aria-live", "polite");
    this.updates = [];
  }

  show() {
    this.element.replaceChildren(this.panels, this.voice);
  }

  panel(width, height, name) {
    const svg = draw(this.panels, "svg", { viewBox: `0 0 ${width} ${height}` });
    svg.classList.add("jc-panel", `jc-${name}`);
    return svg;
  }

  /** Say what changed, but not more often than a listener can follow. */
  say(text) {
    if (!this.updates.length) return; // nothing has changed yet
    clearTimeout(this.later);
    this.later = setTimeout(() => (this.voice.textContent = text), 500);
  }

  /** Run an update of the figure and keep the milliseconds that it took. */
  update(change) {
    const before = performance.now();
    this.element.state = change();
    this.element.dataset.ready = "yes";
    this.updates.push(performance.now() - before);
    this.element.updates = this.updates.slice(-500);
  }
}

/** The place of an event in the coordinates of an SVG. */
export function placeOf(svg, event) {
  const box = svg.getBoundingClientRect();
  const { width, height } = svg.viewBox.baseVal;
  return [
    ((event.clientX - box.left) * width) / box.width,
    ((event.clientY - box.top) * height) / box.height,
  ];
}

const STEPS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/**
 * Let `knob` be dragged. `to(x, y)` moves it to a place of the SVG, `by(dx, dy)` by keys:
 * up is positive, and Shift makes a step ten times as large. `tell` is how it reads now.
 * On `area`, if there is one, a press anywhere takes the knob there.
 */
export function handle(
  svg,
  knob,
  { name, to, by, home, tell, area, keep = () => true },
) {
  set(knob, { role: "slider", tabindex: 0, "aria-label": name });
  knob.classList.add("knob");
  const refresh = () => {
    const { text, now, low, high } = tell();
    set(knob, { "aria-valuetext": text });
    knob.setAttribute("aria-valuenow", now);
    knob.setAttribute("aria-valuemin", low);
    knob.setAttribute("aria-valuemax", high);
  };
  const drag = (event) => {
    to(...placeOf(svg, event));
    refresh();
  };
  for (const place of new Set([area ?? knob, knob])) {
    place.addEventListener("pointerdown", (event) => {
      if (event.button || !keep(event)) return;
      place.setPointerCapture(event.pointerId);
      knob.focus({ preventScroll: true });
      event.stopPropagation();
      drag(event);
    });
    place.addEventListener("pointermove", (event) => {
      if (place.hasPointerCapture(event.pointerId)) drag(event);
    });
  }
  // A finger on the knob moves the knob; anywhere else it still scrolls the page.
  knob.addEventListener("touchstart", (event) => event.preventDefault(), {
    passive: false,
  });
  knob.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step && event.key !== "Home") return;
    event.preventDefault();
    const size = event.shiftKey ? 10 : 1;
    if (step) by(step[0] * size, step[1] * size);
    else home();
    refresh();
  });
  refresh();
  return refresh;
}

/** A row with a name, a track and a knob; `to` gets the place along it, from 0 to 1. */
export function track(
  svg,
  { x, y, width, title, name, get, to, home, read, steps = 100 },
) {
  label(svg, x, y - 12, title, "small");
  const value = label(svg, x + width, y - 12, "", "small number", "end");
  const area = draw(svg, "rect", {
    x: x - 8,
    y: y - 10,
    width: width + 16,
    height: 20,
    class: "area",
  });
  draw(svg, "line", { x1: x, x2: x + width, y1: y, y2: y, class: "track" });
  const knob = roundKnob(svg, 16);
  const move = (share) => to(clamp(share, 0, 1));
  const refresh = handle(svg, knob, {
    name,
    area,
    to: (px) => move((px - x) / width),
    by: (dx, dy) => move(get() + (dx + dy) / steps),
    home,
    tell: () => ({ text: read(), now: +(100 * get()).toFixed(1), low: 0, high: 100 }),
  });
  return () => {
    set(knob, { transform: `translate(${(x + width * get()).toFixed(1)} ${y})` });
    value.textContent = read();
    refresh();
  };
}

/** A button of the figure, which says whether it is pressed. */
export function toggle(svg, x, y, width, text, press) {
  const button = draw(svg, "g", {
    role: "button",
    tabindex: 0,
    class: "switch",
    "aria-pressed": "false",
  });
  draw(button, "rect", { x, y, width, height: 28, rx: 4 });
  label(button, x + width / 2, y + 18.5, text, "small", "middle");
  button.addEventListener("click", press);
  button.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    press();
  });
  return (pressed) => button.setAttribute("aria-pressed", pressed);
}
