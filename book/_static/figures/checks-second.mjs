// Checks in the page, chapters 7 to 9: second derivatives, and products with them.

import { dot, error, errorGradient, errorSignals, flat, forward, matmul, parameterJacobian, starts, withParameters } from "./core.mjs";
import { changesForward, exactHessian, factors, hessianVectorProduct, layersOf, outerProductHessian } from "./curvature.mjs";
import { bends, chance, onward, outer, plus, rate, slopes, sum, transpose, vector } from "./chance.mjs";

const scaled = (A, by) => A.map((row) => row.map((value) => by * value));
const eye = (n) => Array.from({ length: n }, (_, r) => Array.from({ length: n }, (_, c) => +(r === c)));
const rows = (H) => H.map((row) => [...row]);
const part = (H, [a, b], [c, d]) => H.slice(a, b).map((row) => [...row].slice(c, d));
const ranges = (net) => [...starts(net), flat(net.W).length].map((start, l, every) => [start, every[l + 1]]).slice(0, -1);

/** A chance with its δ, the factors of each pair of layers, and its pieces by layer. */
function curved(...given) {
  const found = chance(...given);
  const { net, x, t, trace } = found;
  const delta = errorSignals(net, trace, t);
  const { pairs } = factors(net, x, t);
  const pair = (l, m) => pairs.find((each) => each.l === l && each.m === m);
  const [dh, d2h] = ["dh", "d2h"].map((name) => net.hidden.map((unit, l) => trace.a[l].map(unit[name])));
  const blame = (l) => net.W[l][0].slice(1).map((_, j) => sum(net.W[l].map((w, k) => w[1 + j] * delta[l][k])));
  const V = net.W.map((W) => W.map((row) => row.slice(1)));
  return { ...found, delta, pair, dh, d2h, blame, V, M: net.output.M(trace.a.at(-1)) };
}

const gradientOf = ({ net, x, t }) => (w) => errorGradient(withParameters(net, w), [x], [t]);
/** The block of second derivatives of layers l and m, by differences of the gradient. */
function blockOf(found, l, m) {
  const [rowsOf, columnsOf] = [ranges(found.net)[l], ranges(found.net)[m]];
  return part(slopes(gradientOf(found), found.w), rowsOf, columnsOf);
}
/** A block in the order of w, from what each pair of weights w_ji and w_qp has. */
const fill = (J, I, Q, P, entry) =>
  Array.from({ length: J * I }, (_, r) => Array.from({ length: Q * P }, (_, s) => entry(Math.floor(r / I), r % I, Math.floor(s / P), s % P)));
const withSum = (found, l, a) => {
  const top = onward(found.net, l, a);
  const residual = found.net.output.y(top).map((value, k) => value - found.t[k]);
  return { top, residual };
};
/** δ of the middle layer of three, as a function of its own sums. */
const middleDelta = (found) => (a) => {
  const { residual } = withSum(found, 1, a);
  return a.map((value, j) => found.net.hidden[1].dh(value) * sum(found.V[2].map((row, k) => row[j] * residual[k])));
};
const SMALL = [[2, 3, 2], ["tanh"], "softmax"];

const hessian = {
  "eq-hessian-definition": ["half of it left out", () => {
    const { net, w, x, t } = chance([1, 2, 2], ["tanh"], "softmax");
    const H = rows(exactHessian(net, [x], [t]));
    return [H, bends((v) => error(withParameters(net, v), [x], [t]), w), H.map((row, r) => row.map((value, c) => (c > r ? 0 : value)))];
  }],
  "eq-hessian-block": ["the second term forgotten", () => {
    const found = curved();
    const { trace: { z }, delta } = found;
    const { B, G } = found.pair(2, 1);
    const block = (second) => fill(B.length, z[2].length, B[0].length, z[1].length, (j, i, q, p) =>
      z[1][p] * (z[2][i] * B[j][q] + (i ? second * delta[2][j] * G[i - 1][q] : 0)));
    return [block(1), blockOf(found, 2, 1), block(0)];
  }],
  "eq-hessian-diagonal-block": ["the bend h″ forgotten", () => {
    const found = curved();
    const { trace: { z }, d2h } = found;
    const { B: M } = found.pair(1, 1);
    const block = (own) => fill(M.length, z[1].length, M.length, z[1].length, (j, i, q, p) => own[j][q] * z[1][i] * z[1][p]);
    const straight = M.map((row, j) => row.map((value, q) => value - (j === q ? d2h[1][j] * found.blame(2)[j] : 0)));
    return [block(M), blockOf(found, 1, 1), block(straight)];
  }],
  "eq-hessian-diagonal": ["z in place of z²", () => {
    const found = curved();
    const { trace: { z } } = found;
    const { B: M } = found.pair(1, 1);
    const by = (power) => M.flatMap((row, j) => z[1].map((value) => row[j] * value ** power));
    return [by(2), blockOf(found, 1, 1).map((row, r) => row[r]), by(1)];
  }],
  "eq-hessian-output": ["the diagonal alone", () => {
    const { net, t, trace: { a } } = chance();
    const M = net.output.M(a[2]);
    const truth = slopes((s) => net.output.y(s).map((value, k) => value - t[k]), a[2]);
    return [M, truth, M.map((row, k) => row.map((value, l) => (k === l ? value : 0)))];
  }],
  "eq-hessian-left": ["h′ forgotten", () => {
    const found = curved();
    const { B } = found.pair(2, 1);
    const carried = matmul(B, found.V[1]);
    const truth = slopes((s) => withSum(found, 0, s).residual, found.trace.a[0]);
    return [carried.map((row) => row.map((value, q) => value * found.dh[0][q])), truth, carried];
  }],
  "eq-hessian-feed": ["h′ forgotten", () => {
    const { net, trace: { a }, dh } = curved();
    return [eye(4).map((row, i) => row.map((value) => value * dh[0][i])), slopes((s) => s.map(net.hidden[0].h), a[0]), eye(4)];
  }],
  "eq-hessian-down": ["the bend h″ forgotten", () => {
    const found = curved();
    const { V, dh, d2h, trace: { a } } = found;
    const { B } = found.pair(2, 1);
    const M = (bend) => dh[1].map((slope, j) => dh[1].map((_, q) =>
      slope * sum(V[2].map((row, k) => row[j] * B[k][q])) + (j === q ? bend * d2h[1][j] * found.blame(2)[j] : 0)));
    return [M(1), slopes(middleDelta(found), a[1]), M(0)];
  }],
  "eq-hessian-two-layer-22": ["the other class forgotten", () => {
    const found = curved(...SMALL);
    const { M, trace: { z } } = found;
    const block = (coupled) => fill(2, 4, 2, 4, (k, j, l, i) => z[1][j] * z[1][i] * (k === l || coupled ? M[k][l] : 0));
    return [block(true), blockOf(found, 1, 1), block(false)];
  }],
  "eq-hessian-two-layer-11": ["the bend h″ forgotten", () => {
    const found = curved(...SMALL);
    const { M, V, dh, d2h, trace: { z } } = found;
    const inner = matmul(transpose(V[1]), matmul(M, V[1]));
    const block = (bend) => fill(3, 3, 3, 3, (j, i, q, p) =>
      z[0][i] * z[0][p] * ((j === q ? bend * d2h[0][j] * found.blame(1)[j] : 0) + dh[0][j] * dh[0][q] * inner[j][q]));
    return [block(1), blockOf(found, 0, 0), block(0)];
  }],
  "eq-hessian-two-layer-12": ["j and j′ exchanged, as once printed", () => {
    const found = curved(...SMALL);
    const { M, V, dh, delta, trace: { z } } = found;
    const MV = matmul(M, V[1]);
    const right = fill(3, 3, 2, 3, (j, i, k, jj) => z[0][i] * dh[0][j] * ((j === jj ? delta[1][k] : 0) + z[1][1 + jj] * MV[k][j]));
    const wrong = fill(3, 3, 2, 3, (j, i, k, jj) => z[0][i] * dh[0][jj] * ((j === jj ? delta[1][k] : 0) + z[1][1 + j] * MV[k][jj]));
    const truth = blockOf(found, 0, 1).map((row) => row.filter((_, c) => c % 4)); // no biases
    return [right, truth, wrong];
  }],
};

/** ∇∇a_k, one matrix for each output, by differences of the parameter Jacobian. */
const bendsOfSums = ({ net, w, x }) =>
  net.W.at(-1).map((_, k) => slopes((v) => parameterJacobian(withParameters(net, v), x, "activations")[k], w));
const residualTerm = (found) =>
  bendsOfSums(found).map((bend, k) => scaled(bend, found.trace.y[k] - found.t[k])).reduce(plus);
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
  "eq-outer-product-squares": ["the second sum dropped", () => {
    const found = curved([2, 3, 1], ["tanh"], "linear");
    const [g] = parameterJacobian(found.net, found.x);
    return [plus(outer(g, g), residualTerm(found)), slopes(gradientOf(found), found.w), outer(g, g)];
  }],
  "eq-outer-product-exact": ["the second sum dropped", () => {
    const found = curved(...SMALL);
    const G = product(parameterJacobian(found.net, found.x, "activations"), found.M);
    return [plus(G, residualTerm(found)), slopes(gradientOf(found), found.w), G];
  }],
  "eq-outer-product": ["M left out", () => {
    const found = curved(...SMALL);
    const J = parameterJacobian(found.net, found.x, "activations");
    return [rows(outerProductHessian(found.net, [found.x])), ofTangent(found), product(J, eye(2))];
  }],
  "eq-outer-product-sigmoid": ["∇y in place of ∇a", () => {
    const found = curved([2, 3, 1], ["tanh"], "sigmoid");
    const slope = found.M[0][0];
    const [g, wrong] = ["activations", "outputs"].map((of) => parameterJacobian(found.net, found.x, of)[0]);
    return [scaled(outer(g, g), slope), ofTangent(found), scaled(outer(wrong, wrong), slope)];
  }],
  "eq-outer-product-diagonal": ["the diagonal of M alone", () => {
    const found = curved(...SMALL);
    const J = parameterJacobian(found.net, found.x, "activations");
    const by = (M) => J[0].map((_, p) => sum(M.flatMap((row, k) => row.map((m, l) => J[k][p] * m * J[l][p]))));
    const alone = found.M.map((row, k) => row.map((value, l) => (k === l ? value : 0)));
    return [by(found.M), ofTangent(found).map((row, p) => row[p]), by(alone)];
  }],
};

/** A chance, a direction v, and the passes at w + r v. */
function pushed(...given) {
  const found = curved(...given);
  const v = vector(found.w.length);
  const at = (r) => {
    const net = withParameters(found.net, found.w.map((value, p) => value + r * v[p]));
    const trace = forward(net, found.x);
    return { net, trace, delta: errorSignals(net, trace, found.t) };
  };
  const layers = layersOf(found.net, v);
  return { ...found, v, at, layers, ...changesForward(found.net, found.trace, layers) };
}
const applied = (M, u) => M.map((row) => dot(row, u));

const hessianVector = {
  "eq-hessian-vector-definition": ["every lone δ left out", () => {
    const found = pushed(...SMALL);
    const Hv = hessianVectorProduct(found.net, [found.x], [found.t], found.v);
    const truth = rate((r) => gradientOf(found)(found.w.map((value, p) => value + r * found.v[p])));
    return [Hv, truth, applied(outerProductHessian(found.net, [found.x]), found.v)];
  }],
  "eq-hessian-vector-sum": ["v z forgotten", () => {
    const { net, trace, layers, Rz, at } = pushed();
    const by = (own) => net.W[1].map((row, j) => dot(row, Rz[1]) + own * dot(layers[1][j], trace.z[1]));
    return [by(1), rate((r) => at(r).trace.a[1]), by(0)];
  }],
  "eq-hessian-vector-unit": ["h′ forgotten", () => {
    const { dh, Ra, at } = pushed();
    return [Ra[0].map((change, j) => dh[0][j] * change), rate((r) => at(r).trace.z[1].slice(1)), Ra[0]];
  }],
  "eq-hessian-vector-start": ["the diagonal of M alone", () => {
    const { M, Ra, at } = pushed();
    return [applied(M, Ra[2]), rate((r) => at(r).delta[2]), M.map((row, k) => row[k] * Ra[2][k])];
  }],
  "eq-hessian-vector-step": ["the bend h″ forgotten", () => {
    const found = pushed();
    const { V, layers, M, Ra, delta, dh, d2h, at } = found;
    const top = applied(M, Ra[2]);
    const by = (bend) => dh[1].map((slope, j) =>
      slope * sum(V[2].map((row, k) => row[j] * top[k] + layers[2][k][1 + j] * delta[2][k])) + bend * d2h[1][j] * Ra[1][j] * found.blame(2)[j]);
    return [by(1), rate((r) => at(r).delta[1]), by(0)];
  }],
  "eq-hessian-vector-product": ["δ R{z} forgotten", () => {
    const { M, Ra, Rz, delta, trace: { z }, at } = pushed();
    const top = applied(M, Ra[2]);
    const by = (second) => top.flatMap((change, k) => z[2].map((send, i) => change * send + second * delta[2][k] * Rz[2][i]));
    const truth = rate((r) => {
      const moved = at(r);
      return moved.delta[2].flatMap((d) => moved.trace.z[2].map((send) => d * send));
    });
    return [by(1), truth, by(0)];
  }],
};

export const SECOND = { ...hessian, ...outerProduct, ...hessianVector };
