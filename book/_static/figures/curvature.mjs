// Second derivatives of the error: the exact Hessian block by block, the outer product,
// and the product with a vector. The plan of each function is that of the library's.

import {
  errorSignals,
  forward,
  matmul,
  nParameters,
  parameterJacobian,
  starts,
  withoutBias,
} from "./core.mjs";

/** ∂z_i/∂a_q one layer further left; without G, unit i is unit q itself. */
function feed(G, V, slope) {
  if (!G) return slope.map((s, q) => slope.map((_, i) => (i === q ? s : 0)));
  return matmul(G, V).map((row) => row.map((value, q) => value * slope[q]));
}

/** M_jq of layer l − 1 from B_kq = ∂δ_k/∂a_q of layer l. */
function oneLayerDown(net, trace, delta, l, B) {
  const unit = net.hidden[l - 1];
  return trace.a[l - 1].map((a, j) => {
    const down = net.W[l].map((row) => row[1 + j]);
    const blame = down.reduce((s, w, k) => s + w * delta[l][k], 0);
    return trace.a[l - 1].map((_, q) => {
      const carried = down.reduce((s, w, k) => s + w * B[k][q], 0);
      return unit.dh(a) * carried + (j === q ? unit.d2h(a) * blame : 0);
    });
  });
}

/** The factors z, δ, B and G of each pair of layers (l, m), m ≤ l, at one pattern. */
export function factors(net, x, t) {
  const trace = forward(net, x);
  const delta = errorSignals(net, trace, t);
  const pairs = [];
  let M = net.output.M(trace.a.at(-1));
  for (let l = net.W.length - 1; l >= 0; l--) {
    pairs.push({ l, m: l, B: M, G: null });
    let B = M;
    let G = null;
    for (let m = l - 1; m >= 0; m--) {
      const V = withoutBias(net.W[m + 1]);
      const slope = trace.a[m].map(net.hidden[m].dh);
      B = matmul(B, V).map((row) => row.map((value, q) => value * slope[q]));
      G = feed(G, V, slope);
      pairs.push({ l, m, B, G });
      if (m === l - 1) M = oneLayerDown(net, trace, delta, l, B);
    }
  }
  return { z: trace.z, delta, pairs };
}

/** Add z_p (z_i B_jq + δ_j G_iq) of one pattern to the block of (l, m) and its mirror. */
function addBlock(H, place, { l, m, B, G }, z, delta) {
  const [columns, rows] = [z[m].length, z[l].length];
  for (let j = 0; j < B.length; j++)
    for (let i = 0; i < rows; i++) {
      const r = place[l] + j * rows + i;
      for (let q = 0; q < B[0].length; q++) {
        const fed = G && i > 0 ? delta[l][j] * G[i - 1][q] : 0;
        const both = z[l][i] * B[j][q] + fed;
        for (let p = 0; p < columns; p++) {
          const s = place[m] + q * columns + p;
          H[r][s] += z[m][p] * both;
          if (l !== m) H[s][r] = H[r][s];
        }
      }
    }
}

export function exactHessian(net, X, T) {
  const P = nParameters(net);
  const H = Array.from({ length: P }, () => new Float64Array(P));
  const place = starts(net);
  X.forEach((x, n) => {
    const { z, delta, pairs } = factors(net, x, T[n]);
    pairs.forEach((pair) => addBlock(H, place, pair, z, delta));
  });
  return H;
}

/** Σ_n J_nᵀ M_n J_n. */
export function outerProductHessian(net, X) {
  const P = nParameters(net);
  const G = Array.from({ length: P }, () => new Float64Array(P));
  for (const x of X) {
    const J = parameterJacobian(net, x, "activations");
    const MJ = matmul(net.output.M(forward(net, x).a.at(-1)), J);
    J.forEach((row, k) => {
      for (let p = 0; p < P; p++)
        for (let q = 0; q < P; q++) G[p][q] += row[p] * MJ[k][q];
    });
  }
  return G;
}

/** R{a} and R{z} of every layer, at one pattern, along the weights V. */
export function changesForward(net, trace, V) {
  const Ra = [];
  const Rz = [trace.z[0].map(() => 0)];
  net.W.forEach((W, l) => {
    Ra.push(
      W.map((row, j) =>
        row.reduce((s, w, i) => s + w * Rz[l][i] + V[l][j][i] * trace.z[l][i], 0),
      ),
    );
    if (l < net.W.length - 1)
      Rz.push([
        0,
        ...Ra[l].map((change, j) => net.hidden[l].dh(trace.a[l][j]) * change),
      ]);
  });
  return { Ra, Rz };
}

/** R{δ} of every layer, at one pattern: the backward pass by the product rule. */
export function changesBackward(net, trace, delta, V, Ra) {
  const M = net.output.M(trace.a.at(-1));
  const Rdelta = [M.map((row) => row.reduce((s, m, k) => s + m * Ra.at(-1)[k], 0))];
  for (let l = net.W.length - 1; l > 0; l--) {
    const unit = net.hidden[l - 1];
    Rdelta.unshift(
      trace.a[l - 1].map((a, j) => {
        let [change, blame] = [0, 0];
        net.W[l].forEach((row, k) => {
          change += row[1 + j] * Rdelta[0][k] + V[l][k][1 + j] * delta[l][k];
          blame += row[1 + j] * delta[l][k];
        });
        return unit.dh(a) * change + unit.d2h(a) * Ra[l - 1][j] * blame;
      }),
    );
  }
  return Rdelta;
}

/** The vector v cut into layers, as the weights are. */
export function layersOf(net, v) {
  let start = 0;
  return net.W.map((W) => W.map((row) => v.slice(start, (start += row.length))));
}

export function hessianVectorProduct(net, X, T, v) {
  const V = layersOf(net, v);
  const sum = new Float64Array(v.length);
  X.forEach((x, n) => {
    const trace = forward(net, x);
    const delta = errorSignals(net, trace, T[n]);
    const { Ra, Rz } = changesForward(net, trace, V);
    const Rdelta = changesBackward(net, trace, delta, V, Ra);
    let p = 0;
    delta.forEach((d, l) =>
      d.forEach((dj, j) =>
        trace.z[l].forEach((zi, i) => (sum[p++] += Rdelta[l][j] * zi + dj * Rz[l][i])),
      ),
    );
  });
  return [...sum];
}
