// Checks in the page, chapters 11 and 13: updates of an inverse, and the spectrum.

import { dot, matmul } from "./core.mjs";
import { outer, plus, slopes, sum, transpose, unit, vector } from "./chance.mjs";
import { eye, scaled } from "./curved.mjs";
import { applied, inverse, less, minus, solution, solved } from "./solving.mjs";

const P = 5;
/** A = I + Σ ggᵀ over three patterns, its inverse, one pattern more, and a weight. */
function quadratic() {
  const patterns = [vector(P), vector(P), vector(P)];
  const A = patterns.map((g) => outer(g, g)).reduce(plus, eye(P));
  const [B, g] = [inverse(A), vector(P)];
  const gain = applied(B, g);
  const q = Math.floor(Math.random() * P);
  return { A, B, g, gain, rho: dot(g, gain), c: 0.5 + Math.random(), q, b: vector(P) };
}
const shrunk = (gain, by) => scaled(outer(gain, gain), 1 / by);
/** Where the others go if weight q is held at s: their own minimum. */
function held(A, q, s) {
  const kept = A.map((_, p) => p).filter((p) => p !== q);
  const rest = solution(
    kept.map((p) => kept.map((r) => A[p][r])),
    kept.map((p) => -A[p][q] * s),
  );
  return A.map((_, p) => (p === q ? s : rest[kept.indexOf(p)]));
}
const costOf = (A, d) => dot(d, applied(A, d)) / 2;

const updates = {
  "eq-inverse-rank-one": [
    "1/c left out",
    () => {
      const { A, B, g, gain, rho, c } = quadratic();
      return [
        minus(B, shrunk(gain, 1 / c + rho)),
        inverse(plus(A, scaled(outer(g, g), c))),
        minus(B, shrunk(gain, rho)),
      ];
    },
  ],
  "eq-inverse-rank-k": [
    "one row at a time, each from the old inverse",
    () => {
      const { A, B } = quadratic();
      const J = [vector(P), vector(P)];
      const y = [0.3, 0.5];
      const M = y.map((a, k) => y.map((b, l) => (k === l ? a : 0) - a * b));
      const gain = matmul(B, transpose(J));
      const middle = plus(eye(2), matmul(M, matmul(J, gain)));
      const added = matmul(gain, solved(middle, matmul(M, transpose(gain))));
      const apart = J.map((g, k) => {
        const u = applied(B, g);
        return shrunk(u, 1 / M[k][k] + dot(g, u));
      });
      return [
        minus(B, added),
        inverse(plus(A, matmul(transpose(J), matmul(M, J)))),
        minus(B, apart.reduce(plus)),
      ];
    },
  ],
  "eq-inverse-shift": [
    "1/c left out",
    () => {
      const { A, g, gain, rho, c, b } = quadratic();
      const [w, t] = [solution(A, b), 1 + Math.random()];
      const residual = dot(g, w) - t;
      const by = (below) => gain.map((value) => (-value * residual) / below);
      const after = solution(
        plus(A, scaled(outer(g, g), c)),
        b.map((value, p) => value + c * t * g[p]),
      );
      return [by(1 / c + rho), less(after, w), by(rho)];
    },
  ],
  "eq-inverse-leave-out": [
    "1 + ρ in place of 1 − ρ",
    () => {
      const { A, g, b } = quadratic();
      const t = 3;
      const whole = plus(A, outer(g, g));
      const u = solution(whole, g);
      const w = solution(whole, b.map((value, p) => value + t * g[p]));
      const [residual, rho] = [dot(g, w) - t, dot(g, u)];
      return [
        [residual / (1 - rho)],
        [dot(g, solution(A, b)) - t],
        [residual / (1 + rho)],
      ];
    },
  ],
  "eq-inverse-pinned": [
    "the others stay",
    () => {
      const { A, B, q } = quadratic();
      const w_q = 1 + Math.random();
      return [
        B.map((row) => (-w_q * row[q]) / B[q][q]),
        held(A, q, -w_q),
        unit(P, q).map((value) => -w_q * value),
      ];
    },
  ],
  "eq-inverse-obs": [
    "A_qq in place of 1/[A⁻¹]_qq",
    () => {
      const { A, B, q } = quadratic();
      const w_q = 1 + Math.random();
      return [
        [w_q ** 2 / (2 * B[q][q])],
        [costOf(A, held(A, q, -w_q))],
        [(A[q][q] * w_q ** 2) / 2],
      ];
    },
  ],
  "eq-inverse-obd": [
    "the ½ forgotten",
    () => {
      const { A, q } = quadratic();
      const w_q = 1 + Math.random();
      const alone = costOf(A, unit(P, q).map((value) => -w_q * value));
      return [[(A[q][q] * w_q ** 2) / 2], [alone], [A[q][q] * w_q ** 2]];
    },
  ],
  "eq-inverse-delete": [
    "the inverse left as it is",
    () => {
      const { A, B, q } = quadratic();
      const others = (list) => list.filter((_, p) => p !== q);
      const without = (M) => others(M).map(others);
      const column = B.map((row) => row[q]);
      const claim = minus(B, shrunk(column, B[q][q]));
      return [without(claim), inverse(without(A)), without(B)];
    },
  ],
};

/** Lanczos' recurrence from v, m products of a symmetric A. */
function recurrence(A, v, m) {
  const length = (u) => Math.sqrt(dot(u, u));
  const V = [v.map((value) => value / length(v))];
  const [kappa, beta] = [[], []];
  for (let j = 0; j < m; j++) {
    const product = applied(A, V[j]);
    kappa.push(dot(V[j], product));
    const r = product.map(
      (value, p) =>
        value - kappa[j] * V[j][p] - (j > 0 ? beta[j - 1] * V[j - 1][p] : 0),
    );
    if (j === m - 1) break;
    beta.push(length(r));
    V.push(r.map((value) => value / beta[j]));
  }
  const S = kappa.map((value, j) =>
    kappa.map((_, l) =>
      j === l ? value : Math.abs(j - l) === 1 ? beta[Math.min(j, l)] : 0,
    ),
  );
  return { V, S };
}
/** Eigenvalues and eigenvectors (as rows) of a symmetric matrix, by Jacobi's turns. */
function spectrum(A) {
  let [D, U] = [A.map((row) => [...row]), eye(A.length)];
  for (let sweep = 0; sweep < 30; sweep++)
    for (let p = 0; p < D.length; p++)
      for (let q = p + 1; q < D.length; q++) {
        const turn = Math.atan2(2 * D[p][q], D[p][p] - D[q][q]) / 2;
        const R = eye(D.length);
        R[p][p] = R[q][q] = Math.cos(turn);
        R[p][q] = Math.sin(turn);
        R[q][p] = -R[p][q];
        D = matmul(matmul(R, D), transpose(R));
        U = matmul(R, U);
      }
  return { values: D.map((row, p) => row[p]), vectors: U };
}
const rebuilt = ({ values, vectors }, f) =>
  values
    .map((value, p) => scaled(outer(vectors[p], vectors[p]), f(value)))
    .reduce(plus);
const symmetric = () => {
  const A = Array.from({ length: P }, () => vector(P));
  return plus(A, transpose(A));
};
const power = (A, n) => (n ? matmul(A, power(A, n - 1)) : eye(A.length));

const spectra = {
  "eq-spectrum-sum": [
    "the negative ones left out",
    () => {
      const A = minus(symmetric(), eye(P));
      const found = spectrum(A);
      return [rebuilt(found, (x) => x), A, rebuilt(found, (x) => Math.max(x, 0))];
    },
  ],
  "eq-spectrum-lanczos": [
    "β left out",
    () => {
      const A = symmetric();
      const { V, S } = recurrence(A, vector(P), 4);
      const diagonal = S.map((row, j) => row.map((value, l) => (j === l ? value : 0)));
      return [S, matmul(V, matmul(A, transpose(V))), diagonal];
    },
  ],
  "eq-spectrum-quadrature": [
    "first entries without the square",
    () => {
      const [A, v] = [symmetric(), vector(P)];
      const { values, vectors } = spectrum(recurrence(A, v, 3).S);
      const weighed = (weight) =>
        [0, 2, 4].map((n) => sum(values.map((x, j) => weight(vectors[j][0]) * x ** n)));
      const truth = [0, 2, 4].map((n) => dot(v, applied(power(A, n), v)) / dot(v, v));
      return [weighed((y) => y * y), truth, weighed(Math.abs)];
    },
  ],
  "eq-spectrum-trace": [
    "starts of length 1",
    () => {
      const A = plus(symmetric(), scaled(eye(P), 9));
      const signs = Array.from({ length: 2 ** P }, (_, n) =>
        Array.from({ length: P }, (_, p) => (n & (1 << p) ? 1 : -1)),
      );
      const mean = sum(signs.map((s) => dot(s, applied(A, s)))) / signs.length;
      return [[mean], [sum(A.map((row, p) => row[p]))], [mean / P]];
    },
  ],
  "eq-spectrum-descent": [
    "1 − sηλ in place of the power",
    () => {
      const [A, eta] = [symmetric(), 0.2];
      const found = spectrum(A);
      const walk = (w) => {
        let at = w;
        for (let s = 0; s < 4; s++) at = less(at, applied(scaled(A, eta), at));
        return at;
      };
      return [
        rebuilt(found, (x) => (1 - eta * x) ** 4),
        slopes(walk, vector(P)),
        rebuilt(found, (x) => 1 - 4 * eta * x),
      ];
    },
  ],
};

export const INVERSE = { ...updates, ...spectra };
