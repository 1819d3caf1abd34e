// The V: how wrong three differences are, for f(x) = x³ at 2 and every step ε from 1 to
// 1e-16, in the browser's own double precision. The slope is 12; what the formulas leave
// out is 3xε + ε², ε² and −ε², and rounding adds about ε_m |f| / ε.

import {
  clamp,
  draw,
  handle,
  label,
  path,
  power,
  roundKnob,
  set,
  tens,
} from "./kit.mjs";

const X = 2;
const TRUTH = 12;
const START = 0; // ε = 1
const LAST = 16;
const cube = (x) => x * x * x;

/** The three estimates of the slope at a step, as the chapter writes them. */
export const WAYS = [
  ["forward", "J", (e) => (cube(X + e) - cube(X)) / e],
  ["central", "M", (e) => (cube(X + e) - cube(X - e)) / (2 * e)],
  // Im (x + iε)³ = 3x²ε − ε³, as complex multiplication does it
  [
    "complex",
    "residual",
    (e) => {
      const [re, im] = [X * X - e * e, 2 * X * e];
      return (re * e + im * X) / e;
    },
  ],
];
const LAWS = [(e) => 3 * X * e + e * e, (e) => e * e, (e) => e * e];
const rounding = (e) => (Number.EPSILON * cube(X)) / e;
const wrong = (estimate) => Math.abs(estimate - TRUTH);
/** How many of the leading digits of an estimate are right. */
export const rightDigits = (estimate) =>
  wrong(estimate) === 0
    ? 17
    : clamp(Math.floor(-Math.log10(wrong(estimate) / TRUTH)), 0, 17);

// The plot: ε falls to the right, the error upwards.
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 312, 16, 262];
const at = (s) => LEFT + ((RIGHT - LEFT) * s) / LAST;
const LOW = -17;
const HIGH = 2;
const up = (error) =>
  BOTTOM -
  ((BOTTOM - TOP) * (clamp(Math.log10(Math.max(error, 1e-30)), LOW, HIGH) - LOW)) /
    (HIGH - LOW);
const range = (step) =>
  Array.from({ length: Math.round(LAST / step) + 1 }, (_, n) => n * step);

function drawAxes(svg) {
  draw(svg, "path", { class: "axis", d: `M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}` });
  for (const s of [0, 4, 8, 12, 16]) {
    draw(svg, "line", {
      class: "axis",
      x1: at(s),
      x2: at(s),
      y1: BOTTOM,
      y2: BOTTOM + 4,
    });
    label(svg, at(s), BOTTOM + 18, s ? tens(-s) : "1", "tiny muted", "middle");
  }
  for (const e of [0, -4, -8, -12, -16]) {
    draw(svg, "line", {
      class: "axis",
      x1: LEFT - 4,
      x2: LEFT,
      y1: up(10 ** e),
      y2: up(10 ** e),
    });
    label(svg, LEFT - 7, up(10 ** e) + 4, e ? tens(e) : "1", "tiny muted", "end");
  }
  label(svg, LEFT - 7, BOTTOM + 4, "0", "tiny muted", "end");
  label(
    svg,
    (LEFT + RIGHT) / 2,
    BOTTOM + 34,
    "step ε, ever smaller",
    "small muted",
    "middle",
  );
  label(svg, LEFT + 8, TOP - 3, "error of the slope", "small muted");
}

function drawLaws(svg) {
  WAYS.forEach(([, kind, way], w) => {
    const law = range(0.5).map((s) => [at(s), up(LAWS[w](10 ** -s))]);
    draw(svg, "path", {
      class: `line thin dots ${kind}`,
      d: path(law.filter(([, y]) => y < BOTTOM)),
    });
    for (const s of range(0.25)) {
      const error = wrong(way(10 ** -s));
      const y = error < 10 ** LOW ? BOTTOM : up(error);
      draw(svg, "circle", {
        cx: at(s),
        cy: y,
        r: 1.9,
        fill: `var(--${kind})`,
        "fill-opacity": 0.6,
      });
    }
  });
  const rounded = range(0.5).map((s) => [at(s), up(rounding(10 ** -s))]);
  draw(svg, "path", {
    class: "line thin dots muted",
    d: path(rounded.filter(([, y]) => y < BOTTOM)),
  });
  label(
    svg,
    at(11.3),
    up(rounding(10 ** -11.3)) - 9,
    "rounding",
    "tiny muted halo",
    "end",
  );
}

// The curve near x = 2, and its secants; the slope of 12 needs a low unit upwards.
const cx = (x) => 24 + (x - 0.8) * 118;
const cy = (y) => 158 - y * 4.9;

function drawCurve(svg) {
  const curve = Array.from({ length: 41 }, (_, n) => 0.8 + (2.4 * n) / 40).map((x) => [
    cx(x),
    cy(cube(x)),
  ]);
  draw(svg, "path", { class: "line", d: path(curve) });
  label(svg, 20, 18, "f(x) = x³", "strong");
  label(svg, 20, 37, "slope 12 at x = 2", "small muted");
  label(svg, 16, 300, "wrong digits are red", "tiny muted");
  const lines = ["J", "M"].map((kind) => draw(svg, "path", { class: `line ${kind}` }));
  draw(svg, "circle", { cx: cx(X), cy: cy(8), r: 3.5, fill: "var(--ink)" });
  const ends = ["J", "M", "M"].map((kind) =>
    draw(svg, "circle", { r: 3.5, fill: `var(--${kind})` }),
  );
  return (e) => {
    const through = (a, b) => {
      const slope = b - a > 1e-6 ? (cube(b) - cube(a)) / (b - a) : TRUTH;
      const line = (x) => cube(a) + slope * (x - a);
      return path([1.3, 3.0].map((x) => [cx(x), cy(line(x))]));
    };
    set(lines[0], { d: through(X, X + e) });
    set(lines[1], { d: through(X - e, X + e) });
    [X + e, X - e, X + e].forEach((x, n) =>
      set(ends[n], { cx: cx(x), cy: cy(cube(x)) }),
    );
  };
}

function drawDigits(svg) {
  const step = label(svg, 20, 192, "", "strong number");
  const rows = WAYS.map(([name, kind], w) => {
    const y = 220 + 27 * w;
    label(svg, 16, y, name, `small ${kind}`);
    const digits = label(svg, 82, y, "", "small number");
    return {
      right: draw(digits, "tspan"),
      wrong: draw(digits, "tspan", { class: "wrong" }),
      note: label(svg, 316, y, "", "tiny muted number", "end"),
    };
  });
  return (e) => {
    step.textContent = `ε = ${power(e)}`;
    WAYS.forEach(([, , way], w) => {
      const estimate = way(e);
      const text = estimate.toFixed(Math.abs(estimate) < 10 ? 16 : 15);
      const many = rightDigits(estimate);
      const cut = many && many + 1; // the decimal point is no digit
      rows[w].right.textContent = text.slice(0, cut);
      rows[w].wrong.textContent = text.slice(cut);
      rows[w].note.textContent = `${Math.min(many, 16)} right`;
    });
  };
}

export function mount(stage) {
  let s = START;
  const plot = stage.panel(320, 306, "a");
  const side = stage.panel(320, 306, "b");
  drawAxes(plot);
  drawLaws(plot);
  const secants = drawCurve(side);
  const digits = drawDigits(side);
  const area = draw(plot, "rect", {
    x: LEFT,
    y: TOP,
    width: RIGHT - LEFT,
    height: BOTTOM - TOP + 20,
    class: "area",
  });
  const line = draw(plot, "line", { y1: TOP, y2: BOTTOM, class: "line thin accent" });
  const dots = WAYS.map(([, kind]) =>
    draw(plot, "circle", { r: 5, fill: `var(--${kind})`, stroke: "var(--paper)" }),
  );
  const knob = roundKnob(plot);
  const move = (next) => {
    s = clamp(Math.round(20 * next) / 20, 0, LAST);
    update();
  };
  const read = () => {
    const found = WAYS.map(
      ([name, , way]) => `${name} ${rightDigits(way(10 ** -s))} right digits`,
    );
    return `step ${power(10 ** -s)}: ${found.join(", ")}`;
  };
  const refresh = handle(plot, knob, {
    name: "Step of the differences",
    area,
    to: (px) => move((LAST * (px - LEFT)) / (RIGHT - LEFT)),
    by: (dx, dy) => move(s + 0.25 * (dx - dy)),
    home: () => move(START),
    tell: () => ({ text: read(), now: s, low: 0, high: LAST }),
  });

  function update() {
    stage.update(() => {
      const e = 10 ** -s;
      const estimates = WAYS.map(([, , way]) => way(e));
      set(line, { x1: at(s), x2: at(s) });
      set(knob, { transform: `translate(${at(s).toFixed(1)} ${BOTTOM})` });
      dots.forEach((dot, w) => set(dot, { cx: at(s), cy: up(wrong(estimates[w])) }));
      secants(e);
      digits(e);
      refresh();
      stage.say(read());
      return {
        s,
        step: e,
        estimates,
        right: estimates.map(rightDigits),
        errors: estimates.map(wrong),
      };
    });
  }
  update();
}
