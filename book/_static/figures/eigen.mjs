// The eigenvalues of a symmetric matrix: Householder's reflections to three diagonals,
// then implicit QL steps on them. O(4/3 P³), and no vectors.

/** Reflect a symmetric matrix to three diagonals; return [diagonal, beside it]. */
function tridiagonal(H) {
  const A = H.map((row) => Float64Array.from(row));
  const n = A.length;
  const d = new Float64Array(n);
  const e = new Float64Array(n);
  for (let k = n - 1; k > 0; k--) {
    const row = A[k];
    let scale = 0;
    for (let i = 0; i < k; i++) scale = Math.max(scale, Math.abs(row[i]));
    d[k] = row[k];
    if (scale === 0) continue;
    let square = 0;
    for (let i = 0; i < k; i++) square += (row[i] /= scale) ** 2;
    const length = row[k - 1] > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    e[k] = scale * length;
    const half = square - row[k - 1] * length;
    row[k - 1] -= length;
    reflect(A, row, k, half);
  }
  d[0] = A[0][0];
  return [d, e];
}

/** A ← A − v qᵀ − q vᵀ in its first k rows, with q = p − K v and p = A v / half. */
function reflect(A, v, k, half) {
  const p = new Float64Array(k);
  for (let i = 0; i < k; i++) {
    const row = A[i];
    for (let j = 0; j < i; j++) {
      p[i] += row[j] * v[j];
      p[j] += row[j] * v[i];
    }
    p[i] += row[i] * v[i];
  }
  let K = 0;
  for (let i = 0; i < k; i++) K += ((p[i] /= half) * v[i]) / (2 * half);
  for (let i = 0; i < k; i++) p[i] -= K * v[i];
  for (let i = 0; i < k; i++)
    for (let j = 0; j <= i; j++) A[i][j] -= v[i] * p[j] + p[i] * v[j];
}

/** Make the entries beside the diagonal vanish, one eigenvalue after the other. */
function implicitQL(d, e) {
  const n = d.length;
  for (let i = 1; i < n; i++) e[i - 1] = e[i];
  e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (let turn = 0; turn < 60; turn++) {
      let m = l;
      while (
        m < n - 1 &&
        Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))
      )
        m++;
      if (m === l) break;
      sweep(d, e, l, m);
    }
  }
}

function sweep(d, e, l, m) {
  let g = (d[l + 1] - d[l]) / (2 * e[l]);
  g = d[m] - d[l] + e[l] / (g + (g < 0 ? -1 : 1) * Math.hypot(g, 1));
  let [s, c, p] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i];
    const b = c * e[i];
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] -= p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    const t = (d[i] - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
  }
  d[l] -= p;
  e[l] = g;
  e[m] = 0;
}

/** The eigenvalues of a symmetric matrix, the smallest first. */
export function eigenvalues(H) {
  const [d, e] = tridiagonal(H);
  implicitQL(d, e);
  return [...d.sort()];
}
