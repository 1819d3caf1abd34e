// Backward wave: the sweep of chapter 3, one layer at a time. Each unit takes the number
// ∂y_k/∂a_j when the wave arrives, and what arrives at the inputs is row k of J.

import { forward, network, wave, withoutBias } from "./core.mjs";
import {
  clamp,
  draw,
  handle,
  label,
  maths,
  number,
  paint,
  READABLE,
  roundKnob,
  set,
  toggle,
} from "./kit.mjs";

const LIMIT = 3;
const TRAVEL = 26; // pixels that an input's knob moves to either side
const [IN, HIDDEN, OUT] = [74, 178, 282];
const Y_IN = [52, 124, 196];
const Y_HIDDEN = [34, 94, 154, 214];
const Y_OUT = [84, 164];

export function mount(stage, { landing }) {
  const net = network(landing);
  const start = landing.X[0].map((value) => +value.toFixed(1));
  let x = [...start];
  let k = 0;
  let arrived = 2; // how many layers the wave has passed: 2 is all of them
  const svg = stage.panel(320, 320, "a");
  const sums = stage.panel(320, 320, "b");

  const wires = [];
  Y_HIDDEN.forEach((y2) =>
    Y_IN.forEach((y1) =>
      wires.push([1, draw(svg, "line", { x1: IN, y1, x2: HIDDEN, y2, class: "wire" })]),
    ),
  );
  Y_OUT.forEach((y2) =>
    Y_HIDDEN.forEach((y1) =>
      wires.push([
        0,
        draw(svg, "line", { x1: HIDDEN, y1, x2: OUT, y2, class: "wire" }),
      ]),
    ),
  );
  const front = draw(svg, "line", { y1: 6, y2: 266, class: "line J dash" });
  const unit = (cx, cy) => {
    draw(svg, "circle", { cx, cy, r: 20, fill: "var(--paper)", class: "unit" });
    const disc = draw(svg, "circle", { cx, cy, r: 20 });
    return { disc, text: label(svg, cx, cy + 4.5, "", "tiny number strong", "middle") };
  };
  const units = [
    Y_IN.map((y) => unit(IN, y)),
    Y_HIDDEN.map((y) => unit(HIDDEN, y)),
    Y_OUT.map((y) => unit(OUT, y)),
  ];
  const slopes = Y_HIDDEN.map((y) =>
    label(svg, HIDDEN, y + 31, "", "tiny muted number halo", "middle"),
  );
  const outputs = Y_OUT.map((y) =>
    label(svg, OUT, y + 34, "", "tiny muted number halo", "middle"),
  );
  const refresh = [];

  const knobs = Y_IN.map((y, i) => {
    draw(svg, "line", {
      x1: IN - TRAVEL,
      x2: IN + TRAVEL,
      y1: y + 31,
      y2: y + 31,
      class: "track",
    });
    const knob = roundKnob(svg, 15, 6);
    const move = (value) => {
      x[i] = +clamp(value, -LIMIT, LIMIT).toFixed(2);
      update();
    };
    refresh.push(
      handle(svg, knob, {
        name: `Input x${i}`,
        to: (px) => move((LIMIT * (px - IN)) / TRAVEL),
        by: (dx, dy) => move(x[i] + 0.1 * (dx + dy)),
        home: () => move(start[i]),
        tell: () => ({
          text: `x${i} = ${number(x[i])}`,
          now: x[i],
          low: -LIMIT,
          high: LIMIT,
        }),
      }),
    );
    const text = label(svg, IN - 26, y + 1, "", "small number", "end");
    label(svg, IN - 26, y - 15, `x${"₀₁₂"[i]}`, "small muted", "end");
    return { knob, text };
  });

  // The wave itself, which one pulls from the outputs to the inputs.
  const STOPS = [OUT, HIDDEN, IN];
  draw(svg, "line", { x1: IN, x2: OUT, y1: 278, y2: 278, class: "track" });
  STOPS.forEach((cx) =>
    draw(svg, "circle", { cx, cy: 278, r: 3, fill: "var(--muted)" }),
  );
  ["at the inputs", "at the hidden", "at the outputs"].forEach((text, n) =>
    label(
      svg,
      [IN, HIDDEN, 318][n],
      304,
      text,
      "small muted",
      n < 2 ? "middle" : "end",
    ),
  );
  const boat = draw(svg, "g");
  draw(boat, "circle", { r: 17, class: "reach" });
  draw(boat, "path", { d: "M6 -8L-7 0L6 8Z", class: "grip" });
  const go = (next) => {
    arrived = clamp(next, 0, 2);
    update();
  };
  refresh.push(
    handle(svg, boat, {
      name: "The wave, from the outputs back to the inputs",
      to: (px) => go(Math.round((OUT - px) / (OUT - HIDDEN))),
      by: (dx, dy) => go(arrived - Math.sign(dx || dy)),
      home: () => go(0),
      tell: () => ({
        text: ["at the outputs", "at the hidden units", "at the inputs"][arrived],
        now: arrived,
        low: 0,
        high: 2,
      }),
    }),
  );

  const choose = [0, 1].map((which) =>
    toggle(sums, 16 + 92 * which, 6, 84, `from y${"₀₁"[which]}`, () => {
      k = which;
      update();
    }),
  );
  const table = drawProduct(sums, net);

  function showUnits(layers, hidden) {
    units.forEach((layer, l) =>
      layer.forEach(({ disc, text }, j) => {
        const here = l >= 2 - arrived;
        paint(disc, here ? layers[l][k][j] : 0, 1, READABLE);
        text.textContent = here ? number(layers[l][k][j]) : "";
      }),
    );
    hidden.forEach((slope, j) => (slopes[j].textContent = `slope ${number(slope)}`));
    wires.forEach(([passed, line]) =>
      line.classList.toggle("passed", arrived > passed),
    );
    set(front, { x1: STOPS[arrived], x2: STOPS[arrived] });
    set(boat, { transform: `translate(${STOPS[arrived]} 278)` });
    knobs.forEach(({ knob, text }, i) => {
      set(knob, {
        transform: `translate(${(IN + (TRAVEL * x[i]) / LIMIT).toFixed(1)} ${Y_IN[i] + 31})`,
      });
      text.textContent = number(x[i]);
    });
  }

  function update() {
    stage.update(() => {
      const trace = forward(net, x);
      const layers = wave(net, x);
      const hidden = trace.a[0].map(net.hidden[0].dh);
      showUnits(layers, hidden);
      trace.y.forEach(
        (value, n) => (outputs[n].textContent = `y${"₀₁"[n]} = ${number(value)}`),
      );
      choose.forEach((press, which) => press(which === k));
      table(k, hidden, layers, arrived);
      refresh.forEach((each) => each());
      const row = layers[0][k].map((value) => number(value)).join(", ");
      stage.say(
        arrived === 2
          ? `Row ${k} of J is ${row}`
          : `The wave is ${["at the outputs", "at the hidden units"][arrived]}`,
      );
      return { x: [...x], k, arrived, wave: layers, slopes: hidden };
    });
  }
  update();
}

/** Draw J_k = V₁ diag(1 − z²) V₀ as a column of steps; return what fills it. */
function drawProduct(svg, net) {
  const cells = (title, y, count, kind = "") => {
    maths(svg, 16, y + 18, title, `small ${kind}`);
    return Array.from({ length: count }, (_, c) => {
      const box = draw(svg, "rect", { x: 100 + 54 * c, y, width: 52, height: 26 });
      return {
        box,
        text: label(svg, 126 + 54 * c, y + 18, "", "small number", "middle"),
      };
    });
  };
  label(svg, 16, 60, "J = V₁ diag(1 − z²) V₀", "strong");
  const above = cells("V_1, row k", 72, 4);
  const slope = cells("1 − z²", 106, 4);
  const carried = cells("∂y_k/∂a_j", 140, 4, "J");
  const V = withoutBias(net.W[0]);
  const below = V.map((row, j) => {
    const found = cells(j ? "" : "V_0", 180 + 24 * j, 3);
    found.forEach(({ box, text }, i) => {
      set(box, { height: 22 });
      set(text, { y: 196 + 24 * j });
      paint(box, row[i], 2, READABLE);
      text.textContent = number(row[i]);
    });
    return found;
  });
  const J = cells("J_k", 284, 3, "J");
  const fill = (row, values, shown = true) =>
    row.forEach(({ box, text }, c) => {
      paint(box, shown ? values[c] : 0, 1, READABLE);
      set(box, { class: "rule", style: box.getAttribute("style") });
      text.textContent = shown ? number(values[c]) : "·";
    });
  return (k, hidden, layers, arrived) => {
    fill(above, net.W[1][k].slice(1));
    slope.forEach(({ box, text }, j) => {
      set(box, {
        class: "bar",
        style: `fill-opacity: ${(0.45 * hidden[j]).toFixed(3)}`,
      });
      text.textContent = number(hidden[j]);
    });
    fill(carried, layers[1][k], arrived > 0);
    fill(J, layers[0][k], arrived > 1);
    return below;
  };
}
