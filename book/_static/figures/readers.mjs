// A file that a reader drops becomes a network, or one sentence that says why not.

import {
  ACTIVATIONS,
  assemble,
  countParameters,
  LIMITS,
  lookUp,
  many,
  numbers,
  OUTPUTS,
  refuse,
  table,
} from "./reading.mjs";
import { readSafetensors } from "./safetensors.mjs";

/** The network in the text of a JSON file, written by the recipe of the page. */
export function readJSON(text) {
  let parts;
  try {
    parts = JSON.parse(text);
  } catch (failure) {
    if (failure instanceof RangeError)
      refuse("The JSON is nested too deeply to be a network.");
    if (/[[,:\s](NaN|-?Infinity)\b/.test(text))
      refuse("The file holds NaN or Infinity, which are no numbers in JSON.");
    refuse("This is not JSON, or it breaks off before its end.");
  }
  if (parts === null || typeof parts !== "object" || Array.isArray(parts))
    refuse(
      "The JSON holds no network: an object with “coefs” and “intercepts” is expected.",
    );
  const own = (name) => (Object.hasOwn(parts, name) ? parts[name] : undefined);
  const [coefs, intercepts] = [own("coefs"), own("intercepts")];
  if (!Array.isArray(coefs) || !coefs.length || !Array.isArray(intercepts))
    refuse(
      "The JSON holds no network: lists named “coefs” and “intercepts” are expected.",
    );
  if (coefs.length > LIMITS.layers)
    refuse(
      `The network has ${many(coefs.length)} layers of weights; this page takes up to ${LIMITS.layers}.`,
    );
  if (intercepts.length !== coefs.length)
    refuse(
      `There are ${many(coefs.length)} tables of weights, but ${many(intercepts.length)} lists of biases.`,
    );
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
  const hidden =
    W.length > 1 ? lookUp(ACTIVATIONS, own("activation"), "activation") : "identity";
  const output = lookUp(OUTPUTS, own("out_activation"), "activation of the outputs");
  return assemble(W, hidden, output, {
    X: own("X"),
    T: own("T"),
    inputs: own("inputs"),
    outputs: own("outputs"),
  });
}

/** Read a File, of either kind. */
export async function readFile(file, chosen) {
  if (file.size > LIMITS.bytes)
    refuse(
      `The file has ${many(Math.round(file.size / 1e6))} MB; this page reads up to ${LIMITS.bytes / 1e6}.`,
    );
  if (!file.size) refuse("The file is empty.");
  if (/\.safetensors$/i.test(file.name))
    return readSafetensors(await file.arrayBuffer(), chosen);
  return readJSON(await file.text());
}
