// The layers of a plain network in a safetensors file: a header in JSON, then numbers.

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
  shorten,
} from "./reading.mjs";

const half = (bits) => {
  const [sign, power, rest] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (power === 31) return rest ? NaN : sign * Infinity;
  return (
    sign * (power ? (1 + rest / 1024) * 2 ** (power - 15) : (rest / 1024) * 2 ** -14)
  );
};
const bfloat = new DataView(new ArrayBuffer(4));
const DTYPES = {
  F64: [8, (view, at) => view.getFloat64(at, true)],
  F32: [4, (view, at) => view.getFloat32(at, true)],
  F16: [2, (view, at) => half(view.getUint16(at, true))],
  BF16: [
    2,
    (view, at) => {
      bfloat.setUint32(0, view.getUint16(at, true) << 16);
      return bfloat.getFloat32(0);
    },
  ],
};

function readHeader(buffer) {
  if (buffer.byteLength < 9) refuse("The file is too short to be a safetensors file.");
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  if (length > LIMITS.header)
    refuse(
      `Its header claims to be ${many(length)} bytes long; this page reads up to ${many(LIMITS.header)}.`,
    );
  if (8 + length > buffer.byteLength)
    refuse(
      "The file ends before its header does: it was cut short, or is no safetensors file.",
    );
  let header;
  try {
    header = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(buffer.slice(8, 8 + length)),
    );
  } catch {
    refuse("The header of the file is not JSON, so it is no safetensors file.");
  }
  if (header === null || typeof header !== "object" || Array.isArray(header))
    refuse("The header of the file names no tensors.");
  return { header, start: 8 + length };
}

function readTensor(name, entry, buffer, start) {
  const shown = `“${shorten(name)}”`;
  const { dtype, shape, data_offsets: offsets } = entry ?? {};
  const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
  if (
    !Array.isArray(shape) ||
    !shape.length ||
    shape.length > 2 ||
    !shape.every(isCount) ||
    shape.includes(0)
  )
    refuse(`The tensor ${shown} has no shape that a layer could have.`);
  const [size, read] = lookUp(DTYPES, dtype, `number type of ${shown}`);
  const count = shape.reduce((product, length) => product * length, 1);
  if (count > LIMITS.parameters)
    refuse(
      `The tensor ${shown} claims ${many(count)} numbers; this page takes up to ${many(LIMITS.parameters)}.`,
    );
  if (
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every(isCount) ||
    offsets[1] - offsets[0] !== count * size
  )
    refuse(`The bytes of the tensor ${shown} do not fit its shape.`);
  if (start + offsets[1] > buffer.byteLength)
    refuse(`The file ends before the tensor ${shown} does: it was cut short.`);
  const view = new DataView(buffer, start + offsets[0], count * size);
  const values = Array.from({ length: count }, (_, n) => read(view, n * size));
  return { shape, values: numbers(values, count, `The tensor ${shown}`) };
}

const byName = new Intl.Collator("en", { numeric: true }).compare;

/** The network in a safetensors file; the units are in its metadata, or chosen. */
export function readSafetensors(buffer, chosen = {}) {
  const { header, start } = readHeader(buffer);
  const meta = Object.hasOwn(header, "__metadata__") ? (header.__metadata__ ?? {}) : {};
  const names = Object.keys(header).filter((name) => name !== "__metadata__");
  const weights = names.filter((name) => /(^|\.)weight$/.test(name)).sort(byName);
  if (!weights.length)
    refuse(
      "The file holds no layers: tensors whose names end in “.weight” are expected.",
    );
  if (weights.length > LIMITS.layers)
    refuse(
      `The file holds ${many(weights.length)} layers of weights; this page takes up to ${LIMITS.layers}.`,
    );
  const rest = names.filter(
    (name) =>
      !weights.includes(name) &&
      !weights.some((w) => name === w.replace(/weight$/, "bias")),
  );
  if (rest.length)
    refuse(`The tensor “${shorten(rest[0])}” belongs to no layer of a plain network.`);
  const tensors = weights.map((name) => {
    const W = readTensor(name, header[name], buffer, start);
    if (W.shape.length !== 2)
      refuse(`The tensor “${shorten(name)}” is not a table of weights.`);
    const bias = name.replace(/weight$/, "bias");
    const b = Object.hasOwn(header, bias)
      ? readTensor(bias, header[bias], buffer, start).values
      : Array(W.shape[0]).fill(0);
    return { name, ...W, b: numbers(b, W.shape[0], `The tensor “${shorten(bias)}”`) };
  });
  countParameters(tensors.map(({ shape }) => shape));
  tensors.slice(1).forEach(({ name, shape }, l) => {
    const before = tensors[l];
    if (shape[1] !== before.shape[0])
      refuse(
        `In the order of their names, layers do not fit: “${shorten(name)}” takes ${many(shape[1])} inputs, and “${shorten(before.name)}” gives ${many(before.shape[0])}.`,
      );
  });
  const W = tensors.map(({ shape: [outs, ins], values, b }) =>
    Array.from({ length: outs }, (_, j) => [
      b[j],
      ...values.slice(j * ins, (j + 1) * ins),
    ]),
  );
  const own = (name) => (Object.hasOwn(meta, name) ? meta[name] : chosen[name]);
  const hidden =
    W.length > 1
      ? lookUp(ACTIVATIONS, own("hidden") ?? "tanh", "activation")
      : "identity";
  const output = lookUp(
    OUTPUTS,
    own("output") ?? "linear",
    "activation of the outputs",
  );
  return assemble(W, hidden, output, {});
}
