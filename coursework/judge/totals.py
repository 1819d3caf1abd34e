"""The totals of a term: each assignment in per cent, the worst left out by policy."""

from coursework.judge import policy, report, term


def write(folder):
    """Write `totals.csv` of a term; return its path and how many students it has."""
    rules = policy.read(folder / "policy.toml")
    names = sorted(path.parent.name for path in folder.glob("*/grades.csv"))
    if not names:
        raise term.TermError(f"{folder}: no assignment is graded yet")
    shares, people = {}, {}
    for name in names:
        path = folder / name / "grades.csv"
        for _, row in term.rows(path, ("student", "total", "of")):
            student = row["student"].lstrip("'")
            people[student] = row.get("name", ""), row.get("email", "")
            share = 100 * float(row["total"]) / float(row["of"])
            shares.setdefault(student, {})[name] = report.whole(share)
    rows = [["student", "name", "email", *names, "left out", "per cent"]]
    for student in sorted(shares, key=str.casefold):
        # Who is in no table of an assignment handed in nothing.
        own = {name: shares[student].get(name, 0) for name in names}
        worst = sorted(own, key=own.get)[: min(rules.drop_lowest, len(own) - 1)]
        counted = [own[name] for name in names if name not in worst]
        mean = report.whole(sum(counted) / len(counted))
        who = [student, *people[student]]
        rows.append([*who, *own.values(), " ".join(sorted(worst)), mean])
    path = folder / "totals.csv"
    report.write(path, report.table(rows))
    return path, len(shares)
