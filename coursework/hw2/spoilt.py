"""Mistakes of assignment 2 that its check knows by a number each."""

from coursework.spoil import slopes

# Pieces of the solutions
SLOPE, BACK = "(1 - np.tanh(a) ** 2)", "(delta @ V[:, 1:])"
DELTA = "delta = output_signal(y, T)"
BELOW = "signals_below(W[l], delta, a[l - 1])"
LAST, LOWER, TABLES = "delta.T @ z[-1]", "delta.T @ z[l - 1]", "return tables"
QUOTIENT = "(ahead - error_of_network(W, X, T, unit)) / (2 * step)"


def start(new):
    """Return the change of the signal at the outputs."""
    return ((DELTA, f"delta = {new}"),)


def of_slopes(old, a):
    """Return wrong slopes in the gradient, where a function gives the signals."""
    return [
        (name, says, ((BELOW, f"({changes[0][1]}) * (delta @ W[l][:, 1:])"),))
        for name, says, changes in slopes(old, a)
    ]


SPOILT = {
    "q1": [
        (name, says, (("y - T", new),))
        for name, says, new in (
            ("∂E/∂y of a cross-entropy", "this is ∂E/∂y of a cross-entropy, and not "
             "∂E/∂a: the slope of the output unit has to cancel.", "-T / y"),
            ("∂E/∂y of a cross-entropy", "this is ∂E/∂y of a cross-entropy, and not "
             "∂E/∂a.", "(1 - T) / (1 - y) - T / y"),
            ("plus for minus", "the target is added: y − t.", "y + T"),
            ("squares", "these are squares; their derivative is wanted.",
             "(y - T) ** 2"),
            ("only t", "this is −t alone: y is missing.", "-T"),
            ("softmax of y", "a softmax is taken of y: these are outputs already.",
             "outputs(y, 'softmax') - T"),
            ("sigmoid of y", "a sigmoid is taken of y: these are outputs already.",
             "outputs(y, 'sigmoid') - T"),
            ("tanh of y", "tanh is taken of y: these are outputs already.",
             "np.tanh(y) - T"),
            ("outputs not at a target left out", "only the outputs with a target of 1 "
             "count: y − t has numbers for the others too.", "(y - T) * T"),
        )
    ],
    "q2": [
        *slopes(SLOPE, "a"),
        ("slope added", "h′ is added; it multiplies.",
         ((f"{SLOPE} * {BACK}", f"{SLOPE} + {BACK}"),)),
        ("slope alone", "this is h′ alone: the sum over k is missing.",
         ((f"{SLOPE} * {BACK}", f"{SLOPE} + 0 * {BACK}"),)),
        ("δ missing", "the signals δ_k are missing: weights alone are summed.",
         ((BACK, "(V[:, 1:].sum(0) + 0 * a)"),)),
        ("weights missing", "the weights are missing: δ_k alone is summed.",
         ((BACK, "delta.sum(1, keepdims=True)"),)),
        ("mean over k", "the sum over k is divided by K.",
         ((BACK, "(delta @ V[:, 1:] / len(V))"),)),
        ("biases in the sum", "the biases of V are in the sum over k.",
         ((BACK, "(delta @ V[:, 1:] + delta @ V[:, :1])"),)),
        ("first output alone", "one output k alone counts: sum over k.",
         ((BACK, "(delta[:, :1] @ V[:1, 1:])"),)),
        ("last output alone", "one output k alone counts: sum over k.",
         ((BACK, "(delta[:, -1:] @ V[-1:, 1:])"),)),
        ("a beside h′", "a factor a_j is too many.",
         ((BACK, "(delta @ V[:, 1:]) * a"),)),
    ],
    "q3": [
        *of_slopes(SLOPE, "a[l - 1]"),
        ("1 − y² at the outputs", "1 − y² is the slope of tanh: there is none at the "
         "outputs.", start("(y - T) * (1 - y**2)")),
        ("y(1 − y) at the outputs", "y(1 − y) is one factor too many at the outputs: "
         "it has cancelled.", start("(y - T) * y * (1 - y)")),
        ("plus for minus", "the sweep starts with y + t: it is y − t.", start("y + T")),
        ("y for δ", "the sweep starts with y: the target is missing.", start("y")),
        ("t for δ", "the sweep starts with −t: y is missing.", start("-T")),
        ("sums for outputs", "the sweep starts with a − t: the outputs are y.",
         start("a[-1] - T")),
        ("squares", "the sweep starts with (y − t)²: take the derivative.",
         start("(y - T) ** 2")),
        ("size for signal", "the sweep starts with |y − t|.", start("abs(y - T)")),
        ("½ for δ", "the sweep starts with (y − t)/2: the 2 of the square is missing.",
         start("(y - T) / 2")),
        ("∂E/∂y", "the sweep starts with ∂E/∂y of a cross-entropy.", start("-T / y")),
        ("last column dropped", "the last column of W is dropped on the way back; the "
         "biases are in column 0.",
         ((BELOW, "signals_below(np.roll(W[l], 1, 1), delta, a[l - 1])"),)),
        ("sums for outputs below", "the sums a stand where the outputs z of the layer "
                                   "below should.",
         ((LOWER, "delta.T @ (with_one(a[l - 2]) if l > 1 else z[0])"),
          (LAST, "delta.T @ (with_one(a[-2]) if len(W) > 1 else z[0])"))),
        ("a for z, no lower", "in the last layer a stands where z should.",
         ((LAST, "delta.T @ (with_one(a[-2]) if len(W) > 1 else z[0])"),)),
        ("tanh twice", "tanh is applied to z once more.",
         ((LOWER, "delta.T @ with_one(np.tanh(z[l - 1][:, 1:]))"),
          (LAST, "delta.T @ with_one(np.tanh(z[-1][:, 1:]))"))),
        ("slope too late", "the table is made before δ has its h′.",
         ((f"        delta = {BELOW}\n        tables.insert(0, {LOWER})",
           "        delta = delta @ W[l][:, 1:]\n        tables.insert(0, delta.T @ "
           "z[l - 1])\n        delta = delta * (1 - np.tanh(a[l - 1]) ** 2)"),)),
        ("h′ missing in the lowest layer", "the lowest hidden layer has no h′.",
         ((BELOW, f"{BELOW} if l > 1 else delta @ W[l][:, 1:]"),)),
        ("h′ in the lowest layer alone", "only the lowest hidden layer has an h′.",
         ((BELOW, f"{BELOW} if l == 1 else delta @ W[l][:, 1:]"),)),
        ("z of ones", "the inputs z of each layer are missing: δ alone is summed.",
         ((LOWER, "delta.T @ np.ones_like(z[l - 1])"),
          (LAST, "delta.T @ np.ones_like(z[-1])"))),
        ("1/N at the lower layers", "only the lower tables are divided by N.",
         ((LOWER, "delta.T @ z[l - 1] / len(X)"),)),
        ("1/N at every layer", "δ is divided by N again at every layer.",
         ((BELOW, f"{BELOW} / len(X)"), (DELTA, "delta = (y - T) / len(X)"))),
        ("size of weights", "the signs of W are lost on the way back.",
         ((BELOW, "signals_below(abs(W[l]), delta, a[l - 1])"),)),
    ],
    "q4": [
        ("a sum for a difference", "the two errors are added: subtract them.",
         (("ahead - err", "ahead + err"),)),
        ("steps of 2ε", "the steps are 2ε; take ε to each side.",
         (("kept + step", "kept + 2 * step"), ("kept - step", "kept - 2 * step"),
          ("(2 * step)", "(4 * step)"))),
        ("steps of 2ε", "the steps are 2ε, and the difference is divided by 2ε.",
         (("kept + step", "kept + 2 * step"), ("kept - step", "kept - 2 * step"))),
        ("half steps over 2ε",
         "the steps are ε/2, and the difference is divided by 2ε.",
         (("kept + step", "kept + step / 2"), ("kept - step", "kept - step / 2"))),
        ("one-sided over 2ε", "one side alone is moved, and the difference is divided "
         "by 2ε.", (("V[place] = kept - step", "V[place] = kept"),)),
        ("one-sided over 2ε", "one side alone is moved, and the difference is divided "
         "by 2ε.", (("V[place] = kept + step", "V[place] = kept"),)),
        ("relative step", "the step is a part of the weight: take ε itself.",
         (("kept + step", "kept * (1 + step)"), ("kept - step", "kept * (1 - step)"))),
        ("relative step", "the step is a part of the weight, also in the quotient.",
         (("kept + step", "kept * (1 + step)"), ("kept - step", "kept * (1 - step)"),
          ("(2 * step)", "(2 * step * kept)"))),
        ("second difference", "this is a second difference: the first is wanted.",
         ((QUOTIENT, "(ahead + error_of_network(W, X, T, unit) - 2 * error_of_network("
           "[np.where(U == kept - step, kept, U) for U in W], X, T, unit)) / step**2"),
          )),
        ("square of the step", "the difference is divided by ε².",
         (("(2 * step)", "(2 * step**2)"),)),
        ("square of the step", "the difference is divided by ε².",
         (("(2 * step)", "step**2"),)),
        ("biases moved too", "the bias of the unit is moved together with each weight.",
         (("V[place] = kept + step", "row = V[place[0], 0]; V[place] = kept + step; "
           "V[place[0], 0] += step * (place[1] > 0)"),
          ("V[place] = kept - step", "V[place[0], 0] = row; V[place] = kept - step; "
           "V[place[0], 0] -= step * (place[1] > 0)"),
          ("            V[place] = kept\n    return",
           "            V[place[0], 0] = row; V[place] = kept\n    return"))),
        ("size of the difference", "the sign of the difference is lost.",
         (("(ahead - err", "abs(ahead - err"),)),
        ("one step for all", "all weights of a table are moved at once.",
         (("V[place] = kept + step", "U = V.copy(); V += step"),
          ("V[place] = kept - step", "V -= 2 * step"),
          ("            V[place] = kept\n    return", "            V[...] = U\n    "
           "return"))),
    ],
    "q5": [
        ("a step of 0.01", "the step is so large that its square shows: 1e-20 costs "
         "nothing.", (("1e-20", "1e-2"),)),
        ("2ε", "the imaginary part is divided by 2ε: there is one step.",
         (("/ 1e-20", "/ 2e-20"),)),
        ("all weights at once", "all weights of a table are moved at once.",
         (("V[place] = kept + 1e-20j", "V += 1e-20j"),
          ("            V[place] = kept\n", "            V -= 1e-20j\n"))),
        ("imaginary outputs", "this is the derivative of the sum of the outputs: E is "
         "wanted.", (("error_of_network(W, X, T, unit)",
                      "forward(W, X, unit)[2].sum()"),)),
        ("step times weight", "the step is a part of the weight: the derivative comes "
         "out times w.", (("kept + 1e-20j", "kept * (1 + 1e-20j)"),)),
    ],
    "q6": [
        (name, says, (("np.polyfit(np.log(steps), np.log(errors), 1)[0]", new),))
        for name, says, new in (
            ("log of the steps alone", "take the logarithm of the errors too.",
             "np.polyfit(np.log(steps), errors, 1)[0]"),
            ("intercept", "this is the constant of the line; its slope is wanted.",
             "np.polyfit(np.log(steps), np.log(errors), 1)[1]"),
            ("ends only", "this joins the first and the last point; fit all.",
             "np.log(errors[-1] / errors[0]) / np.log(steps[-1] / steps[0])"),
            ("axes exchanged", "this is the slope of log step over log error.",
             "np.polyfit(np.log(errors), np.log(steps), 1)[0]"),
            ("two bases", "the logarithms have two bases.",
             "np.polyfit(np.log10(steps), np.log(errors), 1)[0]"),
            ("two bases", "the logarithms have two bases.",
             "np.polyfit(np.log(steps), np.log10(errors), 1)[0]"),
            ("two bases", "the logarithms have two bases.",
             "np.polyfit(np.log(steps), np.log2(errors), 1)[0]"),
            ("two bases", "the logarithms have two bases.",
             "np.polyfit(np.log2(steps), np.log(errors), 1)[0]"),
            ("mean of neighbours' slopes", "the slopes between neighbours are "
                                           "averaged: "
             "fit all points at once.",
             "np.mean(np.diff(np.log(errors)) / np.diff(np.log(steps)))"),
            ("median of neighbours' slopes",
             "this is the median of neighbours' slopes.",
             "np.median(np.diff(np.log(errors)) / np.diff(np.log(steps)))"),
            ("last two points", "this joins the last two points; fit all.",
             "np.log(errors[-1] / errors[-2]) / np.log(steps[-1] / steps[-2])"),
            ("first two points", "this joins the first two points; fit all.",
             "np.log(errors[1] / errors[0]) / np.log(steps[1] / steps[0])"),
            ("parabola", "this fits a parabola: the degree is 1.",
             "np.polyfit(np.log(steps), np.log(errors), 2)[0]"),
            ("parabola's slope", "this fits a parabola: the degree is 1.",
             "np.polyfit(np.log(steps), np.log(errors), 2)[1]"),
            ("correlation", "this is the correlation; the slope is wanted.",
             "np.corrcoef(np.log(steps), np.log(errors))[0, 1]"),
            ("N and N − 1", "the covariance is divided by N − 1 and the variance by N.",
             "np.cov(np.log(steps), np.log(errors))[0, 1] / np.var(np.log(steps))"),
            ("covariance alone", "this is the covariance: divide by the variance.",
             "np.cov(np.log(steps), np.log(errors))[0, 1]"),
            ("ratio of logarithms", "this is the ratio of two logarithms: a constant "
             "in front of the power spoils it.",
             "np.log(errors[-1]) / np.log(steps[-1])"),
            ("ratio of means", "this is the ratio of the means of the logarithms.",
             "np.mean(np.log(errors)) / np.mean(np.log(steps))"),
        )
    ],
}  # fmt: skip
