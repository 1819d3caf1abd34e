// What the checks from chapter 7 on share: a random network with δ, B, G, h′ and h″,
// and blocks of second derivatives by differences of the gradient.

import { errorGradient, errorSignals, flat, starts, withParameters } from "./core.mjs";
import { factors } from "./curvature.mjs";
import { chance, onward, slopes, sum } from "./chance.mjs";

export const scaled = (A, by) => A.map((row) => row.map((value) => by * value));
export const eye = (n) =>
  Array.from({ length: n }, (_, r) => Array.from({ length: n }, (_, c) => +(r === c)));
export const rows = (H) => H.map((row) => [...row]);
export const part = (H, [a, b], [c, d]) =>
  H.slice(a, b).map((row) => [...row].slice(c, d));
const ranges = (net) =>
  [...starts(net), flat(net.W).length]
    .map((start, l, every) => [start, every[l + 1]])
    .slice(0, -1);

/** A chance with its δ, the factors of each pair of layers, and its pieces by layer. */
export function curved(...given) {
  const found = chance(...given);
  const { net, x, t, trace } = found;
  const delta = errorSignals(net, trace, t);
  const { pairs } = factors(net, x, t);
  const pair = (l, m) => pairs.find((each) => each.l === l && each.m === m);
  const [dh, d2h] = ["dh", "d2h"].map((name) =>
    net.hidden.map((unit, l) => trace.a[l].map(unit[name])),
  );
  const blame = (l) =>
    net.W[l][0]
      .slice(1)
      .map((_, j) => sum(net.W[l].map((w, k) => w[1 + j] * delta[l][k])));
  const V = net.W.map((W) => W.map((row) => row.slice(1)));
  return { ...found, delta, pair, dh, d2h, blame, V, M: net.output.M(trace.a.at(-1)) };
}

export const gradientOf =
  ({ net, x, t }) =>
  (w) =>
    errorGradient(withParameters(net, w), [x], [t]);
/** The block of second derivatives of layers l and m, by differences of the gradient. */
export function blockOf(found, l, m) {
  const [rowsOf, columnsOf] = [ranges(found.net)[l], ranges(found.net)[m]];
  return part(slopes(gradientOf(found), found.w), rowsOf, columnsOf);
}
/** A block in the order of w, from what each pair of weights w_ji and w_qp has. */
export const fill = (J, I, Q, P, entry) =>
  Array.from({ length: J * I }, (_, r) =>
    Array.from({ length: Q * P }, (_, s) =>
      entry(Math.floor(r / I), r % I, Math.floor(s / P), s % P),
    ),
  );
export const withSum = (found, l, a) => {
  const top = onward(found.net, l, a);
  const residual = found.net.output.y(top).map((value, k) => value - found.t[k]);
  return { top, residual };
};
/** δ of the middle layer of three, as a function of its own sums. */
export const middleDelta = (found) => (a) => {
  const { residual } = withSum(found, 1, a);
  return a.map(
    (value, j) =>
      found.net.hidden[1].dh(value) *
      sum(found.V[2].map((row, k) => row[j] * residual[k])),
  );
};
export const SMALL = [[2, 3, 2], ["tanh"], "softmax"];
