// Checks in the page, chapter 6. Each entry: the planted mistake, and what returns the
// claim, the truth by another way, and the mistake.

import { dot, forward, inputJacobian } from "./core.mjs";
import { chance, vector } from "./chance.mjs";

// Here the equation is a difference itself, so its order is what is measured.
const order = (estimate, truth) => {
  const [coarse, fine] = [0.02, 0.01].map((step) => Math.abs(estimate(step) - truth));
  return [Math.log2(coarse / fine)];
};
const ofOrder = (due, estimate) => () => {
  const [x, slope] = [0.5 + Math.random(), 1 + Math.random()];
  const f = {
    at: (u) => Math.exp(slope * u),
    aside: (u, e) => Math.exp(slope * u) * Math.sin(slope * e),
  };
  const truth = slope * f.at(x);
  const by = (e) => estimate(f, x, e);
  return [order(by, truth), [due], order((e) => 2 * by(e), truth)];
};
const differences = {
  "eq-differences-forward": [
    "a factor of two",
    ofOrder(1, (f, x, e) => (f.at(x + e) - f.at(x)) / e),
  ],
  "eq-differences-central": [
    "a factor of two",
    ofOrder(2, (f, x, e) => (f.at(x + e) - f.at(x - e)) / (2 * e)),
  ],
  "eq-differences-complex": [
    "a factor of two",
    ofOrder(2, (f, x, e) => f.aside(x, e) / e),
  ],
  "eq-differences-four-points": [
    "4ε in place of 4ε²",
    () => {
      const [u, v] = [0.3 + Math.random(), 0.3 + Math.random()];
      const E = (a, b) => Math.exp(a * b);
      const four = (e) =>
        E(u + e, v + e) - E(u + e, v - e) - E(u - e, v + e) + E(u - e, v - e);
      const truth = (1 + u * v) * E(u, v);
      return [
        order((e) => four(e) / (4 * e * e), truth),
        [2],
        order((e) => four(e) / (4 * e), truth),
      ];
    },
  ],
  "eq-differences-best-step": [
    "p and q exchanged",
    () => {
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
    },
  ],
  "eq-differences-taylor": [
    "0.1 % in h′",
    () => {
      const { net, x } = chance();
      const d = vector(x.length);
      const moved = (s) =>
        forward(
          net,
          x.map((value, i) => value + s * d[i]),
        ).y;
      const remainder = (size) => (s) => {
        const J = inputJacobian(net, x);
        const far = moved(s).map(
          (value, k) => value - moved(0)[k] - s * size * dot(J[k], d),
        );
        return Math.hypot(...far);
      };
      const slope = (r) => [Math.log10(r(1e-4) / r(1e-5))];
      return [slope(remainder(1)), [2], slope(remainder(1.001))];
    },
  ],
};

export const DIFFERENCES = differences;
