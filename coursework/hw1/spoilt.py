"""Mistakes of assignment 1 that its check knows by a number each."""

from coursework.spoil import slopes

# Pieces of the solutions
LINEAR = "np.ones((N, K, 1)) * np.eye(K)"
SIGMOID = "(y * (1 - y))[:, :, None] * np.eye(K)"
DIAGONAL, PRODUCT = "y[:, :, None] * np.eye(K)", "y[:, :, None] * y[:, None, :]"
SOFTMAX = f"{DIAGONAL} - {PRODUCT}"
OUTPUTS = "y = outputs(a, unit)"


def softmax(new):
    """Return the change of the softmax alone."""
    return ((SOFTMAX, new),)


def sigmoid(new):
    """Return the change of the sigmoid alone."""
    return ((SIGMOID, new),)


def of_recursion(B, slope, outputs, X, end):
    """Return what may go wrong in either recursion, by its pieces."""
    at_y = outputs.replace("a[-1]", "forward(W, np.atleast_2d(x), unit)[2]")
    return [
        (
            "h′ on the rows",
            "the rows are multiplied by an h′ of the outputs: they have "
            "their own derivative.",
            ((end, f"tail = tanh_slope({X[0]})[..., None]\n    {end} * tail"),),
        ),
        (
            "h′ at the inputs",
            "there is an h′ at the inputs too: they are no units.",
            ((end, f"{end} * tanh_slope({X[1]})"),),
        ),
        (
            "h′ in the lowest layer alone",
            "h′ is there for the lowest hidden layer alone: each has one.",
            ((slope, f"({slope} if l == 1 else 1)"),),
        ),
        (
            "h′ missing in the lowest layer",
            "the lowest hidden layer has no h′.",
            ((slope, f"({slope} if l > 1 else 1)"),),
        ),
        (
            "output derivative at y",
            "∂y/∂a is taken at y; it belongs at a.",
            ((outputs, at_y.replace("x)", f"{X[2]})")),),
        ),
        (
            "y for ∂y/∂a",
            "the outputs y themselves start the recursion, on a diagonal.",
            (
                (
                    outputs,
                    f"outputs({X[0]}.reshape(-1, len(W[-1])), unit)"
                    f"{X[3]}[..., None] * np.eye(len(W[-1]))",
                ),
            ),
        ),
        (
            "first layer forgotten",
            "the last step is missing: the product with W[0].",
            ((end, f"return {B}"),),
        ),
        (
            "weights squared",
            "W[0] is squared.",
            ((end, f"return {B} @ W[0][:, 1:] ** 2"),),
        ),
        (
            "sizes of the weights",
            "the signs of W[0] are lost.",
            ((end, f"return {B} @ abs(W[0][:, 1:])"),),
        ),
        (
            "input times Jacobian",
            "each column is multiplied by its x_i.",
            ((end, f"{end} * {X[1]}"),),
        ),
    ]


SPOILT = {
    "q1": slopes("1 - np.tanh(a) ** 2", "a"),
    "q2": [
        ("y_k alone", "the softmax lacks the term −y_k y_l: this is I_kl y_k alone.",
         softmax(DIAGONAL)),
        ("y_k y_l alone", "the softmax has y_k y_l alone: I_kl y_k is missing, and the "
         "sign.", softmax(PRODUCT)),
        ("plus for minus", "the sign of y_k y_l is turned round.",
         softmax(f"{DIAGONAL} + {PRODUCT}")),
        ("I for I y", "I_kl stands where I_kl y_k should: a factor y_k is missing.",
         softmax(f"np.eye(K) - {PRODUCT}")),
        ("1 for I y", "y_k (or 1) stands everywhere where I_kl y_k should: the I_kl is "
         "missing.", softmax(f"1 - {PRODUCT}")),
        ("softmax as sigmoid", "the softmax is treated as a sigmoid: y_k(1 − y_k) on "
         "the diagonal, and nothing beside it.", softmax(SIGMOID)),
        ("y_l for y_k", "the term I_kl y_k − y_k y_l has lost a y: y_l alone is "
         "subtracted.", softmax(f"{DIAGONAL} - y[:, None, :]")),
        ("square on the diagonal", "y_k² stands on the diagonal of a sigmoid.",
         sigmoid("(y ** 2)[:, :, None] * np.eye(K)")),
        ("1 − y alone", "1 − y_k alone stands on the diagonal of a sigmoid: the factor "
         "y_k is missing.", sigmoid("(1 - y)[:, :, None] * np.eye(K)")),
        ("sigmoid everywhere", "y_k(1 − y_k) of a sigmoid stands in every column: the "
         "I_kl is missing.", sigmoid("(y * (1 - y))[:, :, None] * np.ones((K, K))")),
        ("sigmoid's sign", "for the sigmoid the sign is turned round.",
         sigmoid(f"-{SIGMOID}")),
        ("sigmoid as linear", "sigmoid outputs come out as linear ones.",
         sigmoid(LINEAR)),
        ("softmax as linear", "softmax outputs come out as linear ones.",
         softmax(LINEAR)),
        ("y for 1", "linear outputs have the slope 1, and not their value.",
         ((LINEAR, DIAGONAL),)),
        ("linear as sigmoid", "linear outputs come out as if they were sigmoids.",
         ((LINEAR, SIGMOID),)),
        ("a in the softmax", "linear outputs fall through into the formula of the "
         "softmax: is there a return for them?", ((LINEAR, SOFTMAX),)),
        ("sigmoid falls through", "sigmoid outputs fall through into the formula of "
         "the softmax.", sigmoid(SOFTMAX)),
        ("a for y", "the sums a stand where the outputs y should.",
         ((OUTPUTS, "y = a"),)),
        ("y averaged", "y is averaged over the patterns.",
         ((OUTPUTS, "y = outputs(a, unit); y = y.mean(0) + 0 * y"),)),
        ("first outputs for all", "y of the first pattern is taken for all.",
         ((OUTPUTS, "y = outputs(a, unit); y = y[:1] + 0 * y"),)),
        ("outputs twice", "the output unit is applied twice.",
         ((OUTPUTS, "y = outputs(outputs(a, unit), unit)"),)),
        ("softmax along patterns", "the softmax runs over the patterns; it belongs to "
         "the outputs of one.", ((OUTPUTS, "y = outputs(a.T, unit).T"),)),
    ],
    "q3": [
        *slopes("tanh_slope(a[l - 1][0])", "a[l - 1][0]", batch=False),
        *of_recursion("dy_da", "tanh_slope(a[l - 1][0])",
                      "output_derivative(a[-1], unit)[0]",
                      ("a[-1][0]", "x", "x", "[0]"), "return dy_da @ W[0][:, 1:]"),
    ],
    "q4": [
        *slopes("tanh_slope(a[l - 1])[:, None, :]", "a[l - 1][:, None, :]"),
        *of_recursion("B", "tanh_slope(a[l - 1])[:, None, :]",
                      "output_derivative(a[-1], unit)",
                      ("a[-1]", "X[:, None, :]", "X", ""), "return B @ W[0][:, 1:]"),
        ("at the mean pattern", "this is J at the mean of X: each pattern has its own.",
         (("forward(W, X, unit)", "forward(W, X.mean(0) + 0 * X, unit)"),)),
        ("mean ∂y/∂a", "∂y/∂a is averaged over the patterns.",
         (("output_derivative(a[-1], unit)",
           "output_derivative(a[-1], unit).mean(0) + np.zeros((len(X), 1, 1))"),)),
        ("first ∂y/∂a for all", "∂y/∂a of the first pattern is taken for all.",
         (("output_derivative(a[-1], unit)",
           "output_derivative(a[-1], unit)[:1] + np.zeros((len(X), 1, 1))"),)),
    ],
    "q5": [
        (name, says, (("np.sqrt(np.mean((J * s) ** 2, axis=0))", new),))
        for name, says, new in (
            ("standard deviation", "this is the standard deviation over the patterns: "
             "the mean must not be subtracted.", "np.std(J * s, axis=0)"),
            ("largest", "this is the largest over the patterns.",
             "abs(J * s).max(axis=0)"),
            ("N − 1", "divided by N − 1: a mean divides by N.",
             "np.sqrt(np.sum((J * s) ** 2, axis=0) / max(1, len(J) - 1))"),
            ("root of the sum over N",
             "N stands outside the root: it belongs below it.",
             "np.sqrt(np.sum((J * s) ** 2, axis=0)) / len(J)"),
            ("root of s", "s is not squared below the root.",
             "np.sqrt(np.mean(J**2 * s, axis=0))"),
            ("s squared", "s is squared once too often.",
             "np.sqrt(np.mean(J**2, axis=0)) * s**2"),
            ("everything averaged", "the mean runs over everything: it should run over "
             "the patterns alone.", "np.sqrt(np.mean((J * s) ** 2))"),
            ("outputs averaged too", "the mean runs over patterns and outputs.",
             "np.sqrt(np.mean((J * s) ** 2, axis=(0, 1)))"),
            ("median", "this is a median.", "np.median(abs(J * s), axis=0)"),
            ("size of the mean", "this is the size of the mean: square first.",
             "abs(np.mean(J * s, axis=0))"),
            ("norm for mean", "this is the length over the patterns, and not its mean.",
             "np.linalg.norm(J * s, axis=0)"),
        )
    ],
}  # fmt: skip
