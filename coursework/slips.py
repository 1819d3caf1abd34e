"""Right answers, each spoilt in one place: every operator, number, axis and name.

They are what students hand in who are nearly there. Nobody thinks of them one by one:
they are made from the solutions. A check knows each by a number (`spoil.py`) and tells
its sentence; and what the check says of any of them, the judge has to agree with.
"""

import ast
import copy
import itertools

OPERATORS = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Add, ast.MatMult, ast.Div), ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,), ast.Pow: (ast.Mult,),
}  # fmt: skip
SIGNS = {
    ast.Add: "+", ast.Sub: "−", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@",
    ast.Pow: "**",
}  # fmt: skip
TURNED = {
    ast.Sub: "a difference is turned round.",
    ast.Div: "a fraction is upside down.",
    ast.Pow: "a power and its exponent are exchanged.",
}
INDEX = "an index is off: another layer or entry is taken."
CALLS = {
    "sum": "mean", "mean": "sum", "zeros": "ones", "ones": "zeros",
    "sqrt": "square", "tanh": "sin", "log": "exp", "eye": "ones",
}  # fmt: skip


def slips(source):
    """Return [(what to tell, source)] of one function, spoilt in one place each."""
    tree = ast.parse(source)
    own = {node.arg for node in ast.walk(tree.body[0]) if isinstance(node, ast.arg)}
    names = own | {
        node.id for node in ast.walk(tree.body[0])
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }  # fmt: skip
    roles, places, found = roles_of(tree), places_of(tree), {}
    for node in list(ast.walk(tree)):
        for says, new in changes(node, sorted(names), own, roles.get(id(node), "")):
            if id(node) in places:
                put(places[id(node)], new)
                found.setdefault(ast.unparse(tree), f"in one place {says}")
                put(places[id(node)], node)
    found.pop(ast.unparse(tree), None)
    return [(says, text) for text, says in found.items()]


def places_of(tree):
    """Return {id of a node: (what it is part of, as what, where in a list)}."""
    found = {}
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if isinstance(value, list):
                found |= {id(item): (parent, name, n) for n, item in enumerate(value)}
            elif isinstance(value, ast.AST):
                found[id(value)] = (parent, name, None)
    return found


def put(place, node):
    """Put a node in a place of the tree."""
    parent, name, n = place
    if n is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[n] = node


def roles_of(tree):
    """Return {id of a node: what it is for}, of those that are for something."""
    roles = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            roles[id(node.right)] = "exponent"
        elif isinstance(node, ast.keyword) and node.arg == "axis":
            roles |= {id(part): "axis" for part in ast.walk(node.value)}
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func).split(".")[-1]
            given = [
                *node.args,
                *(key.value for key in node.keywords if key.arg != "axis"),
            ]
            roles |= {id(part): called for part in given}
        elif isinstance(node, (ast.Subscript, ast.Slice)):
            inside = node.slice if isinstance(node, ast.Subscript) else node
            roles |= {id(part): "index" for part in ast.walk(inside)}
    return roles


def with_names(node, own):
    """Return words for which of the arguments a piece is made of."""
    found = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return f" with {' and '.join(sorted(found & own))}" if found & own else ""


def changes(node, names, own, role):
    """Yield (what to tell, new node) for what may stand in the place of a node."""
    node = copy.deepcopy(node)
    if isinstance(node, ast.BinOp):
        for says, new in operators(node, own):
            yield INDEX if role == "index" else says, new
    elif isinstance(node, ast.UnaryOp):
        yield "a minus is missing.", node.operand
    elif isinstance(node, ast.Constant):
        yield from constants(node.value, role)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "a .T is missing: something is not transposed.", node.value
    elif isinstance(node, ast.Call):
        yield from calls(node, own)
    elif isinstance(node, ast.Subscript):
        if not isinstance(node.value, ast.Attribute):
            whole = with_names(node.value, own)
            yield f"an index{whole} is missing: everything is taken.", node.value
    elif isinstance(node, ast.Slice) and (node.lower or node.upper):
        yield "everything is taken where a part should be: the biases?", ast.Slice()
        last = ast.Slice(None, ast.Constant(-1))
        yield "all but the last is taken where another part should be.", last
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from other_names(node, names, own)
    elif isinstance(node, ast.Compare):
        yield "a condition is turned round.", ast.UnaryOp(ast.Not(), node)
    elif isinstance(node, (ast.AugAssign, ast.If)):
        inside = with_names(node, own)
        yield f"a step{inside} is left out.", ast.Pass()
        if isinstance(node, ast.AugAssign):
            over = ast.Assign([node.target], node.value, lineno=1)
            yield "= stands where += should (or the like).", over


def operators(node, own):
    """Yield (what to tell, new node) for two pieces and what is between them."""
    here = SIGNS.get(type(node.op), "an operator")
    for other in OPERATORS.get(type(node.op), ()):
        says = f"{SIGNS[other]} stands where {here} should."
        yield says, ast.BinOp(node.left, other(), node.right)
    kind = "a term" if isinstance(node.op, (ast.Add, ast.Sub)) else "a factor"
    if isinstance(node.op, ast.Pow):
        yield "an exponent is missing.", node.left
    else:
        yield f"{kind}{with_names(node.right, own)} is missing.", node.left
    yield f"{kind}{with_names(node.left, own)} is missing.", node.right
    says = TURNED.get(type(node.op), "the two sides of a product are exchanged.")
    yield says, ast.BinOp(node.right, node.op, node.left)


def other_names(node, names, own):
    """Yield (what to tell, new node) for other quantities in the place of one."""
    if node.id not in names:
        return
    for other in names:
        if other != node.id:
            known = node.id if node.id in own else "another quantity"
            says = f"{other} stands where {known} should."
            if other not in own:
                says = f"{known} is exchanged for a quantity on the way."
            yield says, ast.Name(other, ast.Load())
    if node.id in own:
        for says, power in (("is squared", 2), ("is upside down", -1.0)):
            raised = ast.BinOp(ast.Name(node.id, ast.Load()), ast.Pow(),
                               ast.Constant(power))  # fmt: skip
            yield f"{node.id} {says}.", raised


def constants(value, role):
    """Yield (what to tell, new node) for what may stand in the place of a constant."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, (int, float)):
        for other in sorted({value + 1, value - 1, -value, 2 * value, 0, 1} - {value}):
            says = {
                "exponent": f"an exponent is {other}: it should not be.",
                "axis": f"axis {other} stands where another should.",
                "index": INDEX,
                "": f"the number {other} stands where another should.",
            }.get(role, f"the number {other} stands where another should, in {role}.")
            yield says, ast.Constant(other)
    elif isinstance(value, str) and "->" in value:
        yield from subscripts(value)


def subscripts(value):
    """Yield (what to tell, new node) for other subscripts of an einsum."""
    left, right = value.split("->")
    for order in itertools.islice(itertools.permutations(right), 1, 7):
        says = "the axes of a sum's result come in another order."
        yield says, ast.Constant(f"{left}->{''.join(order)}")
    for letter in right:
        says = "one index too many is summed over."
        yield says, ast.Constant(f"{left}->{right.replace(letter, '')}")
    parts = left.split(",")
    for n, part in enumerate(parts):
        if len(part) > 1:
            turned = [*parts[:n], part[::-1], *parts[n + 1 :]]
            says = "the axes of one factor are exchanged: it is transposed."
            yield says, ast.Constant(f"{','.join(turned)}->{right}")


def calls(node, own):
    """Yield (what to tell, new node) for what may stand in the place of a call."""
    called = ast.unparse(node.func).split(".")[-1]
    if len(node.args) == 1:
        yield f"{called} is missing.", node.args[0]
    if len(node.args) == 2:
        turned = ast.Call(node.func, node.args[::-1], node.keywords)
        yield f"the two arguments of {called} are exchanged.", turned
    if node.keywords:
        lost = " and ".join(str(keyword.arg) for keyword in node.keywords)
        yield f"{called} lacks its {lost}.", ast.Call(node.func, node.args, [])
    if isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
        other, arguments = CALLS[node.func.attr], node.args
        if node.func.attr == "eye":
            arguments = [ast.Tuple([node.args[0], node.args[-1]], ast.Load())]
        func = ast.Attribute(node.func.value, other, ast.Load())
        says = f"{other} stands where {called} should."
        yield says, ast.Call(func, arguments, node.keywords)
