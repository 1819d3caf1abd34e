// Valley of two weights: E = ½ (w₂ w₁ − t)² with its exact Hessian, the outer product G,
// and one step of Newton, of damped G and of the gradient. H = G + (y − t)(0 1; 1 0); it
// is positive definite exactly where t/3 < w₁w₂ < t.

import {
  arrow,
  clamp,
  draw,
  handle,
  label,
  number,
  path,
  roundKnob,
  set,
  track,
  within,
} from "./kit.mjs";
import { curvature, eigen, errorAt, landing, steps, T } from "./two-weights.mjs";

const START = { w: [2, 3], lambda: 1, eta: 0.1 };
const [LOW, HIGH] = [-0.4, 4.4];
const SIZE = 312;
const BOX = { x: 4, y: 4, width: SIZE, height: SIZE };
const px = (w1) => 4 + ((w1 - LOW) * SIZE) / (HIGH - LOW);
const py = (w2) => 4 + SIZE - ((w2 - LOW) * SIZE) / (HIGH - LOW);
const place = ([w1, w2]) => [px(w1), py(w2)];
const LAMBDAS = [0.01, 100];
const ETAS = [0.001, 1];

const hyperbola = (c) => {
  const points = [];
  for (let n = 0; n <= 80; n++) {
    const w1 = Math.exp(Math.log(c / HIGH) + (n / 80) * Math.log((HIGH * HIGH) / c));
    points.push([w1, c / w1]);
  }
  return points;
};

function drawLand(svg) {
  const land = within(svg, BOX);
  const between = (inner, outer) =>
    `${path(outer.map(place))}${path([...inner].reverse().map(place)).replace("M", "L")}Z`;
  draw(land, "path", {
    class: "fill-good",
    d: between(hyperbola(T / 3), hyperbola(T)),
  });
  const axes = [
    [0, HIGH],
    [0, 0],
    [HIGH, 0],
  ];
  draw(land, "path", { class: "fill-warning", d: between(axes, hyperbola(T / 3)) });
  const levels = [0.5, 2, 4.5, 8, 18, 32];
  levels.forEach((E) =>
    [T - Math.sqrt(2 * E), T + Math.sqrt(2 * E)]
      .filter((c) => c > 0.05)
      .forEach((c) =>
        draw(land, "path", { class: "rule", d: path(hyperbola(c).map(place)) }),
      ),
  );
  draw(land, "path", { class: "line good-line", d: path(hyperbola(T).map(place)) });
  draw(svg, "rect", { ...BOX, class: "axis" });
  draw(svg, "path", { class: "rule", d: `M${px(0)} 4V316M4 ${py(0)}H316` });
  label(svg, 314, 331, "w₁", "small muted italic", "end");
  label(svg, 9, 18, "w₂", "small muted italic");
  label(svg, px(4.34), py(1.3), "valley w₁w₂ = t", "tiny good halo", "end");
  label(svg, px(0.05), py(0.12), "Newton heads uphill", "tiny warning halo");
  label(svg, px(1.5), py(1.6), "H > 0", "tiny good halo");
  return land;
}

/** The curve dᵀ A d = 1 about w: an ellipse, or the two branches of a hyperbola. */
function level(w, A) {
  const { values, vectors } = eigen(A);
  const parts = [];
  const point = (c, s) =>
    place([0, 1].map((n) => w[n] + c * vectors[1][n] + s * vectors[0][n]));
  const radius = values.map((value) => 1 / Math.sqrt(Math.max(Math.abs(value), 1e-6)));
  if (values[0] > 0) {
    for (let n = 0; n <= 60; n++) {
      const turn = (n * Math.PI) / 30;
      parts.push(point(radius[1] * Math.cos(turn), radius[0] * Math.sin(turn)));
    }
    return path(parts);
  }
  return [-1, 1]
    .map((side) =>
      path(
        Array.from({ length: 41 }, (_, n) => {
          const turn = (n - 20) / 8;
          return point(side * radius[1] * Math.cosh(turn), radius[0] * Math.sinh(turn));
        }),
      ),
    )
    .join("");
}

const matrix = (svg, x, y, kind) => {
  draw(svg, "path", {
    class: "axis",
    d: `M${x + 4} ${y - 15}h-4v40h4M${x + 78} ${y - 15}h4v40h-4`,
  });
  const cells = [0, 1, 2, 3].map((n) =>
    label(
      svg,
      x + 38 + 37 * (n % 2),
      y + 20 * (n >> 1),
      "",
      `small number ${kind}`,
      "end",
    ),
  );
  return (A) =>
    cells.forEach((cell, n) => (cell.textContent = number(A[n >> 1][n % 2], 1)));
};

function drawNumbers(svg) {
  label(svg, 8, 18, "E = ½ (w₂w₁ − t)²,  t = 5", "strong");
  const at = label(svg, 8, 40, "", "small number");
  [
    ["H", 49, ""],
    ["G", 159, "J"],
    ["(y − t) ∇∇y", 269, "residual"],
  ].forEach(([text, x, kind]) => label(svg, x, 64, text, `small ${kind}`, "middle"));
  [
    ["=", 104],
    ["+", 214],
  ].forEach(([text, x]) => label(svg, x, 95, text, "", "middle"));
  const [H, G, rest] = [
    matrix(svg, 8, 86, ""),
    matrix(svg, 118, 86, "J"),
    matrix(svg, 228, 86, "residual"),
  ];
  const values = label(svg, 8, 136, "", "small number");
  const verdict = label(svg, 312, 136, "", "small", "end");
  const rows = [
    ["Newton, −H⁻¹∇E", "accent"],
    ["damped G, −(G + λI)⁻¹∇E", "J"],
    ["gradient, −η∇E", "muted"],
  ].map(([text, kind], n) => {
    label(svg, 8, 162 + 21 * n, text, `small ${kind}`);
    return label(svg, 312, 162 + 21 * n, "", "small number", "end");
  });
  return (w, found, after) => {
    const {
      values: [low, high],
    } = eigen(found.H);
    at.textContent = `w = (${number(w[0])}, ${number(w[1])}),  y = ${number(w[0] * w[1])},  E = ${number(errorAt(w))}`;
    H(found.H);
    G(found.G);
    rest([
      [0, found.residual],
      [found.residual, 0],
    ]);
    values.textContent = `eigenvalues of H: ${number(low)}, ${number(high)}`;
    verdict.textContent = low > 0 ? "positive" : "indefinite";
    set(verdict, { class: `small ${low > 0 ? "good" : "warning"}` });
    Object.values(after).forEach(({ E, uphill }, n) => {
      const lower = E <= errorAt(w);
      const size = E > 999 ? "> 999" : `= ${number(E)}`;
      rows[n].textContent = `${uphill ? "uphill, " : ""}${lower ? "▼" : "▲"} E ${size}`;
      set(rows[n], { class: `small number ${uphill || !lower ? "warning" : "good"}` });
    });
  };
}

export function mount(stage) {
  let { w, lambda, eta } = START;
  const map = stage.panel(320, 338, "a");
  const side = stage.panel(320, 338, "b");
  const land = drawLand(map);
  const area = draw(map, "rect", { ...BOX, class: "area" });
  const curves = {
    H: draw(land, "path", { class: "line thin accent" }),
    G: draw(land, "path", { class: "line thin J dash" }),
  };
  const axes = [0, 1].map(() => draw(land, "path", { class: "line thin" }));
  const arrows = {
    newton: arrow(land, "accent"),
    damped: arrow(land, "J"),
    gradient: arrow(land, "muted"),
  };
  const knob = roundKnob(map, 18, 6);
  const show = drawNumbers(side);
  const inside = (value) => +clamp(value, LOW, HIGH).toFixed(2);
  const move = (next) => {
    w = next.map(inside);
    update();
  };
  const tell = () => ({
    text: `w1 = ${number(w[0])}, w2 = ${number(w[1])}, E = ${number(errorAt(w))}`,
    now: w[0],
    low: LOW,
    high: HIGH,
  });
  const refresh = [
    handle(map, knob, {
      name: "The two weights",
      area,
      to: (x, y) =>
        move([
          LOW + ((x - 4) * (HIGH - LOW)) / SIZE,
          LOW + ((4 + SIZE - y) * (HIGH - LOW)) / SIZE,
        ]),
      by: (dx, dy) => move([w[0] + 0.05 * dx, w[1] + 0.05 * dy]),
      home: () => move(START.w),
      tell,
    }),
  ];
  const knobOf = (y, title, name, [low, high], get, put, home) => {
    const span = Math.log(high / low);
    return track(side, {
      x: 16,
      y,
      width: 288,
      title,
      name,
      steps: 60,
      get: () => clamp(Math.log(get() / low) / span, 0, 1),
      to: (share) => {
        put(+(low * Math.exp(share * span)).toPrecision(3));
        update();
      },
      home: () => {
        put(home);
        update();
      },
      read: () => String(+get().toPrecision(2)),
    });
  };
  refresh.push(
    knobOf(
      246,
      "damping λ",
      "Damping lambda",
      LAMBDAS,
      () => lambda,
      (value) => (lambda = value),
      START.lambda,
    ),
    knobOf(
      294,
      "step of the gradient η",
      "Step eta of the gradient",
      ETAS,
      () => eta,
      (value) => (eta = value),
      START.eta,
    ),
  );
  const mark = draw(side, "path", { class: "line warning" });
  const limitText = label(side, 0, 326, "", "tiny warning", "middle");

  function update() {
    stage.update(() => {
      const found = curvature(w);
      const moves = steps(w, lambda, eta);
      const after = Object.fromEntries(
        Object.entries(moves).map(([name, step]) => [name, landing(w, step)]),
      );
      const here = place(w);
      for (const [name, step] of Object.entries(moves)) {
        const far = place([w[0] + step[0], w[1] + step[1]]);
        arrows[name](
          ...here,
          clamp(far[0] - here[0], -900, 900),
          clamp(far[1] - here[1], -900, 900),
        );
      }
      set(curves.H, { d: level(w, found.H) });
      set(curves.G, {
        d: level(
          w,
          found.G.map((row, r) =>
            row.map((value, c) => value + (r === c ? lambda : 0)),
          ),
        ),
      });
      const { values, vectors } = eigen(found.H);
      axes.forEach((axis, n) => {
        const reach = 0.45;
        const ends = [-reach, reach].map((size) =>
          place([w[0] + size * vectors[n][0], w[1] + size * vectors[n][1]]),
        );
        set(axis, {
          d: path(ends),
          style: `stroke: var(--${values[n] < 0 ? "negative" : "positive"})`,
        });
      });
      set(knob, {
        transform: `translate(${here.map((value) => value.toFixed(1)).join(" ")})`,
      });
      show(w, found, after);
      const limit = 2 / Math.max(w[0] ** 2 + w[1] ** 2, 1e-9);
      const share = clamp(
        Math.log(limit / ETAS[0]) / Math.log(ETAS[1] / ETAS[0]),
        0,
        1,
      );
      set(mark, { d: `M${16 + 288 * share} 286v16` });
      limitText.textContent = `limit on the valley, 2/(w₁² + w₂²) = ${number(Math.min(limit, 99), 3)}`;
      set(limitText, { x: clamp(16 + 288 * share, 126, 192) });
      refresh.forEach((each) => each());
      stage.say(tell().text);
      return { w: [...w], lambda, eta, ...found, values, steps: moves, after, limit };
    });
  }
  update();
}
