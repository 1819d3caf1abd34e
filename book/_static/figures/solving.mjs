// What the checks of chapters 10 to 13 share: small systems, by elimination alone.

import { dot } from "./core.mjs";
import { plus } from "./chance.mjs";
import { eye, scaled } from "./curved.mjs";

export const applied = (A, u) => A.map((row) => dot(row, u));
export const minus = (A, B) => plus(A, scaled(B, -1));
export const less = (u, v) => u.map((value, i) => value - v[i]);

/** A⁻¹B by elimination: it knows nothing of updates, and nothing of orthogonal rows. */
export function solved(A, B) {
  const rows = A.map((row, i) => [...row, ...B[i]]);
  for (let k = 0; k < rows.length; k++) {
    let pivot = k;
    for (let i = k; i < rows.length; i++)
      if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    rows[k] = rows[k].map((value) => value / rows[k][k]);
    for (let i = 0; i < rows.length; i++) {
      const factor = rows[i][k];
      if (i !== k) rows[i] = rows[i].map((value, c) => value - factor * rows[k][c]);
    }
  }
  return rows.map((row) => row.slice(A.length));
}
export const inverse = (A) => solved(A, eye(A.length));
export const solution = (A, b) =>
  solved(
    A,
    b.map((value) => [value]),
  ).map(([value]) => value);
