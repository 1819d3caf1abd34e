// Checks in the page, chapter 15: attention, what moves unnoticed, and two identities.

import { dot, matmul } from "./core.mjs";
import { bends, outer, plus, rate, slopes, sum, transpose, unit, vector } from "./chance.mjs";
import { eye, scaled } from "./curved.mjs";
import { applied, less, minus } from "./solving.mjs";

const shares = (a) => {
  const e = a.map((value) => Math.exp(value - Math.max(...a)));
  return e.map((value) => value / sum(e));
};
const mean = (x) => sum(x) / x.length;
const matrix = (rows, columns) => Array.from({ length: rows }, () => vector(columns));

/** One token looks at two: x is its query, two keys and two values, d numbers each. */
const D = 2;
const cut = (x) => [0, 1, 2, 3, 4].map((n) => x.slice(n * D, (n + 1) * D));
function attend(x, root = Math.sqrt(D)) {
  const [q, k1, k2, v1, v2] = cut(x);
  const p = shares([dot(q, k1) / root, dot(q, k2) / root]);
  return v1.map((value, i) => p[0] * value + p[1] * v2[i]);
}
/** Jᵀδ, by the chapter's way back. */
function wayBack(x, delta) {
  const [q, k1, k2, v1, v2] = cut(x);
  const root = Math.sqrt(D);
  const p = shares([dot(q, k1) / root, dot(q, k2) / root]);
  const B = [dot(delta, v1), dot(delta, v2)];
  const A = p.map((share, s) => (share * (B[s] - dot(p, B))) / root);
  const by = (u, c) => u.map((value) => c * value);
  return [
    ...k1.map((value, i) => A[0] * value + A[1] * k2[i]),
    ...by(q, A[0]),
    ...by(q, A[1]),
    ...by(delta, p[0]),
    ...by(delta, p[1]),
  ];
}
/** A letter's vector goes through a norm and a matrix: E(w), with w = (W_E, W_U). */
const [WIDTH, K] = [4, 3];
const tokens = [0, 1];
const normed = (x) => {
  const middle = x.map((value) => value - mean(x));
  const s = Math.sqrt(mean(middle.map((value) => value * value)));
  return middle.map((value) => value / s);
};
/** Weights that keep every token far from constant: the rows of W_E lie apart. */
const spread = (inside, columns, outside) => [
  ...vector(inside).map((value, p) => 0.4 * value + 2 * Math.floor(p / columns)),
  ...vector(outside),
];
const split = (w) => {
  const at = WIDTH * tokens.length;
  const rows = (u, n) =>
    Array.from({ length: u.length / n }, (_, r) => u.slice(r * n, (r + 1) * n));
  return [rows(w.slice(0, at), tokens.length), rows(w.slice(at), WIDTH)];
};
const errorOf = (targets) => (w) => {
  const [E, U] = split(w);
  const each = tokens.map((n) => {
    const y = shares(applied(U, normed(E.map((row) => row[n]))));
    return -Math.log(y[targets[n]]);
  });
  return mean(each);
};
/** A turn of the stream that leaves the vector of ones alone: S, with S1 = 0. */
function turn() {
  const [a, b] = [vector(WIDTH), vector(WIDTH)].map((u) =>
    u.map((value) => value - mean(u)),
  );
  return minus(outer(a, b), outer(b, a));
}
const moved = (S, w) => {
  const [E, U] = split(w);
  return [...matmul(S, E).flat(), ...scaled(matmul(U, S), -1).flat()];
};

/** Singular values and vectors of a 2 × 2 matrix, by the eigenvectors of ΓᵀΓ. */
function power(A, exponent) {
  const angle = Math.atan2(2 * A[0][1], A[0][0] - A[1][1]) / 2;
  const vectors = [
    [Math.cos(angle), Math.sin(angle)],
    [-Math.sin(angle), Math.cos(angle)],
  ];
  return vectors
    .map((u) => scaled(outer(u, u), dot(u, applied(A, u)) ** exponent))
    .reduce(plus);
}
const whitened = (Gamma, exponent) =>
  matmul(
    matmul(power(matmul(Gamma, transpose(Gamma)), exponent), Gamma),
    power(matmul(transpose(Gamma), Gamma), exponent),
  );

export const LANGUAGE = {
  "eq-language-model-r": [
    "R{J}ᵀδ left out",
    () => {
      const [x, u, target] = [vector(5 * D), vector(5 * D), vector(D)];
      // E = ½|y − t|², so δ = y − t and R{δ} = R{y}
      const delta = (at) => less(attend(at), target);
      const at = (r) => x.map((value, i) => value + r * u[i]);
      const R_delta = rate((r) => delta(at(r)));
      const first = wayBack(x, R_delta);
      const second = rate((r) => wayBack(at(r), delta(x)));
      const truth = rate((r) => wayBack(at(r), delta(at(r))));
      return [first.map((value, i) => value + second[i]), truth, first];
    },
  ],
  "eq-language-model-attention": [
    "√d left out",
    () => {
      const far = [1, 1, 0.9, 0.3, -0.6, -0.4, 1, 2, -1, -2];
      const x = vector(5 * D).map((value, i) => far[i] + 0.1 * value);
      const [q, k1, k2, v1, v2] = cut(x);
      // of two shares one is a sigmoid of the difference of the scores
      const p = 1 / (1 + Math.exp(dot(q, less(k1, k2)) / Math.sqrt(D)));
      const truth = v1.map((value, i) => (1 - p) * value + p * v2[i]);
      return [attend(x), truth, attend(x, 1)];
    },
  ],
  "eq-language-model-softmax": [
    "the average left out",
    () => {
      const [a, B] = [vector(3), vector(3).map((value) => value + 2)];
      const p = shares(a);
      return [
        p.map((share, s) => share * (B[s] - dot(p, B))),
        slopes((scores) => [dot(shares(scores), B)], a).flat(),
        p.map((share, s) => share * B[s]),
      ];
    },
  ],
  "eq-language-model-null": [
    "the rotations forgotten",
    () => {
      // without blocks: the rank of ∂a/∂w at many tokens, by orthogonal rows
      const [d, n, S] = [3, 4, 4];
      const w = spread(d * (n + S), n + S, n * d);
      const logits = (u) =>
        Array.from({ length: n * S }, (_, t) => {
          const x = Array.from(
            { length: d },
            (_, j) => u[j * (n + S) + (t % n)] + u[j * (n + S) + n + Math.floor(t / n)],
          );
          const U = Array.from({ length: n }, (_, k) =>
            u.slice(d * (n + S) + k * d, d * (n + S) + (k + 1) * d),
          );
          const a = applied(U, normed(x));
          return a.map((value) => value - mean(a));
        }).flat();
      const columns = Array.from({ length: w.length }, (_, p) =>
        rate((r) => logits(w.map((value, i) => value + (i === p ? r : 0)))),
      );
      const basis = [];
      for (const column of columns) {
        let u = column;
        for (let again = 0; again < 2; again++)
          for (const b of basis) {
            const c = dot(b, u);
            u = u.map((value, i) => value - c * b[i]);
          }
        const length = Math.sqrt(dot(u, u));
        if (length > 1e-6) basis.push(u.map((value) => value / length));
      }
      const turns = ((d - 1) * (d - 2)) / 2;
      const counted = d + n + S - 1 + (n + d - 1) + 1 + turns;
      return [[counted], [w.length - basis.length], [counted - turns]];
    },
  ],
  "eq-language-model-generator": [
    "D in place of Dᵀ",
    () => {
      const E = errorOf([0, 2]);
      const w = spread(WIDTH * tokens.length, tokens.length, K * WIDTH);
      const S = turn();
      const g = slopes((at) => [E(at)], w).flat();
      // D is S from the left and −S from the right, and S is −Sᵀ
      const back = moved(transpose(S), g);
      return [
        back.map((value) => -value),
        applied(bends(E, w), moved(S, w)),
        moved(S, g).map((value) => -value),
      ];
    },
  ],
  "eq-language-model-shampoo": [
    "a power of −½",
    () => {
      const Gamma = plus(matrix(2, 2), scaled(eye(2), 3));
      // the slope of the sum of singular values is UVᵀ
      const values = ([a, b, c, d]) =>
        Math.sqrt(a * a + b * b + c * c + d * d + 2 * Math.abs(a * d - b * c));
      const truth = slopes((at) => [values(at)], Gamma.flat()).flat();
      return [whitened(Gamma, -0.25).flat(), truth, whitened(Gamma, -0.5).flat()];
    },
  ],
  "eq-language-model-sampled": [
    "N left out",
    () => {
      // two tokens with logits wx: all nine pairs of labels, each with its chance
      const [w, x] = [vector(3), [1 + Math.random(), -1 - Math.random()]];
      const y = x.map((at) => shares(w.map((value) => value * at)));
      const G = w.map((_, k) =>
        mean(x.map((at, n) => y[n][k] * (1 - y[n][k]) * at * at)),
      );
      const squares = w.map(() => 0);
      for (let first = 0; first < 3; first++)
        for (let second = 0; second < 3; second++) {
          const chance = y[0][first] * y[1][second];
          const t = [unit(3, first), unit(3, second)];
          w.forEach((_, k) => {
            const g = mean(x.map((at, n) => (y[n][k] - t[n][k]) * at));
            squares[k] += chance * g * g;
          });
        }
      return [squares.map((value) => 2 * value), G, squares];
    },
  ],
};
