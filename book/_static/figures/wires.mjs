// The drawings of two wires and one cell: the network, its Hessian, and the table.

import { starts } from "./core.mjs";
import { draw, label, maths, paint, set } from "./kit.mjs";

export const CELL = 11.3;
export const LEFT = 24;
export const TOP = 24;
const COLUMNS = [8, 66, 112, 161, 210, 260, 314];

export const places = (net) =>
  net.W.flatMap((W, l) => W.flatMap((row, j) => row.map((_, i) => ({ l, j, i }))));
// Layer 0 is the inputs; unit 0 of all but the last is the constant one.
export const spot = (layer, unit) => [
  [42, 160, 278][layer],
  [
    [26, 78, 130, 182],
    [26, 70, 114, 158, 202],
    [80, 150],
  ][layer][unit],
];
const senders = ["input", "hidden unit"];
const receivers = ["hidden unit", "output"];
export const wireName = ({ l, j, i }) =>
  `weight to ${receivers[l]} ${j} from ${i ? `${senders[l]} ${i - 1}` : "the constant unit"}`;
export const ends = ({ l, j, i }) => [spot(l, i), spot(l + 1, l ? j : j + 1)];

export function drawNetwork(svg, net, pick) {
  const wires = places(net).map((place, index) => {
    const [[x1, y1], [x2, y2]] = ends(place);
    const line = draw(svg, "line", { x1, y1, x2, y2, class: "wire" });
    const reach = draw(svg, "line", { x1, y1, x2, y2, class: "wire-reach" });
    reach.addEventListener("click", () => pick(index));
    return line;
  });
  const units = draw(svg, "g", { "aria-hidden": "true" });
  net.sizes.forEach((size, layer) => {
    const bias = layer < 2 ? 1 : 0;
    for (let unit = 0; unit < size + bias; unit++) {
      const [x, y] = spot(layer, unit);
      if (bias && !unit) {
        draw(units, "rect", {
          x: x - 9,
          y: y - 9,
          width: 18,
          height: 18,
          class: "unit",
        });
        label(units, x, y + 4.5, "1", "small", "middle");
      } else draw(units, "circle", { cx: x, cy: y, r: 10, class: "unit" });
    }
    label(
      units,
      spot(layer, 0)[0],
      232,
      ["inputs", "hidden", "outputs"][layer],
      "small muted",
      "middle",
    );
  });
  return wires;
}

export function drawTable(svg, N) {
  maths(svg, 12, 20, "H = Σ_n z_p ( z_i B_jq + δ_j G_iq )", "strong");
  const heads = [
    ["n", ""],
    ["z_p", ""],
    ["z_i", ""],
    ["B_jq", "M"],
    ["δ_j", "residual"],
    ["G_iq", "J"],
    ["product", ""],
  ];
  heads.forEach(([text, kind], c) =>
    maths(svg, COLUMNS[c], 46, text, `small ${kind}`, c ? "end" : "start"),
  );
  draw(svg, "line", { x1: 8, x2: 316, y1: 55, y2: 55, class: "rule" });
  const rows = Array.from({ length: N }, (_, n) =>
    COLUMNS.map((x, c) =>
      label(
        svg,
        x,
        72 + 18 * n,
        c ? "" : n,
        `small number ${c === 6 ? "strong" : heads[c][1]}`,
        c ? "end" : "start",
      ),
    ),
  );
  const foot = 72 + 18 * N;
  draw(svg, "line", { x1: 8, x2: 316, y1: foot - 10, y2: foot - 10, class: "rule" });
  const note = label(svg, 12, foot + 8, "", "small muted");
  const sum = label(svg, 314, foot + 8, "", "strong number", "end");
  return { rows, note, sum };
}

export function drawHessian(svg, net, H) {
  const P = H.length;
  const limit = Math.max(...H.map((row) => Math.max(...row.map(Math.abs))));
  const cells = draw(svg, "g", { "aria-hidden": "true" });
  H.forEach((row, r) =>
    row.forEach((value, c) => {
      const at = {
        x: LEFT + c * CELL,
        y: TOP + r * CELL,
        width: CELL - 0.8,
        height: CELL - 0.8,
      };
      paint(draw(cells, "rect", at), value, limit);
    }),
  );
  const split = starts(net)[1] * CELL - 0.4;
  const end = P * CELL;
  draw(svg, "path", {
    class: "layer-line",
    d: `M${LEFT + split} ${TOP}v${end}M${LEFT} ${TOP + split}h${end}`,
  });
  [
    ["first layer", split / 2],
    ["second layer", (split + end) / 2],
  ].forEach(([text, middle]) => {
    label(svg, LEFT + middle, TOP - 8, text, "small muted", "middle");
    const side = label(svg, 0, 0, text, "small muted", "middle");
    set(side, { transform: `translate(${LEFT - 9} ${TOP + middle}) rotate(-90)` });
  });
}
