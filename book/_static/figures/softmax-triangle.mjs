// Softmax triangle: three probabilities as a point, and M = diag y − yyᵀ as three arrows
// from it. Column l of M is y_l (e_l − y): it points at corner l. With the diagonal
// alone, column l is y_l (1 − y_l) e_l, and the sum of the classes is 1 no more.

import {
  arrow,
  clamp,
  draw,
  handle,
  label,
  maths,
  number,
  paint,
  path,
  READABLE,
  roundKnob,
  set,
  still,
  toggle,
} from "./kit.mjs";

const START = [1 / 6, 1 / 3, 1 / 2];
const LEAST = 0.001;
const SIDE = 264;
const [CX, CY] = [160, 190]; // where the middle of the triangle is drawn
const CORNERS = [
  [-0.5, -Math.sqrt(3) / 6],
  [0.5, -Math.sqrt(3) / 6],
  [0, Math.sqrt(3) / 3],
];
const LEAN = 1.0; // radians by which the plane leans back, to show what leaves it
const ORDER = [0, 1, 2];
const sum = (v) => v.reduce((s, value) => s + value, 0);

/** The three columns of M, or of its diagonal alone. */
export const columns = (y, diagonalOnly) =>
  ORDER.map((l) =>
    ORDER.map((k) =>
      diagonalOnly ? (k === l ? y[l] * (1 - y[l]) : 0) : y[l] * ((k === l) - y[k]),
    ),
  );

/** The place (u, v, n) of a vector: two coordinates in the plane, and out of it. */
const inPlane = (p) => [
  ...[0, 1].map((axis) => sum(p.map((value, k) => value * CORNERS[k][axis]))),
  sum(p) / Math.sqrt(6), // a side of the triangle is √2 long, and the normal 1/√3 of the sum
];

/** The ellipse y + M^½ u in the plane: half axes and their turn. */
export function ellipse(y) {
  const C = [0, 1].map((r) =>
    [0, 1].map((s) =>
      sum(
        columns(y).map(
          (column, l) => CORNERS[l][r] * sum(column.map((m, k) => m * CORNERS[k][s])),
        ),
      ),
    ),
  );
  const [mean, half] = [
    (C[0][0] + C[1][1]) / 2,
    Math.hypot((C[0][0] - C[1][1]) / 2, C[0][1]),
  ];
  return {
    long: Math.sqrt(mean + half),
    short: Math.sqrt(Math.max(mean - half, 0)),
    turn: Math.atan2(2 * C[0][1], C[0][0] - C[1][1]) / 2,
  };
}

/** The probabilities nearest to a place of the plane, each at least LEAST. */
export function nearest(u, v) {
  const raw = CORNERS.map(([cu, cv]) => 1 / 3 + 2 * (cu * u + cv * v));
  const low = raw.map((value) => Math.max(value, LEAST));
  return low.map((value) => value / sum(low)).map((value) => clamp(value, LEAST, 1));
}

function drawMatrix(svg) {
  maths(svg, 16, 26, "M_kl = ∂y_k/∂a_l = I_kl y_k − y_k y_l", "strong");
  const cells = ORDER.map((k) =>
    ORDER.map((l) => {
      const [x, y] = [48 + 60 * l, 68 + 46 * k];
      const box = draw(svg, "rect", { x, y, width: 58, height: 44 });
      return { box, text: label(svg, x + 29, y + 27, "", "number", "middle") };
    }),
  );
  ORDER.forEach((k) => {
    maths(svg, 16, 95 + 46 * k, `y_${k}`, "");
    maths(svg, 77 + 60 * k, 60, `a_${k}`, "small muted", "middle");
  });
  draw(svg, "line", { x1: 16, x2: 226, y1: 214, y2: 214, class: "rule" });
  label(svg, 16, 234, "sum", "small muted");
  const sums = ORDER.map((l) =>
    label(svg, 77 + 60 * l, 234, "", "number strong", "middle"),
  );
  label(svg, 240, 60, "y", "small muted");
  const values = ORDER.map((k) => {
    draw(svg, "rect", {
      x: 240,
      y: 80 + 46 * k,
      width: 70,
      height: 8,
      fill: "none",
      class: "rule",
    });
    return {
      bar: draw(svg, "rect", { x: 240, y: 80 + 46 * k, height: 8, class: "bar" }),
      text: label(svg, 240, 106 + 46 * k, "", "small number"),
    };
  });
  const note = label(svg, 16, 264, "", "small");
  const size = label(svg, 162, 303, "", "small number");
  return { cells, sums, values, note, size };
}

export function mount(stage) {
  let y = START;
  let diagonalOnly = false;
  let lean = 0;
  const plane = stage.panel(320, 320, "a");
  const matrix = stage.panel(320, 320, "b");
  const { cells, sums, values, note, size } = drawMatrix(matrix);
  const press = toggle(matrix, 16, 284, 130, "diagonal only", () =>
    turn(!diagonalOnly),
  );

  const area = draw(plane, "path", { class: "area" });
  const edge = draw(plane, "path", { class: "axis" });
  const corners = ORDER.map((l) => maths(plane, 0, 0, `e_${l}`, "strong", "middle"));
  const blob = draw(plane, "path", { class: "line thin M fill-M" });
  const drops = ORDER.map(() =>
    draw(plane, "path", { class: "line thin dots warning" }),
  );
  const arrows = ORDER.map(() => arrow(plane, "M"));
  const knob = roundKnob(plane);
  const name = label(plane, 0, 0, "y", "strong italic halo");

  const seen = ([u, v, n]) => [
    CX + SIDE * u,
    CY - SIDE * (v * Math.cos(lean) + n * Math.sin(lean)) + 30 * (1 - Math.cos(lean)),
  ];
  const flat = (p) => seen(inPlane(p.map((value) => value - 1 / 3)));
  const tell = () => ({
    text: `y = (${y.map((value) => number(value)).join(", ")})`,
    now: +y[0].toFixed(3),
    low: 0,
    high: 1,
  });
  const back = (py) => (CY + 30 * (1 - Math.cos(lean)) - py) / (SIDE * Math.cos(lean));
  const move = (next) => {
    y = next;
    update();
  };
  const refresh = handle(plane, knob, {
    name: "The outputs y, in the triangle",
    area,
    to: (px, py) => move(nearest((px - CX) / SIDE, back(py))),
    by: (dx, dy) => {
      const [u, v] = inPlane(y);
      move(nearest(u + 0.02 * dx, v + 0.02 * dy));
    },
    home: () => move(START),
    tell,
  });

  function turn(next) {
    diagonalOnly = next;
    const [from, to, begin] = [lean, next ? LEAN : 0, performance.now()];
    const step = (now) => {
      const share = still() ? 1 : clamp((now - begin) / 350, 0, 1);
      lean = from + (to - from) * share * share * (3 - 2 * share);
      update();
      if (share < 1) requestAnimationFrame(step);
    };
    step(begin);
  }

  function showPlane(M) {
    const d = `${path(ORDER.map((l) => flat(ORDER.map((k) => +(k === l)))))}Z`;
    set(area, { d });
    set(edge, { d });
    ORDER.forEach((l) => {
      const [x, py] = flat(ORDER.map((k) => +(k === l)));
      set(corners[l], { x: x + [-2, 2, 0][l], y: py + [20, 20, -9][l] });
    });
    const { long, short, turn: angle } = ellipse(y);
    const [u, v] = inPlane(y);
    const around = Array.from({ length: 61 }, (_, n) => {
      const [c, s] = [
        long * Math.cos((n * Math.PI) / 30),
        short * Math.sin((n * Math.PI) / 30),
      ];
      const [du, dv] = [
        c * Math.cos(angle) - s * Math.sin(angle),
        c * Math.sin(angle) + s * Math.cos(angle),
      ];
      return seen([u + du, v + dv, 0]);
    });
    set(blob, { d: path(around), visibility: diagonalOnly ? "hidden" : "visible" });
    const from = seen([u, v, 0]);
    ORDER.forEach((l) => {
      const [du, dv, dn] = inPlane(M[l]);
      const tip = seen([u + du, v + dv, dn]);
      arrows[l](...from, tip[0] - from[0], tip[1] - from[1]);
      set(drops[l], { d: diagonalOnly ? path([tip, seen([u + du, v + dv, 0])]) : "" });
    });
    set(knob, { transform: `translate(${from.map((at) => at.toFixed(1)).join(" ")})` });
    set(name, {
      x: from[0] + (y[0] < 1 / 3 ? 14 : -22),
      y: from[1] + (diagonalOnly ? 20 : -2),
    });
  }

  function showMatrix(M) {
    const total = M.map(sum);
    ORDER.forEach((k) => {
      ORDER.forEach((l) => {
        paint(cells[k][l].box, M[l][k], 0.5, READABLE);
        cells[k][l].text.textContent = number(M[l][k], 3);
      });
      sums[k].textContent = number(total[k], 3);
      set(sums[k], {
        class: `number ${Math.abs(total[k]) < 1e-12 ? "good" : "warning"}`,
      });
      set(values[k].bar, { width: 70 * y[k] });
      values[k].text.textContent = number(y[k], 3);
    });
    const wins = diagonalOnly
      ? "the arrows leave the plane"
      : "what one class wins, the others lose";
    note.textContent = wins;
    set(note, { class: diagonalOnly ? "small warning" : "small muted" });
    const length = Math.sqrt(sum(M.map((column) => sum(column.map((m) => m * m)))));
    size.textContent = `‖M‖ = ${number(length, 3)}`;
  }

  function update() {
    stage.update(() => {
      const M = columns(y, diagonalOnly);
      showPlane(M);
      showMatrix(M);
      press(diagonalOnly);
      refresh();
      stage.say(tell().text);
      return { y, M, diagonalOnly, ellipse: ellipse(y) };
    });
  }
  update();
}
