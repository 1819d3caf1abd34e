// Checks in the page, chapter 14: two factors, and blocks by differences.

import { dot, matmul } from "./core.mjs";
import { bends, outer, plus, slopes, sum, transpose, unit, vector } from "./chance.mjs";
import { eye, scaled } from "./curved.mjs";
import { applied, minus, solution, solved } from "./solving.mjs";

const [J, I, K, N] = [2, 3, 3, 4];
const table = (rows, columns) => Array.from({ length: rows }, () => vector(columns));
const kron = (B, A) =>
  B.flatMap((row) => A.map((tile) => row.flatMap((b) => scaled([tile], b)[0])));
const total = (matrices) => matrices.reduce(plus);
const trace = (A) => sum(A.map((row, p) => row[p]));
const square = (u) => dot(u, u);
const shaped = (w, columns) =>
  Array.from({ length: w.length / columns }, (_, j) =>
    [...w].slice(j * columns, (j + 1) * columns),
  );
const logs = (a) => Math.log(sum(a.map(Math.exp)));
const softmax = (a) => {
  const e = a.map(Math.exp);
  return e.map((value) => value / sum(e));
};
const carried = (S, M) => matmul(transpose(S), matmul(M, S));

/** A layer of J units fed by I wires, with K outputs that are linear in its sums. */
function layer(squares) {
  const [W, U, z] = [table(J, I), table(K, J), table(N, I)];
  const [w, t] = [W.flat(), table(N, K)];
  const E = (at) =>
    sum(
      z.map((z_n, n) => {
        const a = applied(U, applied(shaped(at, I), z_n));
        if (squares) return square(a.map((value, k) => value - t[n][k])) / 2;
        return logs(a) - a[0];
      }),
    );
  const M = z.map((z_n) =>
    squares ? eye(K) : bends(logs, applied(U, applied(W, z_n))),
  );
  const B = M.map((each) => carried(U, each));
  const A = z.map((z_n) => outer(z_n, z_n));
  const [sumB, meanA] = [total(B), scaled(total(A), 1 / N)];
  return { z, A, B, sumB, meanA, block: () => bends(E, w) };
}

/** Two patterns of a layer that is used at three places, an error of all or of each. */
function shared(each) {
  const [W, U, z] = [table(J, I), table(K, J), [table(3, I), table(3, I)]];
  const add = (rows) => rows.reduce((u, v) => plus([u], [v])[0]);
  const E = (w) => {
    const sums = z.map((z_n) => z_n.map((u) => applied(U, applied(shaped(w, I), u))));
    return sum((each ? sums.flat() : sums.map(add)).map(square)) / 2;
  };
  const second = (rows) => scaled(total(rows.map((u) => outer(u, u))), 1 / rows.length);
  const B = scaled(matmul(transpose(U), U), 6);
  const means = z.map((z_n) => scaled([add(z_n)], 1 / 3)[0]);
  return {
    expand: kron(B, second(z.flat())),
    reduce: kron(scaled(B, each ? 1 : 3), second(means)),
    truth: bends(E, W.flat()),
  };
}

const definite = (n) => {
  const A = table(n + 2, n);
  return matmul(transpose(A), A);
};
const rearranged = (G) =>
  Array.from({ length: J * J }, (_, jq) =>
    Array.from({ length: I * I }, (_, ip) => {
      const [j, q, i, p] = [Math.floor(jq / J), jq % J, Math.floor(ip / I), ip % I];
      return G[j * I + i][q * I + p];
    }),
  );

export const KRONECKER = {
  "eq-kronecker-exact": [
    "one mean for two",
    () => {
      const { A, B, sumB, meanA, block } = layer(false);
      return [total(B.map((each, n) => kron(each, A[n]))), block(), kron(sumB, meanA)];
    },
  ],
  "eq-kronecker": [
    "means in both factors",
    () => {
      const { sumB, meanA, block } = layer(true);
      const product = kron(sumB, meanA);
      return [product, block(), scaled(product, 1 / N)];
    },
  ],
  "eq-kronecker-fisher": [
    "a target of the data",
    () => {
      const a = vector(K);
      const y = softmax(a);
      const off = (k) => y.map((value, l) => value - unit(K, k)[l]);
      const each = y.map((_, k) => outer(off(k), off(k)));
      const mean = total(each.map((M, k) => scaled(M, y[k])));
      return [mean, bends(logs, a), each[0]];
    },
  ],
  "eq-kronecker-nearest": [
    "rows of G as they are",
    () => {
      const [G, B, A] = [definite(J * I), table(J, J), table(I, I)];
      const far = (at) => [square(minus(G, kron(B, shaped(at, I))).flat())];
      const product = outer(B.flat(), A.flat());
      const by = (R) =>
        scaled([applied(transpose(minus(product, R)), B.flat())], 2);
      const asTheyAre = shaped(G.flat(), I * I);
      return [by(rearranged(G)), slopes(far, A.flat()), by(asTheyAre)];
    },
  ],
  "eq-kronecker-shampoo": [
    "patterns of one weight",
    () => {
      const { z, B, sumB, block } = layer(false);
      const L = total(B.map((each, n) => scaled(each, square(z[n]))));
      const G = block();
      const truth = eye(J).map((_, j) =>
        eye(J).map((_, q) => sum(eye(I).map((_, i) => G[j * I + i][q * I + i]))),
      );
      return [L, truth, sumB];
    },
  ],
  "eq-kronecker-eigen": [
    "products of two eigenvalues",
    () => {
      const { z, B, sumB, meanA, block } = layer(false);
      const u = vector(J);
      const v = vector(I);
      const along = (A, x) => dot(x, applied(A, x));
      const scale = sum(z.map((z_n, n) => along(B[n], u) * dot(v, z_n) ** 2));
      const whole = kron([u], [v])[0];
      return [[scale], [along(block(), whole)], [along(sumB, u) * along(meanA, v)]];
    },
  ],
  "eq-kronecker-inverse": [
    "A from the right in place of its inverse",
    () => {
      const [B, A, V] = [definite(J), definite(I), table(J, I)];
      const left = solved(B, V);
      const found = transpose(solved(A, transpose(left)));
      return [found, shaped(solution(kron(B, A), V.flat()), I), matmul(left, A)];
    },
  ],
  "eq-kronecker-damping": [
    "λ alone, not split",
    () => {
      const [B, A, V, lambda] = [definite(J), definite(I), vector(J * I), 0.7];
      const pi = Math.sqrt((trace(A) / I) / (trace(B) / J));
      const damped = kron(
        plus(B, scaled(eye(J), Math.sqrt(lambda) / pi)),
        plus(A, scaled(eye(I), Math.sqrt(lambda) * pi)),
      );
      const more = (p) =>
        plus(
          scaled(kron(B, eye(I)), p * Math.sqrt(lambda)),
          scaled(kron(eye(J), A), Math.sqrt(lambda) / p),
        );
      const plain = plus(kron(B, A), scaled(eye(J * I), lambda));
      const by = (G) => solution(G, V);
      return [damped, plus(plain, more(pi)), plain].map(by);
    },
  ],
  "eq-kronecker-expand": [
    "reduce in its place",
    () => {
      const { expand, reduce, truth } = shared(true);
      return [expand, truth, reduce];
    },
  ],
  "eq-kronecker-reduce": [
    "expand in its place",
    () => {
      const { expand, reduce, truth } = shared(false);
      return [reduce, truth, expand];
    },
  ],
};
