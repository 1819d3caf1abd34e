"""Mistakes of assignment 4 that its check knows by a number each."""

from coursework.spoil import slopes

# Pieces of the solutions
G = 'np.einsum("nkp,nkq->pq", J, J)'
LINEAR = "return outer_product_of_squares(J)"
SIGMOID = "MJ = (Y * (1 - Y))[:, :, None] * J"
SOFTMAX = 'MJ = Y[:, :, None] * (J - np.einsum("nl,nlp->np", Y, J)[:, None, :])'
YJ = 'np.einsum("nl,nlp->np", Y, J)[:, None, :]'
SLOPE = "(1 - np.tanh(a[l - 1]) ** 2)[:, None, :]"
START = "B = np.ones((len(X), 1, 1)) * np.eye(len(W[-1]))"
BACK, RETURN = "(B @ W[l][:, 1:])", "return np.concatenate(pieces, axis=2)"
RESIDUAL, FISHER = "Y - T", "return g.T @ g"
BELOW = "np.sqrt(damping) * np.eye(P)"
SOLVED = "np.linalg.lstsq(below, -np.concatenate([r, np.zeros(P)]), rcond=None)[0]"
BARS = "np.sqrt(r @ r / (N - P) * np.sum(R_inverse**2, axis=1))"
COVARIANCE = "np.linalg.inv(J.T @ J)"


def softmax(new):
    """Return the change of the softmax alone."""
    return ((SOFTMAX, f"MJ = {new}"),)


def sigmoid(new):
    """Return the change of the sigmoid alone."""
    return ((SIGMOID, f"MJ = {new}"),)


def by_matrix(matrix):
    """Return the change to a step that solves this matrix with −Jᵀr, if damped."""
    solved = f"np.linalg.lstsq({matrix}, -J.T @ r, rcond=None)[0]"
    return ((SOLVED, f"{solved} if damping else {SOLVED}"),)


SPOILT = {
    "q1": [
        (name, says, ((G, new),))
        for name, says, new in (
            ("outputs for parameters", "the sum runs over the parameters; this "
                                       "compares "
             "outputs.", 'np.einsum("nkp,nlp->kl", J, J)'),
            ("patterns for parameters", "the sum runs over the parameters; this "
                                        "compares "
             "patterns.", "(lambda j: j @ j.T)(J.reshape(len(J), -1))"),
            ("patterns for parameters", "the sum runs over the parameters; this "
                                        "compares "
             "patterns.", 'np.einsum("nkp,mkp->nm", J, J)'),
            ("outputs not summed", "there is one matrix an output: sum over k.",
             'np.einsum("nkp,nkq->kpq", J, J)'),
            ("last output only", "only one output counts: sum over k too.",
             "J[:, -1].T @ J[:, -1]"),
            ("J squared entry by entry", "the squares are multiplied: the product of J "
             "with itself is wanted.", 'np.einsum("nkp,nkq->pq", J**2, J**2)'),
            ("outputs crossed", "different outputs are multiplied with each other: k "
                                "is "
             "the same in both.", '(lambda g: g.T @ g)(J.sum(1))'),
        )
    ],
    "q2": [
        ("1 − y missing", "the sigmoid's M is y(1 − y), and not y.",
         sigmoid("Y[:, :, None] * J")),
        ("y missing", "the sigmoid's M is y(1 − y), and not 1 − y.",
         sigmoid("(1 - Y)[:, :, None] * J")),
        ("y² for y(1 − y)", "the sigmoid's M is y(1 − y), and not y².",
         sigmoid("(Y**2)[:, :, None] * J")),
        ("tanh for sigmoid", "1 − y² is the slope of tanh; these are sigmoids.",
         sigmoid("(1 - Y**2)[:, :, None] * J")),
        ("sigmoid as linear", "sigmoid outputs come out as linear ones.", sigmoid("J")),
        ("sigmoid falls through", "sigmoid outputs come out with the M of a softmax.",
         ((SIGMOID, SOFTMAX),)),
        ("y_k alone", "the softmax lacks the term −y_k y_l.",
         softmax("Y[:, :, None] * J")),
        ("softmax as sigmoid", "the softmax has its diagonal y(1 − y) alone.",
         softmax("(Y * (1 - Y))[:, :, None] * J")),
        ("plus for minus", "the sign of y_k y_l is turned round.",
         softmax(f"Y[:, :, None] * (J + {YJ})")),
        ("I for I y", "I_kl stands where I_kl y_k should: a factor y_k is missing.",
         softmax(f"J - Y[:, :, None] * {YJ}")),
        ("y_k (1 − y_l)", "y_k(1 − y_l) off the diagonal: it is −y_k y_l.",
         softmax(f"Y[:, :, None] * (J.sum(1, keepdims=True) - {YJ})")),
        ("y_k missing in front", "J − Σ y_l J_l lacks the factor y_k.",
         softmax(f"J - {YJ}")),
        ("y_k y_l alone", "the term I_kl y_k is missing.",
         softmax(f"-Y[:, :, None] * {YJ}")),
        ("softmax as linear", "softmax outputs come out as linear ones.", softmax("J")),
        ("linear as sigmoid", "linear outputs come out with y(1 − y).",
         ((LINEAR, SIGMOID),)),
        ("y for 1", "linear outputs come out with a factor y.",
         ((LINEAR, "MJ = Y[:, :, None] * J"),)),
        ("M on both sides", "M stands on both sides of J: it belongs there once.",
         (("J, MJ)", "MJ, MJ)"), (LINEAR, "MJ = J"))),
        ("outputs twice", "the output unit is applied to y once more.",
         (('if unit == "linear"', 'Y = outputs(Y, unit)\n    if unit == "linear"'),)),
        ("outputs summed first", "the outputs are summed before the product.",
         (("J, MJ)", "J.sum(1, keepdims=True) + 0 * J, MJ)"), (LINEAR, "MJ = J"))),
    ],
    "q3": [
        *slopes(SLOPE, "a[l - 1][:, None, :]"),
        ("h′ on the output layer", "there is an h′ at the outputs: ∂a_k/∂a_j starts "
         "with the identity.",
         ((START, "B = (1 - np.tanh(a[-1]) ** 2)[:, :, None] * np.eye(len(W[-1]))"),)),
        ("ones for I", "the recursion starts with ones: ∂a_k/∂a_j is I_kj.",
         ((START, "B = np.ones((len(X), len(W[-1]), len(W[-1])))"),)),
        ("last column dropped", "the last column of W is dropped on the way back; the "
         "biases are in column 0.",
         ((BACK, "(B @ np.roll(W[l], 1, 1)[:, 1:])"),)),
        ("sums for outputs below", "the sums a stand where the outputs z of the layer "
                                   "below should.",
         (("z[l][:, None, None, :]",
           "(with_one(a[l - 1]) if l else z[0])[:, None, None, :]"),)),
        ("z missing", "the factor z_i is missing.",
         (("z[l][:, None, None, :]", "np.ones_like(z[l])[:, None, None, :]"),)),
        ("h′ missing in the lowest layer", "the lowest hidden layer has no h′.",
         ((SLOPE, f"({SLOPE} if l > 1 else 1)"),)),
        ("h′ in the lowest layer alone", "only the lowest hidden layer has an h′.",
         ((SLOPE, f"({SLOPE} if l == 1 else 1)"),)),
        ("order of k and j", "the axes k and j are exchanged before the layout.",
         (("table.reshape", "table.swapaxes(1, 2).reshape"),)),
        ("last layer missing",
         "the last layer is missing: its table belongs there too.",
         ((RETURN, "return np.concatenate(pieces[:-1] or pieces, axis=2)"),)),
        ("first layer missing", "the first layer is missing.",
         ((RETURN, "return np.concatenate(pieces[1:] or pieces, axis=2)"),)),
    ],
    "q4": [
        ("squared residual", "(y − t)² stands in the gradient, where y − t should.",
         ((RESIDUAL, "(Y - T) ** 2"),)),
        ("plus for minus", "y + t stands where y − t should.", ((RESIDUAL, "Y + T"),)),
        ("signs of residuals lost", "|y − t| stands where y − t should.",
         ((RESIDUAL, "abs(Y - T)"),)),
        ("residual left out", "the factor y − t is missing.",
         ((RESIDUAL, "np.ones_like(Y)"),)),
        ("slope of the outputs too", "y(1 − y) is one factor too many: J is of ∇a, and "
         "for it the gradient has y − t alone.", ((RESIDUAL, "(Y - T) * Y * (1 - Y)"),
                                                  )),
        ("patterns for parameters", "gᵀg and g gᵀ are exchanged: this compares "
         "patterns.", ((FISHER, "return g @ g.T"),)),
        ("gradient of E", "this is the whole gradient, and no product.",
         ((FISHER, "return g.sum(0)"),)),
        ("diagonal as a vector", "these are the sums of squares alone: the diagonal.",
         ((FISHER, "return (g**2).sum(0)"),)),
        ("first output alone", "one output alone counts in the gradient: sum over k.",
         (('np.einsum("nk,nkp->np", Y - T, J)', "(Y - T)[:, :1] * J[:, 0]"),)),
        ("lengths of residuals", "|y − t|² of the pattern weights JᵀJ: multiply each "
         "output by its own residual first.",
         ((FISHER, 'return np.einsum("n,nkp,nkq->pq", ((Y - T) ** 2).sum(1), J, J)'),)),
        ("residuals summed first",
         "the residuals are summed over k before they meet J.",
         (('"nk,nkp->np", Y - T', '"n,nkp->np", (Y - T).sum(1)'),)),
    ],
    "q5": [
        ("JᵀJ formed", "half of the digits are lost: JᵀJ is formed, or rcond cuts.",
         ((SOLVED, "np.linalg.lstsq(J.T @ J + damping * np.eye(P), -J.T @ r, "
           "rcond=None)[0]"),)),
        ("damping left out", "the damping is missing: this is the step of Gauss and "
         "Newton.", ((BELOW, "0 * np.eye(P)"),)),
        ("damping squared",
         "the damping counts squared: below J belongs √λ I, not λ I.",
         ((BELOW, "damping * np.eye(P)"),)),
        ("damping rooted", "the damping counts by its root: λ I belongs in the matrix.",
         ((BELOW, "damping ** 0.25 * np.eye(P)"),)),
        ("damping subtracted", "the damping is subtracted.",
         by_matrix("J.T @ J - damping * np.eye(J.shape[1])")),
        ("Marquardt's scaling", "this is damped by λ diag(JᵀJ); here it is λ I.",
         ((BELOW, "np.sqrt(damping) * np.diag(np.linalg.norm(J, axis=0))"),)),
        ("Marquardt's scaling", "this is damped by the lengths of J's columns; here it "
         "is λ I.", ((BELOW, "np.sqrt(damping * np.linalg.norm(J, axis=0)) * np.eye(P)"
                      ),)),
        ("1 + λ", "the diagonal is multiplied by 1 + λ in place of λ added.",
         by_matrix("J.T @ J * (1 + damping)")),
        ("2 lost", "a factor 2 is too many at JᵀJ: E carries a ½, and so its gradient "
         "is Jᵀr.", by_matrix("2 * J.T @ J + damping * np.eye(J.shape[1])")),
        ("2λ", "2λ stands where λ should.",
         ((BELOW, "np.sqrt(2 * damping) * np.eye(P)"),)),
        ("λ/2", "λ/2 stands where λ should.",
         ((BELOW, "np.sqrt(damping / 2) * np.eye(P)"),)),
        ("λ everywhere", "λ is added to every entry: λ I has it on the diagonal alone.",
         by_matrix("J.T @ J + damping")),
        ("ones for I", "ones stand below J in place of the identity.",
         ((BELOW, "np.sqrt(damping) * np.ones((P, P))"),)),
        ("ones for zeros", "below r belong zeros.", (("np.zeros(P)", "np.ones(P)"),)),
        ("gradient over λ", "this is −Jᵀr/λ: the limit of a strong damping.",
         ((SOLVED, "-J.T @ r / (damping or 1)"),)),
        ("sum of r", "the residuals are averaged.",
         (("r, np.zeros", "r.mean() + 0 * r, np.zeros"),)),
        ("size of r", "the signs of the residuals are lost.",
         (("r, np.zeros", "abs(r), np.zeros"),)),
    ],
    "q6": [
        (name, says, ((BARS, new),))
        for name, says, new in (
            ("inverse of the diagonal", "this inverts the diagonal; take the diagonal "
                                        "of "
             "the inverse, which knows how parameters trade off.",
             "np.sqrt(r @ r / (N - P) / np.diag(J.T @ J))"),
            ("not inverted", "JᵀJ is not inverted.",
             "np.sqrt(r @ r / (N - P) * np.diag(J.T @ J))"),
            ("covariance for deviations", "this is the covariance matrix; the roots of "
             "its diagonal are wanted.", f"r @ r / (N - P) * {COVARIANCE}"),
            ("root of the covariance", "this is the root of the covariance matrix, "
                                       "entry "
             "by entry; its diagonal is wanted.",
             f"np.sqrt(abs(r @ r / (N - P) * {COVARIANCE}))"),
            ("s for s²", "s stands in place of s² under the root.",
             f"np.sqrt(np.sqrt(r @ r / (N - P)) * np.diag({COVARIANCE}))"),
            ("norm for its square", "|r| stands in place of |r|² under the root.",
             f"np.sqrt(np.linalg.norm(r) / (N - P) * np.diag({COVARIANCE}))"),
            ("s² outside the root", "s² stands outside the root.",
             f"r @ r / (N - P) * np.sqrt(np.diag({COVARIANCE}))"),
            ("columns of R⁻¹", "the squares are summed along the columns of R⁻¹; the "
             "rows are wanted.", "np.sqrt(r @ r / (N - P) * np.sum(R_inverse**2, "
                                 "axis=0))"
             ),
            ("R for its inverse", "R is not inverted.",
             "np.sqrt(r @ r / (N - P) * np.sum(np.linalg.qr(J)[1]**2, axis=1))"),
            ("R for its inverse", "R is not inverted.",
             "np.sqrt(r @ r / (N - P) * np.sum(np.linalg.qr(J)[1]**2, axis=0))"),
            ("diagonal of R⁻¹", "the diagonal of R⁻¹ alone is used: sum the squares of "
             "each row.", "np.sqrt(r @ r / (N - P)) * abs(np.diag(R_inverse))"),
            ("N + P", "N + P stands where N − P should.",
             f"np.sqrt(r @ r / (N + P) * np.diag({COVARIANCE}))"),
            ("N − P − 1", "N − P − 1 stands where N − P should.",
             f"np.sqrt(r @ r / (N - P - 1) * np.diag({COVARIANCE}))"),
            ("not divided", "the sum of squares is not divided by N − P.",
             f"np.sqrt(r @ r * np.diag({COVARIANCE}))"),
            ("variance of r", "the mean of the residuals is subtracted.",
             f"np.sqrt(np.var(r, ddof=P) * np.diag({COVARIANCE}))"),
            ("variance of r", "the mean of the residuals is subtracted, and N stands "
             "for N − P.", f"np.sqrt(np.var(r) * np.diag({COVARIANCE}))"),
            ("variance of r", "the mean of the residuals is subtracted, and N − 1 "
                              "stands "
             "for N − P.", f"np.sqrt(np.var(r, ddof=1) * np.diag({COVARIANCE}))"),
            ("sum of r", "the residuals are summed without a square.",
             f"np.sqrt(abs(r.sum()) / (N - P) * np.diag({COVARIANCE}))"),
        )
    ],
}  # fmt: skip
