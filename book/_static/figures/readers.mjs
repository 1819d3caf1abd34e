// A file that a reader drops becomes a network, or one sentence that says why not. Files
// come from anywhere: nothing in them is believed before it is checked, and no name in
// them is ever more than text.

import { HIDDEN_UNITS, OUTPUT_UNITS } from "./core.mjs";

export const LIMITS = { bytes: 20e6, header: 1e6, parameters: 1e5, layers: 20, patterns: 2000 };
const ACTIVATIONS = {
  identity: "identity", linear: "identity", logistic: "sigmoid", sigmoid: "sigmoid",
  tanh: "tanh", relu: "relu", softplus: "softplus",
};
const OUTPUTS = {
  identity: "linear", linear: "linear", logistic: "sigmoid", sigmoid: "sigmoid", softmax: "softmax",
};

/** The one sentence that a reader gets in place of a network. */
export class Refusal extends Error {}
const refuse = (sentence) => {
  throw new Refusal(sentence);
};

const shorten = (name) => {
  const text = typeof name === "string" ? name : "something that is no name";
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
};
const many = (count) => count.toLocaleString("en-GB");

function lookUp(table, name, what) {
  if (typeof name === "string" && Object.hasOwn(table, name)) return table[name];
  const known = Object.keys(table).join(", ");
  return refuse(`The ${what} “${shorten(name)}” is none of those that this page knows: ${known}.`);
}

function numbers(row, length, what) {
  if (!Array.isArray(row)) refuse(`${what} is not a list of numbers.`);
  if (length !== undefined && row.length !== length)
    refuse(`${what} has ${many(row.length)} numbers where ${many(length)} are due.`);
  if (!row.every((value) => Number.isFinite(value)))
    refuse(`${what} holds something that is not a finite number.`);
  return row;
}

function table(rows, columns, what, count) {
  if (!Array.isArray(rows) || !rows.length) refuse(`${what} is not a table of numbers.`);
  if (count !== undefined && rows.length !== count)
    refuse(`${what} has ${many(rows.length)} rows where ${many(count)} are due.`);
  const width = columns ?? (Array.isArray(rows[0]) ? rows[0].length : 0);
  if (!width) refuse(`${what} is not a table of numbers.`);
  rows.forEach((row, n) => numbers(row, width, `Row ${n} of ${what}`));
  return rows;
}

function countParameters(shapes) {
  const P = shapes.reduce((sum, [outs, ins]) => sum + outs * (ins + 1), 0);
  if (!(P <= LIMITS.parameters))
    refuse(`The network has ${many(P)} parameters; this page takes up to ${many(LIMITS.parameters)}.`);
}

/** The network with its names and data, once every part is known to fit. */
function assemble(W, hidden, output, { X, T, inputs, outputs }) {
  const sizes = [W[0][0].length - 1, ...W.map((layer) => layer.length)];
  const names = (given, length, letter) => {
    if (given === undefined) return Array.from({ length }, (_, n) => `${letter}${n}`);
    if (!Array.isArray(given) || given.length !== length)
      refuse(`There are ${many(length)} ${letter === "x" ? "inputs" : "outputs"}, but not as many names for them.`);
    if (!given.every((name) => typeof name === "string")) refuse("A name in the file is no text.");
    return given.map(shorten);
  };
  if (T !== undefined && X === undefined) refuse("There are targets T, but no inputs X that they belong to.");
  if (X !== undefined) {
    table(X, sizes[0], "X");
    if (X.length > LIMITS.patterns)
      refuse(`X has ${many(X.length)} patterns; this page takes up to ${many(LIMITS.patterns)}.`);
  }
  if (T !== undefined) suits(table(T, sizes.at(-1), "T", X.length), output);
  return {
    net: {
      sizes,
      W,
      hidden: W.slice(1).map(() => HIDDEN_UNITS[hidden]),
      output: OUTPUT_UNITS[output],
    },
    units: { hidden, output },
    inputs: names(inputs, sizes[0], "x"),
    outputs: names(outputs, sizes.at(-1), "y"),
    X,
    T,
  };
}

function suits(T, output) {
  const between = T.every((row) => row.every((t) => t >= 0 && t <= 1));
  if (output !== "linear" && !between) refuse(`Targets of ${output} outputs lie between 0 and 1, and some in T do not.`);
  const whole = T.every((row) => Math.abs(row.reduce((s, t) => s + t, 0) - 1) < 1e-6);
  if (output === "softmax" && !whole) refuse("Each row of T must sum to 1 where the outputs are a softmax.");
}

/** The network in the text of a JSON file, written by the recipe of the page. */
export function readJSON(text) {
  let parts;
  try {
    parts = JSON.parse(text);
  } catch (failure) {
    if (failure instanceof RangeError) refuse("The JSON is nested too deeply to be a network.");
    if (/[[,:\s](NaN|-?Infinity)\b/.test(text)) refuse("The file holds NaN or Infinity, which are no numbers in JSON.");
    refuse("This is not JSON, or it breaks off before its end.");
  }
  if (parts === null || typeof parts !== "object" || Array.isArray(parts))
    refuse("The JSON holds no network: an object with “coefs” and “intercepts” is expected.");
  const own = (name) => (Object.hasOwn(parts, name) ? parts[name] : undefined);
  const [coefs, intercepts] = [own("coefs"), own("intercepts")];
  if (!Array.isArray(coefs) || !coefs.length || !Array.isArray(intercepts))
    refuse("The JSON holds no network: lists named “coefs” and “intercepts” are expected.");
  if (coefs.length > LIMITS.layers)
    refuse(`The network has ${many(coefs.length)} layers of weights; this page takes up to ${LIMITS.layers}.`);
  if (intercepts.length !== coefs.length)
    refuse(`There are ${many(coefs.length)} tables of weights, but ${many(intercepts.length)} lists of biases.`);
  let width;
  coefs.forEach((layer, l) => {
    table(layer, undefined, `coefs[${l}]`, width);
    width = layer[0].length;
  });
  countParameters(coefs.map((layer) => [layer[0].length, layer.length]));
  const W = coefs.map((layer, l) => {
    const biases = numbers(intercepts[l], layer[0].length, `intercepts[${l}]`);
    return biases.map((bias, j) => [bias, ...layer.map((row) => row[j])]);
  });
  const hidden = W.length > 1 ? lookUp(ACTIVATIONS, own("activation"), "activation") : "identity";
  const output = lookUp(OUTPUTS, own("out_activation"), "activation of the outputs");
  return assemble(W, hidden, output, { X: own("X"), T: own("T"), inputs: own("inputs"), outputs: own("outputs") });
}

const half = (bits) => {
  const [sign, power, rest] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (power === 31) return rest ? NaN : sign * Infinity;
  return sign * (power ? (1 + rest / 1024) * 2 ** (power - 15) : (rest / 1024) * 2 ** -14);
};
const bfloat = new DataView(new ArrayBuffer(4));
const DTYPES = {
  F64: [8, (view, at) => view.getFloat64(at, true)],
  F32: [4, (view, at) => view.getFloat32(at, true)],
  F16: [2, (view, at) => half(view.getUint16(at, true))],
  BF16: [2, (view, at) => {
    bfloat.setUint32(0, view.getUint16(at, true) << 16);
    return bfloat.getFloat32(0);
  }],
};

function readHeader(buffer) {
  if (buffer.byteLength < 9) refuse("The file is too short to be a safetensors file.");
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  if (length > LIMITS.header) refuse(`Its header claims to be ${many(length)} bytes long; this page reads up to ${many(LIMITS.header)}.`);
  if (8 + length > buffer.byteLength) refuse("The file ends before its header does: it was cut short, or is no safetensors file.");
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(buffer.slice(8, 8 + length)));
  } catch {
    refuse("The header of the file is not JSON, so it is no safetensors file.");
  }
  if (header === null || typeof header !== "object" || Array.isArray(header)) refuse("The header of the file names no tensors.");
  return { header, start: 8 + length };
}

function readTensor(name, entry, buffer, start) {
  const shown = `“${shorten(name)}”`;
  const { dtype, shape, data_offsets: offsets } = entry ?? {};
  const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
  if (!Array.isArray(shape) || !shape.length || shape.length > 2 || !shape.every(isCount) || shape.includes(0))
    refuse(`The tensor ${shown} has no shape that a layer could have.`);
  const [size, read] = lookUp(DTYPES, dtype, `number type of ${shown}`);
  const count = shape.reduce((product, length) => product * length, 1);
  if (count > LIMITS.parameters)
    refuse(`The tensor ${shown} claims ${many(count)} numbers; this page takes up to ${many(LIMITS.parameters)}.`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[1] - offsets[0] !== count * size)
    refuse(`The bytes of the tensor ${shown} do not fit its shape.`);
  if (start + offsets[1] > buffer.byteLength) refuse(`The file ends before the tensor ${shown} does: it was cut short.`);
  const view = new DataView(buffer, start + offsets[0], count * size);
  const values = Array.from({ length: count }, (_, n) => read(view, n * size));
  return { shape, values: numbers(values, count, `The tensor ${shown}`) };
}

const byName = new Intl.Collator("en", { numeric: true }).compare;

/** The network in a safetensors file; the units are in its metadata, or chosen. */
export function readSafetensors(buffer, chosen = {}) {
  const { header, start } = readHeader(buffer);
  const meta = Object.hasOwn(header, "__metadata__") ? header.__metadata__ ?? {} : {};
  const names = Object.keys(header).filter((name) => name !== "__metadata__");
  const weights = names.filter((name) => /(^|\.)weight$/.test(name)).sort(byName);
  if (!weights.length) refuse("The file holds no layers: tensors whose names end in “.weight” are expected.");
  if (weights.length > LIMITS.layers)
    refuse(`The file holds ${many(weights.length)} layers of weights; this page takes up to ${LIMITS.layers}.`);
  const rest = names.filter((name) => !weights.includes(name) && !weights.some((w) => name === w.replace(/weight$/, "bias")));
  if (rest.length) refuse(`The tensor “${shorten(rest[0])}” belongs to no layer of a plain network.`);
  const tensors = weights.map((name) => {
    const W = readTensor(name, header[name], buffer, start);
    if (W.shape.length !== 2) refuse(`The tensor “${shorten(name)}” is not a table of weights.`);
    const bias = name.replace(/weight$/, "bias");
    const b = Object.hasOwn(header, bias) ? readTensor(bias, header[bias], buffer, start).values : Array(W.shape[0]).fill(0);
    return { name, ...W, b: numbers(b, W.shape[0], `The tensor “${shorten(bias)}”`) };
  });
  countParameters(tensors.map(({ shape }) => shape));
  tensors.slice(1).forEach(({ name, shape }, l) => {
    const before = tensors[l];
    if (shape[1] !== before.shape[0])
      refuse(`In the order of their names, layers do not fit: “${shorten(name)}” takes ${many(shape[1])} inputs, and “${shorten(before.name)}” gives ${many(before.shape[0])}.`);
  });
  const W = tensors.map(({ shape: [outs, ins], values, b }) =>
    Array.from({ length: outs }, (_, j) => [b[j], ...values.slice(j * ins, (j + 1) * ins)]),
  );
  const own = (name) => (Object.hasOwn(meta, name) ? meta[name] : chosen[name]);
  const hidden = W.length > 1 ? lookUp(ACTIVATIONS, own("hidden") ?? "tanh", "activation") : "identity";
  const output = lookUp(OUTPUTS, own("output") ?? "linear", "activation of the outputs");
  return assemble(W, hidden, output, {});
}

/** Read a File, of either kind. */
export async function readFile(file, chosen) {
  if (file.size > LIMITS.bytes)
    refuse(`The file has ${many(Math.round(file.size / 1e6))} MB; this page reads up to ${LIMITS.bytes / 1e6}.`);
  if (!file.size) refuse("The file is empty.");
  if (/\.safetensors$/i.test(file.name)) return readSafetensors(await file.arrayBuffer(), chosen);
  return readJSON(await file.text());
}
