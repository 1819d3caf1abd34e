// Push along v: the difference of two gradients, [∇E(w + rv) − ∇E(w)]/r, slides onto Hv
// as r shrinks. The network is chapter 9's, y = w₂ w₁ x with w = (1, 2) and x = t = 1.

import {
  errorGradient,
  errorSignals,
  forward,
  network,
  withParameters,
} from "./core.mjs";
import {
  changesBackward,
  changesForward,
  hessianVectorProduct,
  layersOf,
} from "./curvature.mjs";
import {
  arrow,
  clamp,
  draw,
  handle,
  label,
  number,
  path,
  power,
  roundKnob,
  set,
  track,
} from "./kit.mjs";

const NET = network({
  sizes: [1, 1, 1],
  hidden: "identity",
  output: "linear",
  w: [0, 1, 0, 2],
});
const W = [0, 1, 0, 2];
const [X, T] = [[[1]], [[1]]];
const START = { turn: 0, r: 0.3 };
const RADII = [1, 1e-4];
const [CX, CY, UNIT, DIAL] = [160, 160, 24, 62];
const weights = (v) => [0, v[0], 0, v[1]]; // between the two biases, which rest
const two = (w) => [w[1], w[3]];

/** The difference quotient, the product, and the changes R{·}, along v. */
export function push(v, r) {
  const whole = weights(v);
  const [here, there] = [0, r].map((size) =>
    two(
      errorGradient(
        withParameters(
          NET,
          W.map((w, p) => w + size * whole[p]),
        ),
        X,
        T,
      ),
    ),
  );
  const trace = forward(NET, X[0]);
  const V = layersOf(NET, whole);
  const { Ra, Rz } = changesForward(NET, trace, V);
  const Rdelta = changesBackward(NET, trace, errorSignals(NET, trace, T[0]), V, Ra);
  return {
    quotient: there.map((value, n) => (value - here[n]) / r),
    Hv: two(hessianVectorProduct(NET, X, T, whole)),
    R: { z: Rz[1][1], y: Ra[1][0], delta: [Rdelta[0][0], Rdelta[1][0]] },
  };
}

const spot = ([a, b], unit = UNIT) => [CX + unit * a, CY - unit * b];
const direction = (turn) =>
  [Math.cos(turn), Math.sin(turn)].map((value) =>
    Math.abs(value) < 1e-15 ? 0 : value,
  );

function drawPlane(svg) {
  draw(svg, "path", { class: "rule", d: `M4 ${CY}H316M${CX} 4V316` });
  const ring = Array.from({ length: 91 }, (_, n) => direction((n * Math.PI) / 45));
  draw(svg, "path", {
    class: "line thin accent dots",
    d: path(ring.map((v) => spot(v, DIAL))),
  });
  draw(svg, "path", {
    class: "line thin M fill-M",
    d: path(ring.map((v) => spot(push(v, 1).Hv))),
  });
  label(svg, 310, CY - 7, "w₁", "small muted italic", "end");
  label(svg, CX + 7, 14, "w₂", "small muted italic");
  label(svg, 20, 308, "v is drawn 2.6 times as long", "tiny muted");
}

function drawNumbers(svg) {
  label(svg, 8, 18, "y = w₂ z,  z = w₁ x,  at w = (1, 2), x = t = 1", "small");
  const lines = [
    ["v", "accent"],
    ["R{z} = v₁ x", "J"],
    ["R{y} = w₂ R{z} + v₂ z", "J"],
    ["R{δ} = R{y}, at the output", "residual"],
    ["R{δ}, at the hidden unit", "residual"],
    ["Hv = R{∇E}", "M"],
    ["● [∇E(w + rv) − ∇E(w)]/r", ""],
    ["the two are apart by", "muted"],
  ];
  const values = lines.map(([text, kind], n) => {
    label(svg, 8, 48 + 23 * n, text, `small ${kind}`);
    return label(svg, 312, 48 + 23 * n, "", "small number", "end");
  });
  const verdict = label(svg, 8, 300, "", "small");
  return (v, { quotient, Hv, R }) => {
    const pair = (p) => `(${number(p[0], 3)}, ${number(p[1], 3)})`;
    const apart = Math.hypot(quotient[0] - Hv[0], quotient[1] - Hv[1]);
    [
      pair(v),
      number(R.z, 3),
      number(R.y, 3),
      number(R.delta[1], 3),
      number(R.delta[0], 3),
      pair(Hv),
      pair(quotient),
      power(apart),
    ].forEach((text, n) => (values[n].textContent = text));
    const along = v[0] * Hv[0] + v[1] * Hv[1];
    const across = v[0] * Hv[1] - v[1] * Hv[0];
    const aligned = Math.abs(across) < 0.05;
    verdict.textContent = aligned
      ? `aligned: an eigenvector, λ = ${number(along, 2)}`
      : `vᵀHv = ${number(along, 2)}`;
    set(verdict, {
      class: `small ${aligned ? "good" : along < 0 ? "warning" : "muted"}`,
    });
    return { apart, along, aligned };
  };
}

export function mount(stage) {
  let { turn, r } = START;
  const plane = stage.panel(320, 320, "a");
  const side = stage.panel(320, 320, "b");
  drawPlane(plane);
  const show = drawNumbers(side);
  const area = draw(plane, "rect", {
    x: 4,
    y: 4,
    width: 312,
    height: 312,
    class: "area",
  });
  const arrows = { v: arrow(plane, "accent"), Hv: arrow(plane, "M") };
  const link = draw(plane, "path", { class: "line thin dots" });
  const dot = draw(plane, "circle", {
    r: 5,
    fill: "var(--ink)",
    stroke: "var(--paper)",
  });
  const names = ["v", "Hv"].map((text, n) =>
    label(plane, 0, 0, text, `strong italic halo ${["accent", "M"][n]}`, "middle"),
  );
  const knob = roundKnob(plane);
  const degrees = () => Math.round((turn * 180) / Math.PI);
  const rotate = (next) => {
    turn = ((next % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI);
    update();
  };
  const span = Math.log(RADII[1] / RADII[0]);
  const refresh = [
    handle(plane, knob, {
      name: "Direction v",
      area,
      to: (x, y) => rotate(Math.atan2(CY - y, x - CX)),
      by: (dx, dy) => rotate(turn + ((dy - dx) * Math.PI) / 90),
      home: () => rotate(START.turn),
      tell: () => {
        const { Hv } = push(direction(turn), r);
        return {
          text: `v at ${degrees()} degrees, Hv = (${number(Hv[0])}, ${number(Hv[1])})`,
          now: degrees(),
          low: 0,
          high: 360,
        };
      },
    }),
    track(side, {
      x: 16,
      y: 264,
      width: 288,
      title: "how far we push, r",
      name: "How far we push, r",
      steps: 40,
      get: () => clamp(Math.log(r / RADII[0]) / span, 0, 1),
      to: (share) => {
        r = +Math.exp(share * span).toPrecision(3);
        update();
      },
      home: () => {
        r = START.r;
        update();
      },
      read: () => String(+r.toPrecision(2)),
    }),
  ];

  function update() {
    stage.update(() => {
      const v = direction(turn);
      const found = push(v, r);
      const tip = spot(v, DIAL);
      const end = spot(found.Hv);
      const from = spot(found.quotient);
      arrows.v(CX, CY, tip[0] - CX, tip[1] - CY);
      arrows.Hv(CX, CY, end[0] - CX, end[1] - CY);
      set(link, { d: path([from, end]) });
      set(dot, { cx: from[0], cy: from[1] });
      set(knob, {
        transform: `translate(${tip.map((value) => value.toFixed(1)).join(" ")})`,
      });
      set(names[0], { x: tip[0] + 16 * v[1], y: tip[1] + 5 + 18 * v[0] });
      const size = Math.hypot(...found.Hv);
      set(names[1], {
        x: end[0] + (18 * found.Hv[1]) / size,
        y: end[1] + 5 + (16 * found.Hv[0]) / size,
      });
      const told = show(v, found);
      refresh.forEach((each) => each());
      stage.say(
        `v at ${degrees()} degrees: Hv = (${number(found.Hv[0])}, ${number(found.Hv[1])})`,
      );
      return { v, r, ...found, ...told };
    });
  }
  update();
}
