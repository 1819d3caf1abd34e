// E = ½ (w₂ w₁ − t)² with its curvature, and three ways to take a step.

export const T = 5;

export const errorAt = ([w1, w2]) => (w2 * w1 - T) ** 2 / 2;
export const gradientAt = ([w1, w2]) => [(w1 * w2 - T) * w2, (w1 * w2 - T) * w1];
/** G, the residual y − t, and H, at w. */
export function curvature([w1, w2]) {
  const residual = w1 * w2 - T;
  const G = [
    [w2 * w2, w1 * w2],
    [w1 * w2, w1 * w1],
  ];
  const H = [
    [G[0][0], G[0][1] + residual],
    [G[1][0] + residual, G[1][1]],
  ];
  return { G, H, residual };
}

/** A⁻¹ b of a matrix with two rows. */
export function solve([[a, b], [c, d]], [u, v]) {
  const determinant = a * d - b * c;
  return [(d * u - b * v) / determinant, (a * v - c * u) / determinant];
}

/** The eigenvalues of a symmetric matrix with two rows, the smaller first, and vectors. */
export function eigen([[a, b], [, d]]) {
  const [mean, half] = [(a + d) / 2, Math.hypot((a - d) / 2, b)];
  const turn = Math.atan2(2 * b, a - d) / 2;
  const long = [Math.cos(turn), Math.sin(turn)];
  return { values: [mean - half, mean + half], vectors: [[-long[1], long[0]], long] };
}

/** One step of each of the three ways. */
export function steps(w, lambda, eta) {
  const g = gradientAt(w);
  const { G, H } = curvature(w);
  const damped = G.map((row, r) =>
    row.map((value, c) => value + (r === c ? lambda : 0)),
  );
  return {
    newton: solve(H, g).map((value) => -value),
    damped: solve(damped, g).map((value) => -value),
    gradient: g.map((value) => -eta * value),
  };
}

/** The error where a step lands, and whether it sets out uphill. */
export function landing(w, step) {
  const g = gradientAt(w);
  return {
    E: errorAt([w[0] + step[0], w[1] + step[1]]),
    uphill: g[0] * step[0] + g[1] * step[1] > 0,
  };
}
