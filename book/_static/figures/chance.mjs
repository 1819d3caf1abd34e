// Random networks for the checks in the page, and derivatives that know nothing of ours:
// central differences, twice extrapolated, of the definitions alone.

import { flat, forward, network } from "./core.mjs";

export const normal = () =>
  Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
export const vector = (length) => Array.from({ length }, normal);
export const sum = (values) => values.reduce((total, value) => total + value, 0);
export const transpose = (A) => [...A[0]].map((_, i) => A.map((row) => row[i]));
export const outer = (u, v) => u.map((a) => v.map((b) => a * b));
export const plus = (A, B) => A.map((row, r) => row.map((value, c) => value + B[r][c]));
export const unit = (length, i) => Array.from({ length }, (_, n) => +(n === i));

/** A network with random weights, and one random pattern that suits its outputs. */
export function chance(
  sizes = [3, 4, 2, 5],
  hidden = ["tanh", "softplus"],
  output = "softmax",
) {
  const w = sizes
    .slice(1)
    .flatMap((outs, l) =>
      vector(outs * (1 + sizes[l])).map((value) => value / Math.sqrt(1 + sizes[l])),
    );
  const net = network({ sizes, hidden, output, w });
  const raw = Array.from({ length: sizes.at(-1) }, () => 0.1 + Math.random());
  const t =
    output === "linear"
      ? vector(raw.length)
      : raw.map((value) => value / (output === "softmax" ? sum(raw) : 1.2));
  const x = vector(sizes[0]);
  return { net, w: flat(net.W), x, t, trace: forward(net, x) };
}

/** What the sums of layer `l` become at the outputs. */
export function onward(net, l, a, last = net.W.length - 1) {
  let sums = a;
  for (let m = l; m < last; m++) {
    const z = [1, ...sums.map(net.hidden[m].h)];
    sums = net.W[m + 1].map((row) => sum(row.map((w, i) => w * z[i])));
  }
  return sums;
}

const H = 0.01;

/** ∂f_k/∂x_i of any function of a list, one row for each of its values. */
export function slopes(f, x) {
  const columns = x.map((value, i) => {
    const at = (move) => f(Object.assign([...x], { [i]: value + move }));
    return rate(at);
  });
  return transpose(columns);
}

/** The rate at 0 at which a list changes with a number. */
export function rate(f) {
  const central = (h) => {
    const [up, down] = [f(h), f(-h)];
    return up.map((value, k) => (value - down[k]) / (2 * h));
  };
  const [coarse, middle, fine] = [central(H), central(H / 2), central(H / 4)];
  return coarse.map((value, k) => {
    const [first, second] = [
      (4 * middle[k] - value) / 3,
      (4 * fine[k] - middle[k]) / 3,
    ];
    return (16 * second - first) / 15;
  });
}

/** Second derivatives of a number, by four of its values for each pair. */
export function bends(E, w) {
  const four = (p, q, h) => {
    const at = (a, b) => {
      const moved = [...w];
      moved[p] += a * h;
      moved[q] += b * h;
      return E(moved);
    };
    return (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * h * h);
  };
  return w.map((_, p) =>
    w.map((_, q) => {
      const [coarse, middle, fine] = [0.02, 0.01, 0.005].map((h) => four(p, q, h));
      return (16 * ((4 * fine - middle) / 3) - (4 * middle - coarse) / 3) / 15;
    }),
  );
}
