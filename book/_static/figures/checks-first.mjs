// Checks in the page, chapters 1 to 6. Each entry says what its planted mistake is, and
// returns the claim as the chapter has it, the truth by another way, and the mistake.

import { OUTPUT_UNITS, dot, error, errorSignals, flat, forward, inputJacobian, matmul, parameterJacobian, starts, wave, withParameters } from "./core.mjs";
import { chance, onward, outer, plus, rate, slopes, sum, transpose, unit, vector } from "./chance.mjs";

const dh = (net, l, a) => a.map(net.hidden[l].dh);
const times = (u, v) => u.map((value, n) => value * v[n]);
const back = (net, l, row) => net.W[l][0].slice(1).map((_, j) => sum(net.W[l].map((w, k) => w[1 + j] * row[k])));
const diagonalOf = (M) => M.map((row, k) => row.map((value, l) => (k === l ? value : 0)));

const network = {
  "eq-network-sum": ["the bias forgotten", () => {
    const { net, trace: { z } } = chance();
    const loops = net.W[0].map((row) => row[0] + sum(row.slice(1).map((w, i) => w * z[0][1 + i])));
    return [net.W[0].map((row) => dot(row, z[0])), loops, net.W[0].map((row) => dot(row.slice(1), z[0].slice(1)))];
  }],
  "eq-network-unit": ["the unit left out", () => {
    const { trace: { a, z } } = chance();
    const byExp = a[0].map((s) => (Math.exp(s) - Math.exp(-s)) / (Math.exp(s) + Math.exp(-s)));
    return [z[1].slice(1), byExp, a[0]];
  }],
  "eq-network-index": ["rows of M in place of 1 + M", () => {
    const { net, w } = chance();
    const start = starts(net);
    const every = net.W.flatMap((W, l) => W.flatMap((row, j) => row.map((_, i) => ({ l, j, i, M: row.length - 1 }))));
    return [
      every.map(({ l, j, i, M }) => start[l] + j * (1 + M) + i),
      every.map(({ l, j, i }) => w.indexOf(net.W[l][j][i])),
      every.map(({ l, j, i, M }) => start[l] + j * M + i),
    ];
  }],
};

const backpropagation = {
  "eq-backpropagation-start": ["a slope at the outputs", () => {
    const { net, t, trace: { a, y } } = chance();
    const delta = y.map((value, k) => value - t[k]);
    const truth = slopes((s) => [net.output.error(s, t)], a[2])[0];
    return [delta, truth, delta.map((d, k) => d * y[k] * (1 - y[k]))];
  }],
  "eq-backpropagation-step": ["h′ forgotten", () => {
    const { net, t, trace } = chance();
    const [, , top] = errorSignals(net, trace, t);
    const blame = back(net, 2, top);
    const truth = slopes((s) => [net.output.error(onward(net, 1, s), t)], trace.a[1])[0];
    return [times(dh(net, 1, trace.a[1]), blame), truth, blame];
  }],
  "eq-backpropagation-gradient": ["the constant unit sends 0", () => {
    const { net, w, x, t, trace } = chance();
    const delta = errorSignals(net, trace, t);
    const [right, wrong] = [1, 0].map((constant) => delta.flatMap((d, l) => flat([outer(d, [constant, ...trace.z[l].slice(1)])])));
    return [right, slopes((v) => [error(withParameters(net, v), [x], [t])], w)[0], wrong];
  }],
};

const jacobian = {
  "eq-jacobian-start": ["the diagonal alone", () => {
    const { net, trace: { a } } = chance();
    const M = net.output.M(a[2]);
    return [M, slopes(net.output.y, a[2]), diagonalOf(M)];
  }],
  "eq-jacobian-step": ["h′ forgotten", () => {
    const { net, trace: { a } } = chance();
    const carried = net.output.M(a[2]).map((row) => back(net, 2, row));
    const truth = slopes((s) => net.output.y(onward(net, 1, s)), a[1]);
    return [carried.map((row) => times(dh(net, 1, a[1]), row)), truth, carried];
  }],
  "eq-jacobian-end": ["the bias column taken for an input", () => {
    const { net, x } = chance();
    const [, first] = wave(net, x);
    const shifted = matmul(first, net.W[0].map((row) => row.slice(0, -1)));
    return [inputJacobian(net, x), slopes((v) => forward(net, v).y, x), shifted];
  }],
  "eq-jacobian-parameters": ["w in place of z", () => {
    const { net, w, x } = chance();
    const [, ...layers] = wave(net, x);
    const wrong = layers[0].map((_, k) => layers.flatMap((layer, l) => layer[k].flatMap((value, j) => net.W[l][j].map((own) => value * own))));
    return [parameterJacobian(net, x), slopes((v) => forward(withParameters(net, v), x).y, w), wrong];
  }],
};

const K = 4;
const ofUnit = (name, mistake) => () => {
  const a = vector(K);
  const { y, M } = OUTPUT_UNITS[name];
  return [M(a), slopes(y, a), mistake(y(a), M(a))];
};
const outputUnits = {
  "eq-output-units-linear": ["every sum moves every output", ofUnit("linear", (y) => y.map(() => y.map(() => 1)))],
  "eq-output-units-sigmoid": ["y in place of y(1 − y)", ofUnit("sigmoid", (y) => diagonalOf(outer(y, y.map(() => 1))))],
  "eq-output-units-softmax": ["the diagonal alone", ofUnit("softmax", (_, M) => diagonalOf(M))],
  "eq-output-units-covariance": ["the means not taken off", () => {
    const a = vector(K);
    const y = OUTPUT_UNITS.softmax.y(a);
    const off = y.map((_, k) => unit(K, k).map((value, l) => value - y[l]));
    const drawn = off.map((e, k) => outer(e, e).map((row) => row.map((value) => y[k] * value)));
    return [OUTPUT_UNITS.softmax.M(a), drawn.reduce(plus), diagonalOf(outer(y, y.map(() => 1)))];
  }],
  "eq-output-units-canonical": ["squares on a sigmoid", () => {
    const a = vector(K);
    const t = a.map(() => Math.random());
    const { y, error: E } = OUTPUT_UNITS.sigmoid;
    const residual = y(a).map((value, k) => value - t[k]);
    return [residual, slopes((s) => [E(s, t)], a)[0], times(residual, y(a).map((value) => value * (1 - value)))];
  }],
};

const sensitivity = {
  "eq-sensitivity-error": ["J at another input", () => {
    const { net, x } = chance();
    const dx = vector(x.length);
    const along = (J) => J.map((row) => dot(row, dx));
    const truth = rate((s) => forward(net, x.map((value, i) => value + s * dx[i])).y);
    return [along(inputJacobian(net, x)), truth, along(inputJacobian(net, x.map((value) => value + 0.5)))];
  }],
  "eq-sensitivity-covariance": ["the inputs taken as independent", () => {
    const { net, x } = chance();
    const root = x.map(() => vector(x.length)); // Σ is root times its transpose
    const S = matmul(root, transpose(root));
    const J = inputJacobian(net, x);
    const spread = (C) => matmul(matmul(J, C), transpose(J));
    const moves = transpose(root).map((column) => rate((s) => forward(net, x.map((value, i) => value + s * column[i])).y));
    return [spread(S), moves.map((move) => outer(move, move)).reduce(plus), spread(diagonalOf(S))];
  }],
  "eq-sensitivity-chain": ["the second module's J at the wrong place", () => {
    const [first, second] = [chance([3, 4, 2], "tanh", "linear"), chance([2, 3, 4], "softplus", "softmax")];
    const z = first.trace.y;
    const J = inputJacobian(first.net, first.x);
    const truth = slopes((v) => forward(second.net, forward(first.net, v).y).y, first.x);
    return [matmul(inputJacobian(second.net, z), J), truth, matmul(inputJacobian(second.net, z.map((value) => value + 1)), J)];
  }],
  "eq-sensitivity-modules": ["the second module left out", () => {
    const [first, second] = [chance([3, 4, 2], "tanh", "linear"), chance([2, 3, 2], "softplus", "linear")];
    const E = (net) => error(second.net, [forward(net, first.x).y], [second.t]);
    const { y } = forward(second.net, first.trace.y);
    const blame = [y.map((value, k) => value - second.t[k])];
    const J_w = parameterJacobian(first.net, first.x);
    const truth = slopes((v) => [E(withParameters(first.net, v))], first.w);
    return [matmul(blame, matmul(inputJacobian(second.net, first.trace.y), J_w)), truth, matmul(blame, J_w)];
  }],
};

// Here the equation is a difference itself, so its order is what is measured.
const order = (estimate, truth) => {
  const [coarse, fine] = [0.02, 0.01].map((step) => Math.abs(estimate(step) - truth));
  return [Math.log2(coarse / fine)];
};
const ofOrder = (due, estimate) => () => {
  const [x, slope] = [0.5 + Math.random(), 1 + Math.random()];
  const f = { at: (u) => Math.exp(slope * u), aside: (u, e) => Math.exp(slope * u) * Math.sin(slope * e) };
  const truth = slope * f.at(x);
  const by = (e) => estimate(f, x, e);
  return [order(by, truth), [due], order((e) => 2 * by(e), truth)];
};
const differences = {
  "eq-differences-forward": ["a factor of two", ofOrder(1, (f, x, e) => (f.at(x + e) - f.at(x)) / e)],
  "eq-differences-central": ["a factor of two", ofOrder(2, (f, x, e) => (f.at(x + e) - f.at(x - e)) / (2 * e))],
  "eq-differences-complex": ["a factor of two", ofOrder(2, (f, x, e) => f.aside(x, e) / e)],
  "eq-differences-four-points": ["4ε in place of 4ε²", () => {
    const [u, v] = [0.3 + Math.random(), 0.3 + Math.random()];
    const E = (a, b) => Math.exp(a * b);
    const four = (e) => E(u + e, v + e) - E(u + e, v - e) - E(u - e, v + e) + E(u - e, v - e);
    const truth = (1 + u * v) * E(u, v);
    return [order((e) => four(e) / (4 * e * e), truth), [2], order((e) => four(e) / (4 * e), truth)];
  }],
  "eq-differences-best-step": ["p and q exchanged", () => {
    const [p, q, C, f] = [2, 1, 0.2 + Math.random(), 0.5 + Math.random()];
    const bound = (u) => C * Math.exp(p * u) + f * Number.EPSILON * Math.exp(-q * u);
    let [low, high] = [-30, 0]; // of ln ε, where the bound has one valley
    while (high - low > 1e-9) {
      const step = (high - low) / 3;
      if (bound(low + step) < bound(high - step)) high -= step;
      else low += step;
    }
    const best = (a, b) => [(((b * f) / (a * C)) * Number.EPSILON) ** (1 / (a + b))];
    return [best(p, q), [Math.exp((low + high) / 2)], best(q, p)];
  }],
  "eq-differences-taylor": ["0.1 % in h′", () => {
    const { net, x } = chance();
    const d = vector(x.length);
    const moved = (s) => forward(net, x.map((value, i) => value + s * d[i])).y;
    const remainder = (size) => (s) => {
      const J = inputJacobian(net, x);
      const far = moved(s).map((value, k) => value - moved(0)[k] - s * size * dot(J[k], d));
      return Math.hypot(...far);
    };
    const slope = (r) => [Math.log10(r(1e-4) / r(1e-5))];
    return [slope(remainder(1)), [2], slope(remainder(1.001))];
  }],
};

export const FIRST = { ...network, ...backpropagation, ...jacobian, ...outputUnits, ...sensitivity, ...differences };
