// Checks in the page, chapters 10 and 12: damped steps, and the posterior of a line.

import { dot, error, matmul, parameterJacobian, withParameters } from "./core.mjs";
import { bends, plus, rate, slopes, sum, transpose, vector } from "./chance.mjs";
import { curved, eye, scaled } from "./curved.mjs";
import { applied, inverse, less, solution } from "./solving.mjs";

const P = 3;
const ROWS = 7;
const square = (u) => dot(u, u);
const diagonal = (d) => d.map((value, i) => d.map((_, j) => (i === j ? value : 0)));

/** A table J with residuals r, a scale for each weight, a damping, and the step. */
function table() {
  const J = Array.from({ length: ROWS }, () => vector(P));
  const r = vector(ROWS);
  const G = matmul(transpose(J), J);
  const D = G.map((row, p) => row[p]);
  const lambda = 0.3 + Math.random();
  const gradient = applied(transpose(J), r);
  const step = (scale, by = lambda) =>
    solution(
      plus(G, diagonal(scaled([scale], by)[0])),
      gradient.map((value) => -value),
    );
  const tangent = (p) => square(applied(J, p).map((value, n) => value + r[n])) / 2;
  const held = (p) => sum(p.map((value, q) => D[q] * value * value));
  return { J, r, G, D, lambda, step, tangent, held, p: step(D) };
}

/** Least squares by orthonormal columns, one after the other, and no square of J. */
function byColumns(J, b) {
  const [Q, R] = [[], J[0].map(() => J[0].map(() => 0))];
  transpose(J).forEach((column, q) => {
    let rest = column;
    Q.forEach((done, p) => {
      R[p][q] = dot(done, rest);
      rest = rest.map((value, n) => value - R[p][q] * done[n]);
    });
    R[q][q] = Math.sqrt(square(rest));
    Q.push(rest.map((value) => value / R[q][q]));
  });
  return solution(R, applied(Q, b));
}

const damped = {
  "eq-levenberg-marquardt-model": [
    "t − y in place of y − t",
    () => {
      const { net, w, x, t, trace } = curved([2, 3, 2], ["tanh"], "linear");
      const J = parameterJacobian(net, x);
      const p = vector(w.length);
      const r = trace.y.map((value, k) => value - t[k]);
      const model = (sign) =>
        rate((s) => [
          square(applied(J, p).map((value, k) => sign * r[k] + s * value)) / 2,
        ]);
      const at = (s) => w.map((value, q) => value + s * p[q]);
      return [
        model(1),
        rate((s) => [error(withParameters(net, at(s)), [x], [t])]),
        model(-1),
      ];
    },
  ],
  "eq-levenberg-marquardt": [
    "ones in place of D",
    () => {
      const { p, lambda, step, tangent, held } = table();
      const penalised = (at) => tangent(at) + (lambda * held(at)) / 2;
      const from = vector(P);
      const [slope] = slopes((at) => [penalised(at)], from);
      const least = less(from, solution(bends(penalised, from), slope));
      return [p, least, step(p.map(() => 1))];
    },
  ],
  "eq-levenberg-marquardt-downhill": [
    "the term with λ dropped",
    () => {
      const { J, p, lambda, tangent, held } = table();
      const fall = -square(applied(J, p));
      const truth = rate((s) => [tangent(p.map((value) => s * value))]);
      return [[fall - lambda * held(p)], truth, [fall]];
    },
  ],
  "eq-levenberg-marquardt-foretold": [
    "½λ in place of λ",
    () => {
      const { J, p, lambda, tangent, held } = table();
      const by = (part) => [square(applied(J, p)) / 2 + part * lambda * held(p)];
      return [by(1), [tangent(p.map(() => 0)) - tangent(p)], by(0.5)];
    },
  ],
  "eq-levenberg-marquardt-rows": [
    "λ in place of its root",
    () => {
      const { J, r, D, lambda, p } = table();
      const b = [...r.map((value) => -value), ...D.map(() => 0)];
      const by = (f) => {
        const below = diagonal(D.map((value) => f * Math.sqrt(value)));
        return byColumns([...J, ...below], b);
      };
      return [by(Math.sqrt(lambda)), p, by(2 * lambda)];
    },
  ],
  "eq-levenberg-marquardt-covariance": [
    "the damping left in",
    () => {
      const { J, G, r, lambda } = table();
      const variance = square(r) / (ROWS - P);
      const fit = (t) => solution(G, applied(transpose(J), t));
      const moves = slopes(fit, vector(ROWS));
      return [
        scaled(inverse(G), variance),
        scaled(matmul(moves, transpose(moves)), variance),
        scaled(inverse(plus(G, scaled(eye(P), lambda))), variance),
      ];
    },
  ],
};

/** The logarithm of a determinant, by elimination. */
function logDeterminant(A) {
  let [rows, total] = [A.map((row) => [...row]), 0];
  while (rows.length) {
    const [[pivot, ...top], ...below] = rows;
    total += Math.log(pivot);
    rows = below.map(([first, ...rest]) =>
      rest.map((value, c) => value - (first / pivot) * top[c]),
    );
  }
  return total;
}

/** A line with noise and prior, its posterior, and the density of its targets. */
function line() {
  const Z = Array.from({ length: ROWS }, () => [1, ...vector(P - 1)]);
  const [t, alpha, beta] = [vector(ROWS), 0.5 + Math.random(), 1 + Math.random()];
  const G = matmul(transpose(Z), Z);
  const A = plus(scaled(G, beta), scaled(eye(P), alpha));
  const w = scaled([solution(A, applied(transpose(Z), t))], beta)[0];
  const E = (at) => square(less(applied(Z, at), t)) / 2;
  const B = inverse(A);
  const gamma = P - alpha * sum(B.map((row, p) => row[p]));
  const outputs = (a, b) =>
    plus(scaled(eye(ROWS), 1 / b), scaled(matmul(Z, transpose(Z)), 1 / a));
  const density = (a, b) => {
    const C = outputs(a, b);
    const size = logDeterminant(C) + ROWS * Math.log(2 * Math.PI);
    return -(dot(t, solution(C, t)) + size) / 2;
  };
  return { Z, t, alpha, beta, G, A, B, w, E, gamma, outputs, density };
}

/** The Gaussian's cumulative curve, by Simpson's rule from 0. */
function cumulative(x) {
  const [steps, density] = [200, (u) => Math.exp((-u * u) / 2)];
  const h = x / steps;
  const weight = (n) => (n === 0 || n === steps ? 1 : n % 2 ? 4 : 2);
  const inside = Array.from(
    { length: steps + 1 },
    (_, n) => weight(n) * density(n * h),
  );
  return 0.5 + (sum(inside) * h) / 3 / Math.sqrt(2 * Math.PI);
}

const posterior = {
  "eq-laplace-precision": [
    "the prior left out",
    () => {
      const { G, A, alpha, beta, w, E } = line();
      const S = (at) => beta * E(at) + (alpha * square(at)) / 2;
      return [A, bends(S, w), scaled(G, beta)];
    },
  ],
  "eq-laplace-variance": [
    "the prior left out",
    () => {
      const { Z, G, B, alpha, beta, outputs } = line();
      const g = [1, ...vector(P - 1)];
      const shared = scaled([applied(Z, g)], 1 / alpha)[0];
      const left = square(g) / alpha - dot(shared, solution(outputs(alpha, beta), shared));
      const alone = dot(g, solution(scaled(G, beta), g));
      return [[dot(g, applied(B, g))], [left], [alone]];
    },
  ],
  "eq-laplace-evidence": [
    "½ ln|A| dropped",
    () => {
      const { A, w, E, alpha, beta, density } = line();
      const fit = beta * E(w) + (alpha * square(w)) / 2;
      const constants = P * Math.log(alpha) + ROWS * Math.log(beta / (2 * Math.PI));
      const by = (part) => [-fit - (part * logDeterminant(A)) / 2 + constants / 2];
      return [by(1), [density(alpha, beta)], by(0)];
    },
  ],
  "eq-laplace-gamma": [
    "P in place of γ",
    () => {
      const { w, alpha, beta, gamma, density } = line();
      const by = (count) => [(count - alpha * square(w)) / 2];
      return [by(gamma), rate((s) => [density(alpha * Math.exp(s), beta)]), by(P)];
    },
  ],
  "eq-laplace-reestimate": [
    "γ left out",
    () => {
      const { w, E, alpha, beta, gamma, density } = line();
      const by = (count) => [(ROWS - count) / 2 - beta * E(w)];
      return [by(gamma), rate((s) => [density(alpha, beta * Math.exp(s))]), by(0)];
    },
  ],
  "eq-laplace-probit": [
    "κ left out",
    () => {
      // the sigmoid as the Gaussian's curve of the same slope: its average is exact
      const [a, deviation, slope] = [0.5 + Math.random(), 2, Math.sqrt(Math.PI / 8)];
      const kappa = 1 / Math.sqrt(1 + (Math.PI * deviation ** 2) / 8);
      const [steps, h] = [320, 0.05];
      const places = Array.from({ length: steps + 1 }, (_, n) => (n - steps / 2) * h);
      const weights = places.map((u) => Math.exp((-u * u) / 2));
      const average = sum(
        places.map((u, n) => weights[n] * cumulative(slope * (a + deviation * u))),
      );
      return [
        [cumulative(slope * kappa * a)],
        [average / sum(weights)],
        [cumulative(slope * a)],
      ];
    },
  ],
};

export const USES = { ...damped, ...posterior };
