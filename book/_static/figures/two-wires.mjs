// Two wires, one cell: an entry of the Hessian belongs to two weights, and is the sum
// over the patterns of z_p (z_i B_jq + δ_j G_iq).

import { network } from "./core.mjs";
import { exactHessian, factors } from "./curvature.mjs";
import { clamp, draw, handle, label, number, placeOf, roundKnob, set } from "./kit.mjs";
import {
  CELL,
  drawHessian,
  drawNetwork,
  drawTable,
  ends,
  LEFT,
  places,
  spot,
  TOP,
  wireName,
} from "./wires.mjs";

const START = [24, 10]; // to output 1 from hidden unit 2, and to that from input 1

/** The terms of one cell, pattern by pattern; the upper of the two weights is w_ji. */
export function cell(net, X, T, row, column) {
  const every = places(net);
  const swap = every[row].l < every[column].l;
  const [upper, lower] = swap ? [column, row] : [row, column];
  const [{ l, j, i }, { l: m, j: q, i: p }] = [every[upper], every[lower]];
  const terms = X.map((x, n) => {
    const { z, delta, pairs } = factors(net, x, T[n]);
    const { B, G } = pairs.find((pair) => pair.l === l && pair.m === m);
    const fed = G && i > 0 ? G[i - 1][q] : 0;
    const [zp, zi, b, d] = [z[m][p], z[l][i], B[j][q], delta[l][j]];
    return { zp, zi, B: b, delta: d, G: fed, product: zp * (zi * b + d * fed) };
  });
  return { upper, lower, i, j, p, q, l, m, terms };
}

export function mount(stage, { landing }) {
  const net = network(landing);
  const { X, T } = landing;
  const H = exactHessian(net, X, T);
  const P = H.length;
  const every = places(net);
  const chosen = [...START];
  let older = 0;

  const wiring = stage.panel(320, 240, "a");
  const hessian = stage.panel(320, 352, "b");
  const table = stage.panel(320, 236, "c");
  drawNetwork(wiring, net, (index) => {
    chosen[older] = index;
    older = 1 - older;
    update();
  });
  const lit = ["row", "column"].map((kind) =>
    draw(wiring, "line", { class: `wire lit ${kind}` }),
  );
  const letters = draw(wiring, "g", { class: "letters", "aria-hidden": "true" });
  const { rows, note, sum } = drawTable(table, X.length);

  drawHessian(hessian, net, H);
  const cross = draw(hessian, "path", { class: "cross" });
  const area = draw(hessian, "rect", {
    x: LEFT,
    y: TOP,
    width: P * CELL,
    height: P * CELL,
    class: "area",
  });
  const knob = draw(hessian, "g");
  draw(knob, "rect", {
    x: -2,
    y: -2,
    width: CELL + 3.2,
    height: CELL + 3.2,
    class: "cell-frame",
  });
  const reading = label(hessian, LEFT, TOP + P * CELL + 22, "", "number");
  const choose = (row, column) => {
    chosen[0] = clamp(row, 0, P - 1);
    chosen[1] = clamp(column, 0, P - 1);
    update();
  };
  const at = (x, y) =>
    choose(Math.floor((y - TOP) / CELL), Math.floor((x - LEFT) / CELL));
  const tell = () => ({
    text: `${wireName(every[chosen[0]])}, with ${wireName(every[chosen[1]])}: ${number(H[chosen[0]][chosen[1]], 3)}`,
    now: chosen[0] * P + chosen[1],
    low: 0,
    high: P * P - 1,
  });
  area.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && !event.buttons) at(...placeOf(hessian, event));
  });
  const refresh = [
    handle(hessian, knob, {
      name: "Cell of the Hessian",
      area,
      to: at,
      by: (dx, dy) => choose(chosen[0] - dy, chosen[1] + dx),
      home: () => choose(...START),
      tell,
    }),
  ];

  const knobs = ["Wire of the row", "Wire of the column"].map((name, which) => {
    const grip = roundKnob(wiring, 14, 5.5);
    const turn = (index) => {
      chosen[which] = clamp(index, 0, P - 1);
      update();
    };
    const share = which ? 0.68 : 0.32;
    const nearest = (x, y) => {
      const far = every.map((place) => {
        const [[x1, y1], [x2, y2]] = ends(place);
        return Math.hypot(x1 + share * (x2 - x1) - x, y1 + share * (y2 - y1) - y);
      });
      return far.indexOf(Math.min(...far));
    };
    refresh.push(
      handle(wiring, grip, {
        name,
        to: (x, y) => turn(nearest(x, y)),
        by: (dx, dy) => turn(chosen[which] + dx - dy),
        home: () => turn(START[which]),
        tell: () => ({
          text: wireName(every[chosen[which]]),
          now: chosen[which],
          low: 0,
          high: P - 1,
        }),
      }),
    );
    return { grip, share };
  });

  function showNetwork({ i, j, p, q, l, m }) {
    letters.replaceChildren();
    const marks = new Map();
    for (const [letter, layer, unit] of [
      ["p", m, p],
      ["q", m + 1, m ? q : q + 1],
      ["i", l, i],
      ["j", l + 1, l ? j : j + 1],
    ]) {
      const key = `${layer} ${unit}`;
      marks.set(key, [...(marks.get(key) ?? []), letter]);
    }
    for (const [key, found] of marks) {
      const [layer, unit] = key.split(" ").map(Number);
      const [x, y] = spot(layer, unit);
      const side = [-16, 0, 16][layer];
      label(
        letters,
        x + side,
        y + (side ? 4.5 : -14),
        found.join(" = "),
        "strong italic",
        ["end", "middle", "start"][layer],
      );
    }
    chosen.forEach((index, which) => {
      const [[x1, y1], [x2, y2]] = ends(every[index]);
      set(lit[which], { x1, y1, x2, y2 });
      const { grip, share } = knobs[which];
      set(grip, {
        transform: `translate(${(x1 + share * (x2 - x1)).toFixed(1)} ${(y1 + share * (y2 - y1)).toFixed(1)})`,
      });
    });
  }

  function update() {
    stage.update(() => {
      const [row, column] = chosen;
      const found = cell(net, X, T, row, column);
      const value = H[row][column];
      showNetwork(found);
      const [x, y] = [LEFT + column * CELL, TOP + row * CELL];
      set(knob, { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
      const middle = CELL / 2 - 0.4;
      set(cross, {
        d: `M${LEFT} ${(y + middle).toFixed(1)}H${LEFT + P * CELL}M${(x + middle).toFixed(1)} ${TOP}V${TOP + P * CELL}`,
      });
      reading.textContent = `H[${row}, ${column}] = ${number(value, 3)}`;
      found.terms.forEach((term, n) => {
        const numbers = [term.zp, term.zi, term.B, term.delta, term.G, term.product];
        numbers.forEach((entry, c) => (rows[n][c + 1].textContent = number(entry)));
      });
      note.textContent = found.l === found.m ? "one layer: no way from q to i" : "";
      sum.textContent = `H = ${number(value, 3)}`;
      refresh.forEach((each) => each());
      stage.say(tell().text);
      return { row, column, value, terms: found.terms };
    });
  }
  update();
}
