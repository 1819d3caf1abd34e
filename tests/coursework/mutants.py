"""Right answers, each spoilt in one place: every operator, number, axis and name.

They are what students hand in who are nearly there. Nobody has thought of them one by
one, and so they show what the check and the judge make of what they have not seen.
"""

import ast
import copy
import itertools

OPERATORS = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Add, ast.MatMult, ast.Div), ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,), ast.Pow: (ast.Mult,),
}  # fmt: skip


def mutants(source):
    """Return [(what was changed, source)] of the mutants of one function."""
    tree = ast.parse(source)
    function = tree.body[0]
    names = sorted(
        {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
        | {
            node.id for node in ast.walk(function)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
    )  # fmt: skip
    found = {}
    for place, node in enumerate(ast.walk(tree)):
        for words, new in changes(node, names):
            spoilt = copy.deepcopy(tree)
            old = next(itertools.islice(ast.walk(spoilt), place, None))
            if put(spoilt, old, new):
                text = ast.unparse(ast.fix_missing_locations(spoilt))
                where = getattr(node, "lineno", 0)
                found.setdefault(text, f"line {where}: {words}")
    found.pop(ast.unparse(tree), None)
    return [(words, text) for text, words in found.items()]


def put(tree, old, new):
    """Put a node in the place of another; tell whether it was found."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
                return True
            if isinstance(value, list):
                for n, item in enumerate(value):
                    if item is old:
                        value[n : n + 1] = [] if new is None else [new]
                        return True
    return False


def changes(node, names):
    """Yield (words, new node) for what may stand in the place of a node."""
    node = copy.deepcopy(node)
    if isinstance(node, ast.BinOp):
        for other in OPERATORS.get(type(node.op), ()):
            words = f"{type(node.op).__name__} to {other.__name__}"
            yield words, ast.BinOp(node.left, other(), node.right)
        yield "left side alone", node.left
        yield "right side alone", node.right
        yield "sides exchanged", ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.UnaryOp):
        yield "sign lost", node.operand
    elif isinstance(node, ast.Constant):
        yield from constants(node.value)
    elif isinstance(node, ast.Attribute) and node.attr in ("T", "shape"):
        if node.attr == "T":
            yield "T lost", node.value
    elif isinstance(node, ast.Call):
        yield from calls(node)
    elif isinstance(node, ast.Subscript):
        if not isinstance(node.value, ast.Attribute):
            yield "index lost", node.value
    elif isinstance(node, ast.Slice) and (node.lower or node.upper):
        yield "whole slice", ast.Slice()
        yield "without the last", ast.Slice(None, ast.Constant(-1))
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for other in names:
            if other != node.id and node.id in names:
                yield f"{node.id} to {other}", ast.Name(other, ast.Load())
    elif isinstance(node, (ast.Compare,)):
        yield "condition turned", ast.UnaryOp(ast.Not(), node)
    elif isinstance(node, (ast.AugAssign, ast.If)):
        yield "statement lost", ast.Pass()
        if isinstance(node, ast.AugAssign):
            yield "overwritten", ast.Assign([node.target], node.value, lineno=1)


def constants(value):
    """Yield what may stand in the place of a constant."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, (int, float)):
        for other in {value + 1, value - 1, -value, 2 * value, 0, 1} - {value}:
            yield f"{value} to {other}", ast.Constant(other)
    elif isinstance(value, str) and "->" in value:
        left, right = value.split("->")
        for order in itertools.islice(itertools.permutations(right), 1, 7):
            yield "axes of the result", ast.Constant(f"{left}->{''.join(order)}")
        for letter in right:
            yield "summed", ast.Constant(f"{left}->{right.replace(letter, '')}")
        parts = left.split(",")
        for n, part in enumerate(parts):
            if len(part) > 1:
                turned = [*parts[:n], part[::-1], *parts[n + 1 :]]
                yield "turned", ast.Constant(f"{','.join(turned)}->{right}")


def calls(node):
    """Yield what may stand in the place of a call."""
    if len(node.args) == 1:
        yield "call lost", node.args[0]
    if len(node.args) == 2:
        turned = ast.Call(node.func, node.args[::-1], node.keywords)
        yield "arguments exchanged", turned
    if node.keywords:
        yield "keywords lost", ast.Call(node.func, node.args, [])
    if isinstance(node.func, ast.Attribute):
        swaps = {
            "sum": "mean", "mean": "sum", "zeros": "ones", "ones": "zeros",
            "sqrt": "square", "tanh": "sin", "log": "exp", "eye": "ones",
        }  # fmt: skip
        other = swaps.get(node.func.attr)
        if other == "ones" and node.func.attr == "eye":
            shape = ast.Tuple([node.args[0], node.args[-1]], ast.Load())
            yield (
                "ones for I",
                ast.Call(
                    ast.Attribute(node.func.value, "ones", ast.Load()), [shape], []
                ),
            )
        elif other:
            func = ast.Attribute(node.func.value, other, ast.Load())
            yield (
                f"{node.func.attr} to {other}",
                ast.Call(func, node.args, node.keywords),
            )
