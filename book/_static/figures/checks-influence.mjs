// Checks in the page, chapter 16: minima that are solved again, and a training of logits.

import { dot, matmul } from "./core.mjs";
import { outer, plus, slopes, transpose, vector } from "./chance.mjs";
import { eye, scaled } from "./curved.mjs";
import { applied, minus, solution, solved } from "./solving.mjs";

const [N, P, K] = [5, 3, 2];
const table = (rows, columns) => Array.from({ length: rows }, () => vector(columns));
const ones = Array(N).fill(1);
const ridge = scaled(eye(P), 0.7);
const add = (u, v, s = 1) => u.map((value, p) => value + s * v[p]);

/** Least squares with a ridge, and its minimum if pattern n counts c[n] times. */
function plane() {
  const [Z, t] = [table(N, P), vector(N)];
  const bowl = (c) =>
    Z.reduce((A, z, n) => plus(A, scaled(outer(z, z), c[n])), ridge);
  const minimum = (c) =>
    solution(
      bowl(c),
      applied(
        transpose(Z),
        t.map((value, n) => value * c[n]),
      ),
    );
  const w = minimum(ones);
  const pulls = Z.map((z, n) => scaled([z], dot(z, w) - t[n])[0]);
  return { A: bowl(ones), minimum, w, pulls };
}

const sigmoid = (a) => 1 / (1 + Math.exp(-a));

/** Three steps with momentum of a network that is one sigmoid, and a query at the end. */
function training() {
  const [Z, t, start, query] = [table(N, P), [1, 0, 1, 0, 1], vector(P), vector(P)];
  const [rate, momentum, alpha] = [0.1, 0.7, 0.5];
  const pulls = (w) => Z.map((z, n) => scaled([z], sigmoid(dot(z, w)) - t[n])[0]);
  const run = (c, from) => {
    const path = [from];
    let d = vector(P).fill(0);
    for (let step = 0; step < 3; step++) {
      const w = path.at(-1);
      const slope = pulls(w).reduce((u, g, n) => add(u, g, c[n]), scaled([w], alpha)[0]);
      d = add(scaled([d], momentum)[0], slope, -rate);
      path.push(add(w, d));
    }
    return path;
  };
  const E = (w) => Math.log(1 + Math.exp(dot(query, w)));
  const H = (w) =>
    Z.reduce(
      (A, z) => {
        const y = sigmoid(dot(z, w));
        return plus(A, scaled(outer(z, z), y * (1 - y)));
      },
      scaled(eye(P), alpha),
    );
  const back = (mu) => {
    const path = run(ones, start);
    let byW = scaled([query], sigmoid(dot(query, path.at(-1))))[0];
    let [byD, total] = [vector(P).fill(0), vector(N).fill(0)];
    for (const w of path.slice(0, -1).reverse()) {
      byD = add(byW, byD, mu);
      total = add(
        total,
        pulls(w).map((g) => dot(g, byD)),
        rate,
      );
      byW = add(byW, applied(H(w), byD), -rate);
    }
    return { byW, total };
  };
  const after = (c, from) => [E(run(c, from).at(-1))];
  return { start, after, right: back(momentum), wrong: back(0) };
}

export const INFLUENCE = {
  "eq-influence": [
    "the other sign",
    () => {
      const { A, minimum, pulls } = plane();
      const moves = solved(A, transpose(pulls));
      return [moves, scaled(slopes(minimum, ones), -1), scaled(moves, -1)];
    },
  ],
  "eq-influence-newton": [
    "A with the pattern in it",
    () => {
      const [J, S, r] = [table(K, P), table(K, K), vector(K)];
      const M = matmul(transpose(S), S);
      const Z = table(N, P);
      const others = plus(matmul(transpose(Z), Z), ridge);
      const A = plus(others, matmul(transpose(J), matmul(M, J)));
      const gain = solved(A, transpose(J));
      const held = minus(eye(K), matmul(M, matmul(J, gain)));
      const found = applied(gain, solution(held, r));
      return [found, solution(others, applied(transpose(J), r)), applied(gain, r)];
    },
  ],
  "eq-influence-effect": [
    "what adding weight would do",
    () => {
      const { A, w, pulls } = plane();
      const [move, z, t] = [solution(A, pulls[0]), vector(P), 2];
      const E = ([s]) => [(dot(z, add(w, move, s)) - t) ** 2 / 2];
      const slope = (dot(z, w) - t) * dot(z, move);
      return [[slope], slopes(E, [0])[0], [-slope]];
    },
  ],
  "eq-influence-back": [
    "no momentum on the way back",
    () => {
      const { start, after, right, wrong } = training();
      return [right.byW, slopes((w) => after(ones, w), start)[0], wrong.byW];
    },
  ],
  "eq-influence-unrolled": [
    "no momentum on the way back",
    () => {
      const { start, after, right, wrong } = training();
      const truth = slopes((c) => after(c, start), ones)[0];
      return [right.total, scaled([truth], -1)[0], wrong.total];
    },
  ],
};
