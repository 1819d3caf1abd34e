// Answers of the figures' modules to the cases of a test, in node and in a browser. In
// node: `node answers.mjs FOLDER < cases.json`.

export async function answers(cases, folder) {
  const core = await import(`${folder}/core.mjs`);
  const curvature = await import(`${folder}/curvature.mjs`);
  const { eigenvalues } = await import(`${folder}/eigen.mjs`);
  const rows = (A) => [...A].map((row) => [...row]);
  return cases.map(({ net: given, X, T, v }) => {
    const net = core.network(given);
    const traces = X.map((x) => core.forward(net, x));
    const H = curvature.exactHessian(net, X, T);
    return {
      a: traces.map((trace) => trace.a.flat()),
      z: traces.map((trace) => trace.z.flat()),
      y: traces.map((trace) => trace.y),
      M: traces.map((trace) => net.output.M(trace.a.at(-1))),
      dh: traces.map((t) => net.hidden.flatMap((unit, l) => t.a[l].map(unit.dh))),
      d2h: traces.map((t) => net.hidden.flatMap((unit, l) => t.a[l].map(unit.d2h))),
      J: X.map((x) => core.inputJacobian(net, x)),
      J_w: X.map((x) => core.parameterJacobian(net, x)),
      J_a: X.map((x) => core.parameterJacobian(net, x, "activations")),
      E: core.error(net, X, T),
      delta: traces.map((t, n) => core.errorSignals(net, t, T[n]).flat()),
      gradient: core.errorGradient(net, X, T),
      H: rows(H),
      G: rows(curvature.outerProductHessian(net, X)),
      Hv: curvature.hessianVectorProduct(net, X, T, v),
      spectrum: eigenvalues(H),
    };
  });
}

if (globalThis.process?.argv[1]?.endsWith("answers.mjs")) {
  const { readFileSync, writeFileSync } = await import("node:fs");
  const { pathToFileURL } = await import("node:url");
  const cases = JSON.parse(readFileSync(0, "utf8"));
  const found = await answers(cases, pathToFileURL(process.argv[2]).href);
  writeFileSync(1, JSON.stringify(found));
}
