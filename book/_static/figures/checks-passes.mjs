// Checks in the page, chapters 1 to 3: the two passes, and the Jacobian.

import {
  dot,
  error,
  errorSignals,
  flat,
  forward,
  inputJacobian,
  matmul,
  parameterJacobian,
  starts,
  wave,
  withParameters,
} from "./core.mjs";
import { chance, onward, outer, slopes, sum } from "./chance.mjs";

const dh = (net, l, a) => a.map(net.hidden[l].dh);
const times = (u, v) => u.map((value, n) => value * v[n]);
const back = (net, l, row) =>
  net.W[l][0].slice(1).map((_, j) => sum(net.W[l].map((w, k) => w[1 + j] * row[k])));
const diagonalOf = (M) =>
  M.map((row, k) => row.map((value, l) => (k === l ? value : 0)));

const network = {
  "eq-network-sum": [
    "the bias forgotten",
    () => {
      const {
        net,
        trace: { z },
      } = chance();
      const loops = net.W[0].map(
        (row) => row[0] + sum(row.slice(1).map((w, i) => w * z[0][1 + i])),
      );
      return [
        net.W[0].map((row) => dot(row, z[0])),
        loops,
        net.W[0].map((row) => dot(row.slice(1), z[0].slice(1))),
      ];
    },
  ],
  "eq-network-unit": [
    "the unit left out",
    () => {
      const {
        trace: { a, z },
      } = chance();
      const byExp = a[0].map(
        (s) => (Math.exp(s) - Math.exp(-s)) / (Math.exp(s) + Math.exp(-s)),
      );
      return [z[1].slice(1), byExp, a[0]];
    },
  ],
  "eq-network-index": [
    "rows of M in place of 1 + M",
    () => {
      const { net, w } = chance();
      const start = starts(net);
      const every = net.W.flatMap((W, l) =>
        W.flatMap((row, j) => row.map((_, i) => ({ l, j, i, M: row.length - 1 }))),
      );
      return [
        every.map(({ l, j, i, M }) => start[l] + j * (1 + M) + i),
        every.map(({ l, j, i }) => w.indexOf(net.W[l][j][i])),
        every.map(({ l, j, i, M }) => start[l] + j * M + i),
      ];
    },
  ],
};

const backpropagation = {
  "eq-backpropagation-start": [
    "a slope at the outputs",
    () => {
      const {
        net,
        t,
        trace: { a, y },
      } = chance();
      const delta = y.map((value, k) => value - t[k]);
      const truth = slopes((s) => [net.output.error(s, t)], a[2])[0];
      return [delta, truth, delta.map((d, k) => d * y[k] * (1 - y[k]))];
    },
  ],
  "eq-backpropagation-step": [
    "h′ forgotten",
    () => {
      const { net, t, trace } = chance();
      const [, , top] = errorSignals(net, trace, t);
      const blame = back(net, 2, top);
      const truth = slopes(
        (s) => [net.output.error(onward(net, 1, s), t)],
        trace.a[1],
      )[0];
      return [times(dh(net, 1, trace.a[1]), blame), truth, blame];
    },
  ],
  "eq-backpropagation-gradient": [
    "the constant unit sends 0",
    () => {
      const { net, w, x, t, trace } = chance();
      const delta = errorSignals(net, trace, t);
      const [right, wrong] = [1, 0].map((constant) =>
        delta.flatMap((d, l) => flat([outer(d, [constant, ...trace.z[l].slice(1)])])),
      );
      return [
        right,
        slopes((v) => [error(withParameters(net, v), [x], [t])], w)[0],
        wrong,
      ];
    },
  ],
};

const jacobian = {
  "eq-jacobian-start": [
    "the diagonal alone",
    () => {
      const {
        net,
        trace: { a },
      } = chance();
      const M = net.output.M(a[2]);
      return [M, slopes(net.output.y, a[2]), diagonalOf(M)];
    },
  ],
  "eq-jacobian-step": [
    "h′ forgotten",
    () => {
      const {
        net,
        trace: { a },
      } = chance();
      const carried = net.output.M(a[2]).map((row) => back(net, 2, row));
      const truth = slopes((s) => net.output.y(onward(net, 1, s)), a[1]);
      return [carried.map((row) => times(dh(net, 1, a[1]), row)), truth, carried];
    },
  ],
  "eq-jacobian-end": [
    "the bias column taken for an input",
    () => {
      const { net, x } = chance();
      const [, first] = wave(net, x);
      const shifted = matmul(
        first,
        net.W[0].map((row) => row.slice(0, -1)),
      );
      return [inputJacobian(net, x), slopes((v) => forward(net, v).y, x), shifted];
    },
  ],
  "eq-jacobian-parameters": [
    "w in place of z",
    () => {
      const { net, w, x } = chance();
      const [, ...layers] = wave(net, x);
      const wrong = layers[0].map((_, k) =>
        layers.flatMap((layer, l) =>
          layer[k].flatMap((value, j) => net.W[l][j].map((own) => value * own)),
        ),
      );
      return [
        parameterJacobian(net, x),
        slopes((v) => forward(withParameters(net, v), x).y, w),
        wrong,
      ];
    },
  ],
};

export const PASSES = { ...network, ...backpropagation, ...jacobian };
