// Two rates: gradient steps on ½ wᵀHw, in the weights and along the eigenvectors of H,
// where a step multiplies the distance to the minimum by 1 − ηλ.

import {
  clamp,
  draw,
  handle,
  label,
  number,
  path,
  roundKnob,
  set,
  tens,
  track,
  within,
} from "./kit.mjs";
import { eigen } from "./two-weights.mjs";

const H = [
  [5, 2],
  [2, 2],
];
const { values, vectors } = eigen(H); // the flat direction, then the steep one
const START = { w: [1, -0.6], eta: 0.3 };
const STEPS = 12;
const LARGEST = 0.4;
const [REACH, SIZE] = [1.6, 312];
const BOX = { x: 4, y: 4, width: SIZE, height: SIZE };
const px = (w1) => 4 + ((w1 + REACH) * SIZE) / (2 * REACH);
const py = (w2) => 4 + ((REACH - w2) * SIZE) / (2 * REACH);
const place = ([w1, w2]) => [px(w1), py(w2)];
const DIRECTIONS = [
  ["flat", "J dash"],
  ["steep", "accent"],
];

const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
const stepped = (w, eta) => w.map((value, n) => value - eta * dot(H[n], w));

/** The walk from w, and its distance from the minimum along each eigenvector. */
export function walk(w, eta) {
  const way = [w];
  for (let n = 0; n < STEPS; n++) way.push(stepped(way[n], eta));
  const along = vectors.map((u) => way.map((point) => Math.abs(dot(u, point))));
  return { way, along, factors: values.map((value) => 1 - eta * value) };
}

function drawBowl(svg) {
  const land = within(svg, BOX);
  for (const E of [0.05, 0.3, 1, 2.4, 4.5]) {
    const points = Array.from({ length: 61 }, (_, n) => {
      const turn = (n * Math.PI) / 30;
      const sizes = [Math.cos(turn), Math.sin(turn)].map(
        (size, k) => size * Math.sqrt((2 * E) / values[k]),
      );
      return place([0, 1].map((i) => sizes[0] * vectors[0][i] + sizes[1] * vectors[1][i]));
    });
    draw(land, "path", { class: "rule", d: path(points) });
  }
  vectors.forEach((u, n) =>
    draw(land, "path", {
      class: `line thin ${DIRECTIONS[n][1]}`,
      d: path([-3, 3].map((size) => place([size * u[0], size * u[1]]))),
    }),
  );
  draw(svg, "rect", { ...BOX, class: "axis" });
  label(svg, 314, 331, "w₁", "small muted italic", "end");
  label(svg, 9, 18, "w₂", "small muted italic");
  label(svg, px(1.5), py(0.4), "steep, λ = 6", "tiny accent halo", "end");
  label(svg, px(-0.68), py(1.42), "flat, λ = 1", "tiny J halo");
  return land;
}

const [LEFT, RIGHT, TOP, FLOOR] = [40, 312, 30, 178];
const [MOST, LEAST] = [1, -3]; // powers of ten of the distance
const sx = (n) => LEFT + (n * (RIGHT - LEFT)) / STEPS;
const sy = (size) => {
  const power = Math.log10(Math.max(size, 1e-12));
  return TOP + ((MOST - power) * (FLOOR - TOP)) / (MOST - LEAST);
};

function drawDistances(svg) {
  label(svg, 8, 16, "distance from the minimum, along each", "small");
  for (let power = LEAST; power <= MOST; power++) {
    const y = sy(10 ** power);
    draw(svg, "path", { class: "rule", d: `M${LEFT} ${y}H${RIGHT}` });
    label(svg, LEFT - 5, y + 4, tens(power), "tiny muted", "end");
  }
  label(svg, RIGHT, FLOOR + 15, `${STEPS} steps`, "tiny muted", "end");
  const plot = within(svg, {
    x: LEFT,
    y: TOP,
    width: RIGHT - LEFT,
    height: FLOOR - TOP,
  });
  const lines = DIRECTIONS.map(([, kind]) =>
    draw(plot, "path", { class: `line ${kind}` }),
  );
  const rows = [1, 0].map((n) => {
    const [name, kind] = DIRECTIONS[n];
    const y = 216 - 21 * n + 16;
    const colour = kind.split(" ")[0];
    label(svg, 8, y, `${name}: 1 − ${values[n] > 1 ? "6" : ""}η =`, `small ${colour}`);
    return [n, label(svg, 312, y, "", "small number", "end")];
  });
  return ({ along, factors }) => {
    along.forEach((sizes, n) =>
      set(lines[n], { d: path(sizes.map((size, k) => [sx(k), sy(size)])) }),
    );
    for (const [n, row] of rows) {
      const size = Math.abs(factors[n]);
      const word = size > 1 ? "▲ grows" : size < 1 ? "▼ shrinks" : "stays";
      row.textContent = `${number(factors[n])}, ${word}`;
      set(row, { class: `small number ${size < 1 ? "good" : "warning"}` });
    }
  };
}

export function mount(stage) {
  let { w, eta } = START;
  const map = stage.panel(320, 338, "a");
  const side = stage.panel(320, 338, "b");
  const land = drawBowl(map);
  const area = draw(map, "rect", { ...BOX, class: "area" });
  const trail = draw(land, "path", { class: "line thin" });
  const stops = Array.from({ length: STEPS }, () =>
    draw(land, "circle", { r: 3, fill: "var(--ink)" }),
  );
  const knob = roundKnob(map, 18, 6);
  const start = label(map, 9, 331, "", "tiny muted");
  const show = drawDistances(side);
  const inside = (value) => +clamp(value, -REACH, REACH).toFixed(2);
  const move = (next) => {
    w = next.map(inside);
    update();
  };
  const refresh = [
    handle(map, knob, {
      name: "Start of the walk",
      area,
      to: (x, y) =>
        move([
          ((x - 4) * 2 * REACH) / SIZE - REACH,
          REACH - ((y - 4) * 2 * REACH) / SIZE,
        ]),
      by: (dx, dy) => move([w[0] + 0.05 * dx, w[1] + 0.05 * dy]),
      home: () => move(START.w),
      tell: () => ({
        text: `w1 = ${number(w[0])}, w2 = ${number(w[1])}`,
        now: w[0],
        low: -REACH,
        high: REACH,
      }),
    }),
    track(side, {
      x: 16,
      y: 288,
      width: 288,
      title: "learning rate η",
      name: "Learning rate eta",
      steps: 40,
      get: () => eta / LARGEST,
      to: (share) => {
        eta = +(share * LARGEST).toFixed(3);
        update();
      },
      home: () => {
        eta = START.eta;
        update();
      },
      read: () => number(eta, 3),
    }),
  ];
  [
    [2 / (values[0] + values[1]), "good", "fastest 2/7", "end", 4],
    [2 / values[1], "warning", "limit 2/6", "start", -4],
  ].forEach(([rate, kind, text, anchor, aside]) => {
    const x = 16 + (288 * rate) / LARGEST;
    const line = kind === "good" ? "good-line" : kind;
    draw(side, "path", { class: `line ${line}`, d: `M${x.toFixed(1)} 280v16` });
    label(side, x + aside, 322, text, `tiny ${kind}`, anchor);
  });

  function update() {
    stage.update(() => {
      const found = walk(w, eta);
      const points = found.way.map(place);
      const near = points.map((point) => point.map((value) => clamp(value, -9e3, 9e3)));
      set(trail, { d: path(near) });
      stops.forEach((stop, n) => set(stop, { cx: near[n + 1][0], cy: near[n + 1][1] }));
      set(knob, {
        transform: `translate(${points[0].map((value) => value.toFixed(1)).join(" ")})`,
      });
      start.textContent = `start (${number(w[0])}, ${number(w[1])})`;
      show(found);
      refresh.forEach((each) => each());
      const [flat, steep] = found.factors.map((factor) => number(factor));
      stage.say(`each step, the steep one times ${steep}, the flat one times ${flat}`);
      return { w: [...w], eta, values, ...found };
    });
  }
  update();
}
