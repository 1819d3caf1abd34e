// Checks in the page, chapters 4 and 5: output units, and errors of inputs.

import {
  dot,
  error,
  forward,
  inputJacobian,
  matmul,
  OUTPUT_UNITS,
  parameterJacobian,
  withParameters,
} from "./core.mjs";
import {
  chance,
  outer,
  plus,
  rate,
  slopes,
  transpose,
  unit,
  vector,
} from "./chance.mjs";

const times = (u, v) => u.map((value, n) => value * v[n]);
const diagonalOf = (M) =>
  M.map((row, k) => row.map((value, l) => (k === l ? value : 0)));

const K = 4;
const ofUnit = (name, mistake) => () => {
  const a = vector(K);
  const { y, M } = OUTPUT_UNITS[name];
  return [M(a), slopes(y, a), mistake(y(a), M(a))];
};
const outputUnits = {
  "eq-output-units-linear": [
    "every sum moves every output",
    ofUnit("linear", (y) => y.map(() => y.map(() => 1))),
  ],
  "eq-output-units-sigmoid": [
    "y in place of y(1 − y)",
    ofUnit("sigmoid", (y) =>
      diagonalOf(
        outer(
          y,
          y.map(() => 1),
        ),
      ),
    ),
  ],
  "eq-output-units-softmax": [
    "the diagonal alone",
    ofUnit("softmax", (_, M) => diagonalOf(M)),
  ],
  "eq-output-units-covariance": [
    "the means not taken off",
    () => {
      const a = vector(K);
      const y = OUTPUT_UNITS.softmax.y(a);
      const off = y.map((_, k) => unit(K, k).map((value, l) => value - y[l]));
      const drawn = off.map((e, k) =>
        outer(e, e).map((row) => row.map((value) => y[k] * value)),
      );
      return [
        OUTPUT_UNITS.softmax.M(a),
        drawn.reduce(plus),
        diagonalOf(
          outer(
            y,
            y.map(() => 1),
          ),
        ),
      ];
    },
  ],
  "eq-output-units-canonical": [
    "squares on a sigmoid",
    () => {
      const a = vector(K);
      const t = a.map(() => Math.random());
      const { y, error: E } = OUTPUT_UNITS.sigmoid;
      const residual = y(a).map((value, k) => value - t[k]);
      return [
        residual,
        slopes((s) => [E(s, t)], a)[0],
        times(
          residual,
          y(a).map((value) => value * (1 - value)),
        ),
      ];
    },
  ],
};

const sensitivity = {
  "eq-sensitivity-error": [
    "J at another input",
    () => {
      const { net, x } = chance();
      const dx = vector(x.length);
      const along = (J) => J.map((row) => dot(row, dx));
      const truth = rate(
        (s) =>
          forward(
            net,
            x.map((value, i) => value + s * dx[i]),
          ).y,
      );
      return [
        along(inputJacobian(net, x)),
        truth,
        along(
          inputJacobian(
            net,
            x.map((value) => value + 0.5),
          ),
        ),
      ];
    },
  ],
  "eq-sensitivity-covariance": [
    "the inputs taken as independent",
    () => {
      const { net, x } = chance();
      const root = x.map(() => vector(x.length)); // Σ is root times its transpose
      const S = matmul(root, transpose(root));
      const J = inputJacobian(net, x);
      const spread = (C) => matmul(matmul(J, C), transpose(J));
      const moves = transpose(root).map((column) =>
        rate(
          (s) =>
            forward(
              net,
              x.map((value, i) => value + s * column[i]),
            ).y,
        ),
      );
      return [
        spread(S),
        moves.map((move) => outer(move, move)).reduce(plus),
        spread(diagonalOf(S)),
      ];
    },
  ],
  "eq-sensitivity-chain": [
    "the second module's J at the wrong place",
    () => {
      const [first, second] = [
        chance([3, 4, 2], "tanh", "linear"),
        chance([2, 3, 4], "softplus", "softmax"),
      ];
      const z = first.trace.y;
      const J = inputJacobian(first.net, first.x);
      const truth = slopes(
        (v) => forward(second.net, forward(first.net, v).y).y,
        first.x,
      );
      return [
        matmul(inputJacobian(second.net, z), J),
        truth,
        matmul(
          inputJacobian(
            second.net,
            z.map((value) => value + 1),
          ),
          J,
        ),
      ];
    },
  ],
  "eq-sensitivity-modules": [
    "the second module left out",
    () => {
      const [first, second] = [
        chance([3, 4, 2], "tanh", "linear"),
        chance([2, 3, 2], "softplus", "linear"),
      ];
      const E = (net) => error(second.net, [forward(net, first.x).y], [second.t]);
      const { y } = forward(second.net, first.trace.y);
      const blame = [y.map((value, k) => value - second.t[k])];
      const J_w = parameterJacobian(first.net, first.x);
      const truth = slopes((v) => [E(withParameters(first.net, v))], first.w);
      return [
        matmul(blame, matmul(inputJacobian(second.net, first.trace.y), J_w)),
        truth,
        matmul(blame, J_w),
      ];
    },
  ],
};

export const OUTPUTS = { ...outputUnits, ...sensitivity };
