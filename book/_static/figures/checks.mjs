// The checks in the page, by the label of their equation, and how one is judged.

import { DIFFERENCES } from "./checks-differences.mjs";
import { HESSIAN } from "./checks-hessian.mjs";
import { INFLUENCE } from "./checks-influence.mjs";
import { INVERSE } from "./checks-inverse.mjs";
import { KRONECKER } from "./checks-kronecker.mjs";
import { LANGUAGE } from "./checks-language.mjs";
import { OUTPUTS } from "./checks-outputs.mjs";
import { PASSES } from "./checks-passes.mjs";
import { PRODUCTS } from "./checks-products.mjs";
import { USES } from "./checks-uses.mjs";

// Each says what its planted mistake is, and has a function that returns the claim as the
// chapter has it, the truth by another way, and the mistake.
export const CHECKS = {
  ...PASSES,
  ...OUTPUTS,
  ...DIFFERENCES,
  ...HESSIAN,
  ...PRODUCTS,
  ...USES,
  ...INVERSE,
  ...KRONECKER,
  ...LANGUAGE,
  ...INFLUENCE,
};
const numbers = (values) =>
  values.flatMap((value) => (typeof value === "number" ? [value] : [...value]));

/** The greatest distance of one list or matrix from another, relative to the largest. */
export function distance(found, truth) {
  const [a, b] = [numbers(found), numbers(truth)];
  if (a.length !== b.length || !a.length) return Infinity;
  const size = Math.max(...b.map(Math.abs));
  const far = Math.max(...a.map((value, n) => Math.abs(value - b[n])));
  return Number.isFinite(far) && size ? far / size : Infinity;
}

// An order is measured at steps of a hundredth, and so is right to two digits alone.
const ofOrder = (label) => /^eq-differences-(?!best)/.test(label);

/** Run the check of an equation once, on new random numbers. */
export function check(label) {
  const [planted, run] = CHECKS[label];
  const [claim, truth, mistaken] = run();
  const [found, off] = [distance(claim, truth), distance(mistaken, truth)];
  const limit = ofOrder(label) ? 0.05 : 1e-6;
  const orders = ofOrder(label)
    ? { claim: claim[0], due: truth[0], mistaken: mistaken[0] }
    : null;
  return { planted, found, off, orders, right: found < limit, caught: off > 4 * limit };
}
