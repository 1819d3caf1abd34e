// Checks in the page, chapters 8 and 9: the outer product, and products with a vector.

import {
  dot,
  errorSignals,
  forward,
  matmul,
  parameterJacobian,
  withParameters,
} from "./core.mjs";
import {
  changesForward,
  hessianVectorProduct,
  layersOf,
  outerProductHessian,
} from "./curvature.mjs";
import {
  bends,
  outer,
  plus,
  rate,
  slopes,
  sum,
  transpose,
  vector,
} from "./chance.mjs";
import { curved, eye, gradientOf, rows, scaled, SMALL } from "./curved.mjs";
import { applied } from "./solving.mjs";

/** ∇∇a_k, one matrix for each output, by differences of the parameter Jacobian. */
const bendsOfSums = ({ net, w, x }) =>
  net.W.at(-1).map((_, k) =>
    slopes((v) => parameterJacobian(withParameters(net, v), x, "activations")[k], w),
  );
const residualTerm = (found) =>
  bendsOfSums(found)
    .map((bend, k) => scaled(bend, found.trace.y[k] - found.t[k]))
    .reduce(plus);
/** Second derivatives of the error with the network replaced by its tangent. */
function ofTangent({ net, w, x, t, trace }) {
  const J = parameterJacobian(net, x, "activations");
  return slopes((v) => {
    const move = v.map((value, p) => value - w[p]);
    const y = net.output.y(trace.a.at(-1).map((a, k) => a + dot(J[k], move)));
    return matmul([y.map((value, k) => value - t[k])], J)[0];
  }, w);
}
const product = (J, M) => matmul(transpose(J), matmul(M, J));

const outerProduct = {
  "eq-outer-product-squares": [
    "the second sum dropped",
    () => {
      const found = curved([2, 3, 1], ["tanh"], "linear");
      const [g] = parameterJacobian(found.net, found.x);
      return [
        plus(outer(g, g), residualTerm(found)),
        slopes(gradientOf(found), found.w),
        outer(g, g),
      ];
    },
  ],
  "eq-outer-product-exact": [
    "the second sum dropped",
    () => {
      const found = curved(...SMALL);
      const G = product(parameterJacobian(found.net, found.x, "activations"), found.M);
      return [plus(G, residualTerm(found)), slopes(gradientOf(found), found.w), G];
    },
  ],
  "eq-outer-product": [
    "M left out",
    () => {
      const found = curved(...SMALL);
      const J = parameterJacobian(found.net, found.x, "activations");
      return [
        rows(outerProductHessian(found.net, [found.x])),
        ofTangent(found),
        product(J, eye(2)),
      ];
    },
  ],
  "eq-outer-product-sigmoid": [
    "∇y in place of ∇a",
    () => {
      const found = curved([2, 3, 1], ["tanh"], "sigmoid");
      const slope = found.M[0][0];
      const [g, wrong] = ["activations", "outputs"].map(
        (of) => parameterJacobian(found.net, found.x, of)[0],
      );
      return [
        scaled(outer(g, g), slope),
        ofTangent(found),
        scaled(outer(wrong, wrong), slope),
      ];
    },
  ],
  "eq-outer-product-diagonal": [
    "the diagonal of M alone",
    () => {
      const found = curved(...SMALL);
      const J = parameterJacobian(found.net, found.x, "activations");
      const by = (M) =>
        J[0].map((_, p) =>
          sum(M.flatMap((row, k) => row.map((m, l) => J[k][p] * m * J[l][p]))),
        );
      const alone = found.M.map((row, k) =>
        row.map((value, l) => (k === l ? value : 0)),
      );
      return [by(found.M), ofTangent(found).map((row, p) => row[p]), by(alone)];
    },
  ],
};

/** A chance, a direction v, and the passes at w + r v. */
function pushed(...given) {
  const found = curved(...given);
  const v = vector(found.w.length);
  const at = (r) => {
    const net = withParameters(
      found.net,
      found.w.map((value, p) => value + r * v[p]),
    );
    const trace = forward(net, found.x);
    return { net, trace, delta: errorSignals(net, trace, found.t) };
  };
  const layers = layersOf(found.net, v);
  return { ...found, v, at, layers, ...changesForward(found.net, found.trace, layers) };
}

const hessianVector = {
  "eq-hessian-vector-definition": [
    "every lone δ left out",
    () => {
      const found = pushed(...SMALL);
      const Hv = hessianVectorProduct(found.net, [found.x], [found.t], found.v);
      const truth = rate((r) =>
        gradientOf(found)(found.w.map((value, p) => value + r * found.v[p])),
      );
      return [Hv, truth, applied(outerProductHessian(found.net, [found.x]), found.v)];
    },
  ],
  "eq-hessian-vector-sum": [
    "v z forgotten",
    () => {
      const { net, trace, layers, Rz, at } = pushed();
      const by = (own) =>
        net.W[1].map((row, j) => dot(row, Rz[1]) + own * dot(layers[1][j], trace.z[1]));
      return [by(1), rate((r) => at(r).trace.a[1]), by(0)];
    },
  ],
  "eq-hessian-vector-unit": [
    "h′ forgotten",
    () => {
      const { dh, Ra, at } = pushed();
      return [
        Ra[0].map((change, j) => dh[0][j] * change),
        rate((r) => at(r).trace.z[1].slice(1)),
        Ra[0],
      ];
    },
  ],
  "eq-hessian-vector-start": [
    "the diagonal of M alone",
    () => {
      const { M, Ra, at } = pushed();
      return [
        applied(M, Ra[2]),
        rate((r) => at(r).delta[2]),
        M.map((row, k) => row[k] * Ra[2][k]),
      ];
    },
  ],
  "eq-hessian-vector-step": [
    "the bend h″ forgotten",
    () => {
      const found = pushed();
      const { V, layers, M, Ra, delta, dh, d2h, at } = found;
      const top = applied(M, Ra[2]);
      const by = (bend) =>
        dh[1].map(
          (slope, j) =>
            slope *
              sum(
                V[2].map(
                  (row, k) => row[j] * top[k] + layers[2][k][1 + j] * delta[2][k],
                ),
              ) +
            bend * d2h[1][j] * Ra[1][j] * found.blame(2)[j],
        );
      return [by(1), rate((r) => at(r).delta[1]), by(0)];
    },
  ],
  "eq-hessian-vector-product": [
    "δ R{z} forgotten",
    () => {
      const {
        M,
        Ra,
        Rz,
        delta,
        trace: { z },
        at,
      } = pushed();
      const top = applied(M, Ra[2]);
      const by = (second) =>
        top.flatMap((change, k) =>
          z[2].map((send, i) => change * send + second * delta[2][k] * Rz[2][i]),
        );
      const truth = rate((r) => {
        const moved = at(r);
        return moved.delta[2].flatMap((d) => moved.trace.z[2].map((send) => d * send));
      });
      return [by(1), truth, by(0)];
    },
  ],
};

/** A chance with the slopes of its sums along each input, and a direction of these. */
function stirred() {
  const found = curved();
  const { V, dh, net, x } = found;
  const v = vector(x.length);
  const slope = V[0].map((row) => [...row]);
  const into = matmul(
    V[1],
    slope.map((row, j) => row.map((value) => dh[0][j] * value)),
  );
  const bendsOf = (j) => bends((at) => forward(net, at).z[2][1 + j], x);
  return { ...found, v, slope, into, bendsOf: dh[1].map((_, j) => bendsOf(j)) };
}

const alongInputs = {
  "eq-hessian-vector-laplacian": [
    "the unit's own bend forgotten",
    () => {
      const { V, dh, d2h, slope, into, bendsOf } = stirred();
      const square = (row) => sum(row.map((value) => value * value));
      const below = slope.map((row, j) => d2h[0][j] * square(row));
      const arrives = applied(V[1], below);
      const by = (own) =>
        arrives.map((value, j) => dh[1][j] * value + own * d2h[1][j] * square(into[j]));
      return [by(1), bendsOf.map((H) => sum(H.map((row, i) => row[i]))), by(0)];
    },
  ],
  "eq-hessian-vector-inputs": [
    "the unit's own bend forgotten",
    () => {
      const { V, dh, d2h, slope, into, bendsOf, v } = stirred();
      const own = (rows, bend) => rows.map((row, j) => row.map((a) => bend[j] * a));
      const Ra = applied(slope, v);
      const below = own(slope, Ra.map((value, j) => d2h[0][j] * value));
      const arrives = own(matmul(V[1], below), dh[1]);
      const Rb = applied(into, v).map((value, j) => d2h[1][j] * value);
      return [plus(arrives, own(into, Rb)), bendsOf.map((H) => applied(H, v)), arrives];
    },
  ],
};

export const PRODUCTS = { ...outerProduct, ...hessianVector, ...alongInputs };
