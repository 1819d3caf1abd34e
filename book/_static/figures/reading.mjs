// What a file must hold to become a network, or one sentence that says why not. Files
// come from anywhere: nothing in them is believed before it is checked, and no name in
// them is ever more than text.

import { HIDDEN_UNITS, OUTPUT_UNITS } from "./core.mjs";

export const LIMITS = {
  bytes: 20e6,
  header: 1e6,
  parameters: 1e5,
  layers: 20,
  patterns: 2000,
};
export const ACTIVATIONS = {
  identity: "identity",
  linear: "identity",
  logistic: "sigmoid",
  sigmoid: "sigmoid",
  tanh: "tanh",
  relu: "relu",
  softplus: "softplus",
};
export const OUTPUTS = {
  identity: "linear",
  linear: "linear",
  logistic: "sigmoid",
  sigmoid: "sigmoid",
  softmax: "softmax",
};

/** The one sentence that a reader gets in place of a network. */
export class Refusal extends Error {}
export const refuse = (sentence) => {
  throw new Refusal(sentence);
};

export const shorten = (name) => {
  const text = typeof name === "string" ? name : "something that is no name";
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
};
export const many = (count) => count.toLocaleString("en-GB");

export function lookUp(table, name, what) {
  if (typeof name === "string" && Object.hasOwn(table, name)) return table[name];
  const known = Object.keys(table).join(", ");
  return refuse(
    `The ${what} “${shorten(name)}” is none of those that this page knows: ${known}.`,
  );
}

export function numbers(row, length, what) {
  if (!Array.isArray(row)) refuse(`${what} is not a list of numbers.`);
  if (length !== undefined && row.length !== length)
    refuse(`${what} has ${many(row.length)} numbers where ${many(length)} are due.`);
  if (!row.every((value) => Number.isFinite(value)))
    refuse(`${what} holds something that is not a finite number.`);
  return row;
}

export function table(rows, columns, what, count) {
  if (!Array.isArray(rows) || !rows.length)
    refuse(`${what} is not a table of numbers.`);
  if (count !== undefined && rows.length !== count)
    refuse(`${what} has ${many(rows.length)} rows where ${many(count)} are due.`);
  const width = columns ?? (Array.isArray(rows[0]) ? rows[0].length : 0);
  if (!width) refuse(`${what} is not a table of numbers.`);
  rows.forEach((row, n) => numbers(row, width, `Row ${n} of ${what}`));
  return rows;
}

export function countParameters(shapes) {
  const P = shapes.reduce((sum, [outs, ins]) => sum + outs * (ins + 1), 0);
  if (!(P <= LIMITS.parameters))
    refuse(
      `The network has ${many(P)} parameters; this page takes up to ${many(LIMITS.parameters)}.`,
    );
}

/** The network with its names and data, once every part is known to fit. */
export function assemble(W, hidden, output, { X, T, inputs, outputs }) {
  const sizes = [W[0][0].length - 1, ...W.map((layer) => layer.length)];
  const names = (given, length, letter) => {
    if (given === undefined) return Array.from({ length }, (_, n) => `${letter}${n}`);
    if (!Array.isArray(given) || given.length !== length)
      refuse(
        `There are ${many(length)} ${letter === "x" ? "inputs" : "outputs"}, but not as many names for them.`,
      );
    if (!given.every((name) => typeof name === "string"))
      refuse("A name in the file is no text.");
    return given.map(shorten);
  };
  if (T !== undefined && X === undefined)
    refuse("There are targets T, but no inputs X that they belong to.");
  if (X !== undefined) {
    table(X, sizes[0], "X");
    if (X.length > LIMITS.patterns)
      refuse(
        `X has ${many(X.length)} patterns; this page takes up to ${many(LIMITS.patterns)}.`,
      );
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
  if (output !== "linear" && !between)
    refuse(`Targets of ${output} outputs lie between 0 and 1, and some in T do not.`);
  const whole = T.every((row) => Math.abs(row.reduce((s, t) => s + t, 0) - 1) < 1e-6);
  if (output === "softmax" && !whole)
    refuse("Each row of T must sum to 1 where the outputs are a softmax.");
}
