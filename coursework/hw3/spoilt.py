"""Mistakes of assignment 3 that its check knows by a number each."""

# Pieces of the solutions
BEND = "-2 * np.tanh(a) * (1 - np.tanh(a) ** 2)"
BLOCK = 'np.einsum("nj,nJ,nkl->kjlJ", z, z, M)'
SECOND = "bracket += (h2 * (delta @ U))[:, :, None] * np.eye(h1.shape[1])"
SLOPE, IDENTITY = "(1 - np.tanh(a[l]) ** 2) * R_a[l]", "k=1)"
WHOLE = "np.block([[H11, H12], [H12.T, H22]])"
BENT = "tanh_bend(a[l - 1]) * R_a[l - 1] * back"
RISE = "R_z[l] @ W[l].T + z[l] @ V[l].T"
BACK = "delta @ V[l][:, 1:] + R_delta @ W[l][:, 1:]"
START = "delta, R_delta = y - T, through_outputs(y, R_a[-1], unit)"
SUMS, RETURN = "R_delta.T @ z[l - 1] + delta.T @ R_z[l - 1]", "return tables"
TOP = "R_delta.T @ z[-1] + delta.T @ R_z[len(W) - 1]"


def both(new):
    """Return the change of every table at the end of Hv."""
    last = new.replace("z[l - 1]", "z[-1]").replace("R_z[-1]", "R_z[len(W) - 1]")
    return ((SUMS, new), (TOP, last))


SPOILT = {
    "q1": [
        (name, says, ((BEND, new),))
        for name, says, new in (
            ("a for z", "a stands in place of z = tanh(a), everywhere.",
             "-2 * a * (1 - a**2)"),
            ("a for z in front", "a stands in front; z = tanh(a) belongs there.",
             "-2 * a * (1 - np.tanh(a) ** 2)"),
            ("a for z in the slope", "1 − a² stands for the slope: it is 1 − z².",
             "-2 * np.tanh(a) * (1 - a**2)"),
            ("slope squared", "this has the slope squared.", "(1 - np.tanh(a) ** 2) ** "
                                                             "2"),
            ("slope squared beside z", "the slope is squared: it stands there once.",
             "-2 * np.tanh(a) * (1 - np.tanh(a) ** 2) ** 2"),
            ("bend of the sigmoid", "this is the bend of a sigmoid, z(1 − z)(1 − 2z).",
             "np.tanh(a) * (1 - np.tanh(a)) * (1 - 2 * np.tanh(a))"),
            ("bend of the sigmoid", "this is the bend of a sigmoid; the unit is tanh.",
             "(s := 1 / (1 + np.exp(-a))) * (1 - s) * (1 - 2 * s)"),
            ("square lost", "a square is missing: 1 − z in place of 1 − z².",
             "-2 * np.tanh(a) * (1 - np.tanh(a))"),
            ("bend at z", "the bend is taken at z; it belongs at a.",
             "-2 * np.tanh(np.tanh(a)) * (1 - np.tanh(np.tanh(a)) ** 2)"),
            ("third derivative", "this is the third derivative.",
             "(6 * np.tanh(a) ** 2 - 2) * (1 - np.tanh(a) ** 2)"),
            ("plus for minus", "1 + z² stands where the slope 1 − z² should.",
             "-2 * np.tanh(a) * (1 + np.tanh(a) ** 2)"),
            ("z squared", "z² stands in front; z belongs there once.",
             "-2 * np.tanh(a) ** 2 * (1 - np.tanh(a) ** 2)"),
            ("z² for the slope", "z² stands where the slope 1 − z² should.",
             "-2 * np.tanh(a) ** 3"),
            ("slope and z added", "the slope and −2z are added: they multiply.",
             "-2 * np.tanh(a) + (1 - np.tanh(a) ** 2)"),
            ("1 − 2z", "1 − 2z belongs to the sigmoid.",
             "(1 - np.tanh(a) ** 2) * (1 - 2 * np.tanh(a))"),
            ("slope's slope apart", "the derivative of 1 − z² by z is −2z: no 1 is "
                                    "left.",
             "1 - 2 * np.tanh(a) * (1 - np.tanh(a) ** 2)"),
        )
    ],
    "q2": [
        ("z once", "one z of the two is missing.", (("z, z, M", "z, 0 * z + 1, M"),)),
        ("j with itself alone", "different units j and j′ meet too: not j = j′ alone.",
         ((BLOCK, 'np.einsum("nj,nJ,nkl,jJ->kjlJ", z, z, M, np.eye(z.shape[1]))'),)),
        ("z summed first", "z is summed over the patterns before the product.",
         (("z, z, M", "0 * z + z.sum(0) / len(z), z, M"),)),
        ("columns in another order", "the columns run through j′ first: the rows are "
         "right.", (("->kjlJ", "->kjJl"),)),
        ("rows in another order",
         "the rows run through j first: the columns are right.",
         (("->kjlJ", "->jklJ"),)),
        ("pairs mixed up", "the axes are k, k′, j, j′ when it is reshaped: each pair "
         "(k, j) has to stand together.", (("->kjlJ", "->kljJ"),)),
    ],
    "q3": [
        ("h′ for h″", "h′ stands in the bend where h″ should.", (("(h2 *", "(h1 *"),)),
        ("δ missing in the bend", "δ is missing in the bend: Σ_k w_kj δ_k.",
         (("(delta @ U)", "U.sum(0)"),)),
        ("weights missing in the bend", "the weights are missing in the bend: "
         "Σ_k w_kj δ_k.", (("(delta @ U)", "delta.sum(1, keepdims=True)"),)),
        ("weights missing beside M", "the weights are missing beside M.",
         (("U, U, M", "0 * U + 1, 0 * U + 1, M"),)),
        ("one weight beside M", "one of the two weights beside M is missing.",
         (("U, U, M", "U, 0 * U + 1, M"),)),
        ("one x", "one x of the two is missing.", (("x, x, b", "x, 0 * x + 1, b"),)),
        ("bend without h″", "h″ is missing in the bend.", (("(h2 *", "(1 *"),)),
        ("weights squared in the bend", "the weights are squared in the bend.",
         (("(delta @ U)", "(delta @ U**2)"),)),
        ("bend everywhere", "the bend is in every j and j′: it has an I_jj′.",
         ((SECOND, "bracket += (h2 * (delta @ U))[:, :, None]"),)),
        ("bend everywhere", "the bend is in every j and j′: it has an I_jj′.",
         ((SECOND, "bracket += (h2 * (delta @ U))[:, None, :]"),)),
        ("columns in another order", "the columns run through i′ first: the rows are "
         "right.", (("->jiJI", "->jiIJ"),)),
        ("rows in another order",
         "the rows run through i first: the columns are right.",
         (("->jiJI", "->ijJI"),)),
        ("pairs mixed up", "the axes are j, j′, i, i′ when it is reshaped: each pair "
         "(j, i) has to stand together.", (("->jiJI", "->jJiI"),)),
        ("M summed first", "M is summed over the patterns before the product.",
         (("U, U, M", "U, U, M.sum(0) + 0 * M"),)),
        ("bias column for weights", "the last column of W1 is dropped; the biases are "
                                    "in "
         "column 0.", (("W1[:, 1:]", "W1[:, :-1]"),)),
    ],
    "q4": [
        ("misprint", "h′ and the weights are those of j′, as in the misprint: they are "
         "of j.", (("nj,nJ,lj,nkl->jikJ", "nJ,nj,lJ,nkl->jikJ"),
                   ("h1, z, W1[:, 1:]", "np.hstack([0 * x[:, :1] + 1, h1]), z[:, 1:], "
                    "W1"))),
        ("I with a column of ones", "I_jj′ has no 1 in column 0.",
         ((IDENTITY, "k=1) + (np.arange(z.shape[1]) == 0)"),)),
        ("δ for every j′", "the term with δ is in every j′: it has an I_jj′.",
         (("same = np.eye(h1.shape[1], z.shape[1], k=1)",
           "same = np.ones((h1.shape[1], z.shape[1]))"),)),
        ("columns in another order", "the columns run through j′ first: the rows are "
         "right.", (("->jikJ", "->jiJk"),)),
        ("rows in another order",
         "the rows run through i first: the columns are right.",
         (("->jikJ", "->ijkJ"),)),
        ("pairs mixed up", "the axes are j, k, i, j′ when it is reshaped.",
         (("->jikJ", "->jkiJ"),)),
        ("z missing", "z_j′ is missing in the term with M.",
         (("h1, z, W1[", "h1, 0 * z + 1, W1["),)),
        ("weights missing", "the weights are missing in the term with M.",
         (("W1[:, 1:], M", "0 * W1[:, 1:] + 1, M"),)),
        ("δ beside M", "δ stands in the term with M too: it has none.",
         (('"ni,nj,nJ,lj,nkl->jikJ", x', '"ni,nj,nJ,lj,nkl,nl->jikJ", x'),
          ("W1[:, 1:], M", "W1[:, 1:], M, delta"))),
    ],
    "q5": [
        (name, says, ((WHOLE, new),))
        for name, says, new in (
            ("reshaped for transposed",
             "H₁₂ is reshaped where it should be transposed.",
             "np.block([[H11, H12], [H12.reshape(H12.shape[::-1]), H22]])"),
            ("both signs", "the signs of both mixed blocks are turned round.",
             "np.block([[H11, -H12], [-H12.T, H22]])"),
            ("sum with its transpose", "H and its transpose are added: the diagonal "
             "blocks count twice.",
             "(lambda H: H + H.T)(np.block([[H11, H12], [0 * H12.T, H22]]))"),
            ("upper sign", "the sign of the block above the diagonal is turned round.",
             "np.block([[H11, -H12], [H12.T, H22]])"),
            ("blocks on the wrong diagonal", "the diagonal blocks stand beside the "
             "diagonal.", "np.block([[H12, H11], [H22, H12.T]])"),
        )
    ],
    "q6": [
        ("R{z_0} not 0", "column 0 of R{z} is 1: the constant unit does not move.",
         (("        R_z[-1][:, 0] = 0\n", ""),)),
        ("R{z_0} not 0", "column 0 of R{z} is 1, in X too.",
         (("        R_z[-1][:, 0] = 0\n", ""),
          ("np.zeros(z[0].shape)", "with_one(0 * X)"))),
        ("R{x} not 0", "R{z} of the inputs is not 0: inputs do not move.",
         (("np.zeros(z[0].shape)", "z[0]"),)),
        ("bend turned round", "the sign of the term with h″ is turned round.",
         ((BENT, f"-{BENT}"),)),
        ("R{δ} does not go back", "the term Σ w R{δ} is missing in R{δ_j}.",
         ((BACK, "delta @ V[l][:, 1:]"),)),
        ("R{δ} missing in the slope", "the slope h′ is missing in R{δ_j}.",
         (("slope * (", "1 * ("),)),
        ("v z missing", "the term v z is missing in R{a}: the weights move.",
         ((RISE, "R_z[l] @ W[l].T"),)),
        ("w R{z} missing", "the term w R{z} is missing in R{a}.",
         ((RISE, "z[l] @ V[l].T"),)),
        ("h′ missing in R{z}", "the slope h′ is missing in R{z}.",
         ((SLOPE, "R_a[l]"),)),
        ("h″ for h′ in R{z}", "h″ stands in R{z} where h′ should.",
         ((SLOPE, "tanh_bend(a[l]) * R_a[l]"),)),
        ("z for h′ in R{z}", "z stands in R{z} where h′ should.",
         ((SLOPE, "np.tanh(a[l]) * R_a[l]"),)),
        ("R{a} missing in the bend", "R{a} is missing beside h″.",
         ((BENT, "tanh_bend(a[l - 1]) * back"),)),
        ("back missing in the bend", "Σ w δ is missing beside h″.",
         ((BENT, "tanh_bend(a[l - 1]) * R_a[l - 1]"),)),
        ("h′ for h″", "h′ stands where h″ should.",
         ((BENT, "slope * R_a[l - 1] * back"),)),
        ("R{z} for R{a}", "R{z} stands beside h″ where R{a} should.",
         ((BENT, "tanh_bend(a[l - 1]) * R_z[l][:, 1:] * back"),)),
        ("t − y", "δ starts as t − y: the sign is turned round.",
         (("y - T", "T - y"),)),
        ("M of a sigmoid", "the M of a sigmoid is used for every unit.",
         ((START, "delta, R_delta = y - T, y * (1 - y) * R_a[-1]"),)),
        ("h′ at the outputs", "h′ of tanh stands at the outputs: it is M there.",
         ((START, "delta, R_delta = y - T, (1 - np.tanh(a[-1]) ** 2) * R_a[-1]"),)),
        ("minus in the tables", "the two terms of a table are subtracted: add them.",
         both("R_delta.T @ z[l - 1] - delta.T @ R_z[l - 1]")),
        ("δ z", "this is δ z, the gradient.", both("delta.T @ z[l - 1]")),
        ("R{δ} R{z}", "R{δ} R{z} is a product of two changes: each term has one.",
         both("R_delta.T @ R_z[l - 1]")),
        ("w for v on the way back", "w stands where v should on the way back.",
         ((BACK, BACK.replace("V", "W")),)),
        ("h′ missing in δ", "δ has no h′ on the way back.",
         (("delta = slope * back", "delta = back"),)),
    ],
}  # fmt: skip
