// Small networks in plain JavaScript: the library's lessons once more, function by
// function under the names that they have there, for the figures and for the page that
// takes a network. The tests hold every one of them to the library's numbers.
//
// A network is {sizes, hidden, output, W}: W[l][j][i] is the weight to unit j from unit
// i, and i = 0 is the bias. Patterns are the rows of X and T. All is plain arrays.

const sigmoid = (a) =>
  a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a));
const sigmoidSlope = (a) => sigmoid(a) * sigmoid(-a);
// 1/cosh² and not 1 − tanh², which loses every digit once tanh rounds to 1
const tanhSlope = (a) => {
  const e = Math.exp(-2 * Math.abs(a));
  return (4 * e) / (1 + e) ** 2;
};

export const HIDDEN_UNITS = {
  identity: { h: (a) => a, dh: () => 1, d2h: () => 0 },
  tanh: { h: Math.tanh, dh: tanhSlope, d2h: (a) => -2 * Math.tanh(a) * tanhSlope(a) },
  sigmoid: {
    h: sigmoid,
    dh: sigmoidSlope,
    d2h: (a) => -sigmoidSlope(a) * Math.tanh(a / 2),
  },
  softplus: {
    h: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
    dh: sigmoid,
    d2h: sigmoidSlope,
  },
  relu: { h: (a) => (a > 0 ? a : 0), dh: (a) => (a > 0 ? 1 : 0), d2h: () => 0 },
};

const diagonal = (d) => d.map((value, k) => d.map((_, l) => (k === l ? value : 0)));

function softmax(a) {
  const top = Math.max(...a);
  const e = a.map((value) => Math.exp(value - top));
  const sum = e.reduce((s, value) => s + value, 0);
  return e.map((value) => value / sum);
}

// 1 − y_k as the sum of the other classes, which keeps its digits where y_k is near 1
const rest = (y, k) => y.reduce((s, value, l) => (l === k ? s : s + value), 0);

export const OUTPUT_UNITS = {
  linear: {
    y: (a) => [...a],
    M: (a) => diagonal(a.map(() => 1)),
    error: (a, t) => a.reduce((s, value, k) => s + (value - t[k]) ** 2 / 2, 0),
  },
  sigmoid: {
    y: (a) => a.map(sigmoid),
    M: (a) => diagonal(a.map(sigmoidSlope)),
    error: (a, t) =>
      a.reduce((s, value, k) => {
        const missed = value > 0 ? 1 - t[k] : t[k];
        return s + missed * Math.abs(value) + Math.log1p(Math.exp(-Math.abs(value)));
      }, 0),
  },
  softmax: {
    y: softmax,
    M: (a) => {
      const y = softmax(a);
      return y.map((p, k) => y.map((q, l) => (k === l ? p * rest(y, k) : -p * q)));
    },
    error: (a, t) => {
      const top = Math.max(...a);
      const sum = a.reduce((s, value) => s + Math.exp(value - top), 0);
      return Math.log(sum) - a.reduce((s, value, k) => s + t[k] * (value - top), 0);
    },
  },
};

export const dot = (u, v) => {
  let sum = 0;
  for (let i = 0; i < u.length; i++) sum += u[i] * v[i];
  return sum;
};
export const matmul = (A, B) =>
  A.map((row) =>
    B[0].map((_, c) => row.reduce((s, value, i) => s + value * B[i][c], 0)),
  );
/** The weights of a layer without the column of the biases. */
export const withoutBias = (W) => W.map((row) => row.slice(1));

/** The network whose parameters are the flat list w, laid out as in the library. */
export function network({ sizes, hidden, output, w }) {
  let start = 0;
  const W = sizes
    .slice(1)
    .map((outs, l) =>
      Array.from({ length: outs }, () => w.slice(start, (start += 1 + sizes[l]))),
    );
  const names = Array.isArray(hidden) ? hidden : sizes.slice(2).map(() => hidden);
  return {
    sizes,
    W,
    hidden: names.map((name) => HIDDEN_UNITS[name]),
    output: OUTPUT_UNITS[output],
  };
}

export const nParameters = (net) =>
  net.W.reduce((P, W) => P + W.length * W[0].length, 0);
export const flat = (layers) => layers.flatMap((W) => W.flatMap((row) => [...row]));
/** The same network with other parameters. */
export const withParameters = (net, w) => {
  let start = 0;
  const W = net.W.map((layer) =>
    layer.map((row) => w.slice(start, (start += row.length))),
  );
  return { ...net, W };
};

/** Where each weight layer begins in w. */
export function starts(net) {
  let start = 0;
  return net.W.map((W) => (start += W.length * W[0].length) - W.length * W[0].length);
}

export function forward(net, x) {
  const a = [];
  const z = [[1, ...x]];
  net.W.forEach((W, l) => {
    a.push(W.map((row) => dot(row, z[l])));
    if (l < net.W.length - 1) z.push([1, ...a[l].map(net.hidden[l].h)]);
  });
  return { a, z, y: net.output.y(a.at(-1)) };
}

/** ∂y_k/∂a_j of every layer, the outputs last, and ∂y_k/∂x_i in front. */
export function wave(net, x, start = net.output.M) {
  const { a } = forward(net, x);
  const found = [start(a.at(-1))];
  for (let l = net.W.length - 1; l > 0; l--) {
    const slope = a[l - 1].map(net.hidden[l - 1].dh);
    const sums = matmul(found[0], withoutBias(net.W[l]));
    found.unshift(sums.map((row) => row.map((value, j) => value * slope[j])));
  }
  found.unshift(matmul(found[0], withoutBias(net.W[0])));
  return found;
}

export const inputJacobian = (net, x) => wave(net, x)[0];

/** ∂y_k/∂w, or ∂a_k/∂w of the outputs' sums, one row for each output. */
export function parameterJacobian(net, x, of = "outputs") {
  const { z } = forward(net, x);
  const sums = (a) => diagonal(a.map(() => 1));
  const by = wave(net, x, of === "outputs" ? net.output.M : sums).slice(1);
  return by
    .at(-1)
    .map((_, k) =>
      by.flatMap((layer, l) =>
        layer[k].flatMap((value) => z[l].map((send) => value * send)),
      ),
    );
}

export const error = (net, X, T) =>
  X.reduce((E, x, n) => E + net.output.error(forward(net, x).a.at(-1), T[n]), 0);

export function errorSignals(net, trace, t) {
  const delta = [trace.y.map((y, k) => y - t[k])];
  for (let l = net.W.length - 1; l > 0; l--) {
    const back = trace.a[l - 1].map((a, j) => {
      const blame = net.W[l].reduce((s, row, k) => s + row[1 + j] * delta[0][k], 0);
      return net.hidden[l - 1].dh(a) * blame;
    });
    delta.unshift(back);
  }
  return delta;
}

export function errorGradient(net, X, T) {
  const sum = new Float64Array(nParameters(net));
  X.forEach((x, n) => {
    const trace = forward(net, x);
    const delta = errorSignals(net, trace, T[n]);
    let p = 0;
    delta.forEach((d, l) =>
      d.forEach((dj) => trace.z[l].forEach((zi) => (sum[p++] += dj * zi))),
    );
  });
  return [...sum];
}
