// Matrices as colours, and eigenvalues as bars, for the page that takes a network.

import { draw, label, number, paint, READABLE } from "./kit.mjs";

const TABLE = 12;

/** A new HTML element; what it says is text, never markup. */
export function html(parent, name, attributes = {}, text) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

export const plural = (count, one, more = `${one}s`) =>
  `${count.toLocaleString("en-GB")} ${count === 1 ? one : more}`;
export const short = (value) =>
  Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(2).replaceAll("-", "−")
    : number(value, 3);
export const finite = (value) =>
  Array.isArray(value) || ArrayBuffer.isView(value)
    ? value.every(finite)
    : Number.isFinite(value);

/** A matrix as colours: a table with its numbers where they fit, and a picture else. */
export function heatMap(parent, A, rows, columns) {
  const limit =
    A.reduce(
      (most, row) => row.reduce((m, value) => Math.max(m, Math.abs(value)), most),
      0,
    ) || 1;
  if (rows && A.length <= TABLE && A[0].length <= TABLE) {
    const frame = html(parent, "div", {
      class: "jc-scroll",
      tabindex: 0,
      role: "region",
      "aria-label": "The Jacobian",
    });
    const table = html(frame, "table", { class: "jc-matrix" });
    const head = html(table, "tr");
    html(head, "td");
    columns.forEach((name) => html(head, "th", { scope: "col" }, name));
    A.forEach((row, k) => {
      const line = html(table, "tr");
      html(line, "th", { scope: "row" }, rows[k]);
      row.forEach((value) => {
        const cell = html(line, "td", {}, short(value));
        const share = 100 * READABLE * Math.sqrt(Math.abs(value) / limit);
        cell.style.background = `color-mix(in srgb, var(--${value < 0 ? "negative" : "positive"}) ${share.toFixed(1)}%, transparent)`;
      });
    });
    return;
  }
  const canvas = html(parent, "canvas", {
    width: A[0].length,
    height: A.length,
    class: "jc-picture",
    role: "img",
  });
  canvas.setAttribute(
    "aria-label",
    `${A.length} by ${A[0].length} cells, coloured by the sign and size of their numbers; the largest is ${short(limit)}`,
  );
  const style = getComputedStyle(parent);
  const colour = Object.fromEntries(
    ["positive", "negative"].map((sign) => [
      sign,
      style.getPropertyValue(`--${sign}`).trim(),
    ]),
  );
  const context = canvas.getContext("2d");
  A.forEach((row, r) =>
    row.forEach((value, c) => {
      context.fillStyle = value < 0 ? colour.negative : colour.positive;
      context.globalAlpha = Math.sqrt(Math.abs(value) / limit);
      context.fillRect(c, r, 1, 1);
    }),
  );
}

/** The eigenvalues in their order, each a bar from 0 on a scale that bends near 0. */
export function drawSpectrum(parent, values) {
  const largest = Math.max(...values.map(Math.abs)) || 1;
  const flat = values.filter((value) => Math.abs(value) <= 1e-10 * largest).length;
  const negative = values.filter((value) => value < -1e-10 * largest).length;
  const words = `From ${short(values[0])} to ${short(values.at(-1))}: ${negative} negative, ${flat} as good as 0, ${values.length - negative - flat} positive.`;
  const svg = draw(parent, "svg", {
    viewBox: "0 0 320 220",
    class: "jc-panel",
    role: "img",
    "aria-label": `The eigenvalues of H. ${words}`,
  });
  const bend = (value) =>
    Math.sign(value) * Math.log10(1 + (1e4 * Math.abs(value)) / largest);
  const [low, high] = [Math.min(0, bend(values[0])), Math.max(0, bend(values.at(-1)))];
  const y = (value) => 190 - (170 * (value - low)) / (high - low || 1);
  const width = 300 / values.length;
  values.forEach((value, n) => {
    const [a, b] = [y(0), y(bend(value))];
    const bar = draw(svg, "rect", {
      x: 10 + n * width,
      y: Math.min(a, b),
      width: Math.max(width - 0.6, 0.4),
      height: Math.max(Math.abs(a - b), 0.5),
    });
    paint(bar, value, Math.abs(value) || 1);
  });
  draw(svg, "line", { x1: 10, x2: 310, y1: y(0), y2: y(0), class: "axis" });
  label(
    svg,
    10,
    210,
    "eigenvalues of H, in their order; the scale is logarithmic",
    "tiny muted",
  );
  html(parent, "p", { class: "jc-words" }, words);
}
