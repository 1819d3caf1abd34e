// "Check here": a button under an equation runs its check in the page, on new random
// numbers each time, and the same check with a planted mistake, which it must catch.

const short = (value) =>
  (value >= 0.01 ? value.toPrecision(1) : value.toExponential(0)).replace("-", "−");

function sentence({ planted, found, off, orders, right, caught }) {
  if (orders)
    return [
      `the error falls with order ${orders.claim.toFixed(2)}, as ${right ? "" : "not "}due`,
      `planted mistake, ${planted}: order ${Math.abs(orders.mistaken).toFixed(2)}, ${caught ? "caught" : "not caught"}`,
    ];
  const digits = found ? Math.min(16, Math.floor(-Math.log10(found))) : 16;
  return [
    `${Math.max(digits, 0)} digits agree (${found ? short(found) : "no difference"})`,
    `planted mistake, ${planted}: off by ${short(off)}, ${caught ? "caught" : "not caught"}`,
  ];
}

function offer(place) {
  const label = place.dataset.equation;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "check here";
  button.setAttribute(
    "aria-label",
    `check here: ${label.slice(3).replaceAll("-", " ")}`,
  );
  const answer = document.createElement("output");
  answer.setAttribute("role", "status");
  place.append(button, answer);
  button.addEventListener("click", async () => {
    const { check } = await import("./checks.mjs");
    const result = check(label);
    place.result = result;
    answer.replaceChildren();
    sentence(result).forEach((text, n) => {
      const fine = n ? result.caught : result.right;
      const part = document.createElement("span");
      part.className = fine ? "fine" : "amiss";
      part.textContent = `${fine ? "✓" : "✗"} ${text}`;
      answer.append(part, " ");
    });
  });
}

document.querySelectorAll(".jc-check").forEach(offer);
