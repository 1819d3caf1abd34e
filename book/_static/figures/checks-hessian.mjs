// Checks in the page, chapter 7: the blocks of the Hessian.

import { error, matmul, withParameters } from "./core.mjs";
import { exactHessian } from "./curvature.mjs";
import { bends, chance, slopes, sum, transpose } from "./chance.mjs";
import {
  blockOf,
  curved,
  eye,
  fill,
  middleDelta,
  rows,
  SMALL,
  withSum,
} from "./curved.mjs";

const hessian = {
  "eq-hessian-definition": [
    "half of it left out",
    () => {
      const { net, w, x, t } = chance([1, 2, 2], ["tanh"], "softmax");
      const H = rows(exactHessian(net, [x], [t]));
      return [
        H,
        bends((v) => error(withParameters(net, v), [x], [t]), w),
        H.map((row, r) => row.map((value, c) => (c > r ? 0 : value))),
      ];
    },
  ],
  "eq-hessian-block": [
    "the second term forgotten",
    () => {
      const found = curved();
      const {
        trace: { z },
        delta,
      } = found;
      const { B, G } = found.pair(2, 1);
      const block = (second) =>
        fill(
          B.length,
          z[2].length,
          B[0].length,
          z[1].length,
          (j, i, q, p) =>
            z[1][p] *
            (z[2][i] * B[j][q] + (i ? second * delta[2][j] * G[i - 1][q] : 0)),
        );
      return [block(1), blockOf(found, 2, 1), block(0)];
    },
  ],
  "eq-hessian-diagonal-block": [
    "the bend h″ forgotten",
    () => {
      const found = curved();
      const {
        trace: { z },
        d2h,
      } = found;
      const { B: M } = found.pair(1, 1);
      const block = (own) =>
        fill(
          M.length,
          z[1].length,
          M.length,
          z[1].length,
          (j, i, q, p) => own[j][q] * z[1][i] * z[1][p],
        );
      const straight = M.map((row, j) =>
        row.map((value, q) => value - (j === q ? d2h[1][j] * found.blame(2)[j] : 0)),
      );
      return [block(M), blockOf(found, 1, 1), block(straight)];
    },
  ],
  "eq-hessian-diagonal": [
    "z in place of z²",
    () => {
      const found = curved();
      const {
        trace: { z },
      } = found;
      const { B: M } = found.pair(1, 1);
      const by = (power) =>
        M.flatMap((row, j) => z[1].map((value) => row[j] * value ** power));
      return [by(2), blockOf(found, 1, 1).map((row, r) => row[r]), by(1)];
    },
  ],
  "eq-hessian-output": [
    "the diagonal alone",
    () => {
      const {
        net,
        t,
        trace: { a },
      } = chance();
      const M = net.output.M(a[2]);
      const truth = slopes(
        (s) => net.output.y(s).map((value, k) => value - t[k]),
        a[2],
      );
      return [
        M,
        truth,
        M.map((row, k) => row.map((value, l) => (k === l ? value : 0))),
      ];
    },
  ],
  "eq-hessian-left": [
    "h′ forgotten",
    () => {
      const found = curved();
      const { B } = found.pair(2, 1);
      const carried = matmul(B, found.V[1]);
      const truth = slopes((s) => withSum(found, 0, s).residual, found.trace.a[0]);
      return [
        carried.map((row) => row.map((value, q) => value * found.dh[0][q])),
        truth,
        carried,
      ];
    },
  ],
  "eq-hessian-feed": [
    "h′ forgotten",
    () => {
      const {
        net,
        trace: { a },
        dh,
      } = curved();
      return [
        eye(4).map((row, i) => row.map((value) => value * dh[0][i])),
        slopes((s) => s.map(net.hidden[0].h), a[0]),
        eye(4),
      ];
    },
  ],
  "eq-hessian-down": [
    "the bend h″ forgotten",
    () => {
      const found = curved();
      const {
        V,
        dh,
        d2h,
        trace: { a },
      } = found;
      const { B } = found.pair(2, 1);
      const M = (bend) =>
        dh[1].map((slope, j) =>
          dh[1].map(
            (_, q) =>
              slope * sum(V[2].map((row, k) => row[j] * B[k][q])) +
              (j === q ? bend * d2h[1][j] * found.blame(2)[j] : 0),
          ),
        );
      return [M(1), slopes(middleDelta(found), a[1]), M(0)];
    },
  ],
  "eq-hessian-two-layer-22": [
    "the other class forgotten",
    () => {
      const found = curved(...SMALL);
      const {
        M,
        trace: { z },
      } = found;
      const block = (coupled) =>
        fill(
          2,
          4,
          2,
          4,
          (k, j, l, i) => z[1][j] * z[1][i] * (k === l || coupled ? M[k][l] : 0),
        );
      return [block(true), blockOf(found, 1, 1), block(false)];
    },
  ],
  "eq-hessian-two-layer-11": [
    "the bend h″ forgotten",
    () => {
      const found = curved(...SMALL);
      const {
        M,
        V,
        dh,
        d2h,
        trace: { z },
      } = found;
      const inner = matmul(transpose(V[1]), matmul(M, V[1]));
      const block = (bend) =>
        fill(
          3,
          3,
          3,
          3,
          (j, i, q, p) =>
            z[0][i] *
            z[0][p] *
            ((j === q ? bend * d2h[0][j] * found.blame(1)[j] : 0) +
              dh[0][j] * dh[0][q] * inner[j][q]),
        );
      return [block(1), blockOf(found, 0, 0), block(0)];
    },
  ],
  "eq-hessian-two-layer-12": [
    "j and j′ exchanged, as once printed",
    () => {
      const found = curved(...SMALL);
      const {
        M,
        V,
        dh,
        delta,
        trace: { z },
      } = found;
      const MV = matmul(M, V[1]);
      const right = fill(
        3,
        3,
        2,
        3,
        (j, i, k, jj) =>
          z[0][i] * dh[0][j] * ((j === jj ? delta[1][k] : 0) + z[1][1 + jj] * MV[k][j]),
      );
      const wrong = fill(
        3,
        3,
        2,
        3,
        (j, i, k, jj) =>
          z[0][i] *
          dh[0][jj] *
          ((j === jj ? delta[1][k] : 0) + z[1][1 + j] * MV[k][jj]),
      );
      const truth = blockOf(found, 0, 1).map((row) => row.filter((_, c) => c % 4)); // no biases
      return [right, truth, wrong];
    },
  ],
};

export const HESSIAN = hessian;
