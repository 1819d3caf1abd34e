"""Run the cells of a notebook as Jupyter does, so that honest habits cost nothing.

Magics and shell lines become calls of a shell that does nothing; a statement that fails
does not stop the ones after it; of a cell that is not graded, the definitions are kept.
"""

import __future__

import ast
import contextlib

from IPython.core.inputtransformer2 import TransformerManager

# Cell magics with code below them that a notebook means to run, and whose names it then
# uses. The others time it, write it to a file or hand it to another language.
RUN = ("time", "capture", "prun")
DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


class Shell:
    """What `get_ipython()` returns: magics run their code and do nothing else."""

    def __init__(self, namespace, nothing):
        self._namespace, self._nothing = namespace, nothing

    def run_line_magic(self, name, line, *others):
        """Run the statement behind `%time`; behind the others there is none."""
        if name == "time":
            exec(line, self._namespace)
        return self._nothing

    def run_cell_magic(self, name, line, cell):
        """Run the code below `%%time` and its like."""
        if name == "capture" and line.split():
            self._namespace[line.split()[-1]] = self._nothing
        if name in RUN:
            error = run(cell, "<cell>", self._namespace)
            if error is not None:
                raise error
        return self._nothing

    def getoutput(self, command, *others):
        """Return the lines that a command prints: none is run."""
        return []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._nothing


def new_namespace(nothing):
    """Return the names that a notebook has before its first cell."""
    namespace = dict.fromkeys(("display", "exit", "quit"), nothing)
    shell = Shell(namespace, nothing)
    namespace |= {"__name__": "__main__", "input": lambda prompt="": ""}
    namespace["get_ipython"] = lambda: shell
    return namespace


def run(source, name, namespace):
    """Run the statements of a cell one by one; return the first error, or None."""
    try:
        statements = parsed(source, name)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return error
    first, flags = None, 0
    for statement in statements:
        flags |= _future(statement)
        try:
            whole = ast.Module([statement], [])
            exec(compile(whole, name, "exec", flags, True), namespace)
        except BaseException as error:
            first = first if first is not None else error
    return first


def run_definitions(source, name, namespace):
    """Keep what a cell that is not graded defines, where its name is still free."""
    taken = dict(namespace)
    with contextlib.suppress(BaseException):
        statements = [s for s in parsed(source, name) if _defines(s)]
        exec(compile(ast.Module(statements, []), name, "exec"), namespace)
    namespace.update(taken)


def parsed(source, name):
    """Return the statements of a cell, its magics turned into calls."""
    try:
        return ast.parse(source, name).body
    except SyntaxError:
        return ast.parse(TransformerManager().transform_cell(source), name).body


def _future(statement):
    """Return the flags that `from __future__ import …` sets for what follows."""
    if getattr(statement, "module", None) != "__future__":
        return 0
    found = (getattr(__future__, alias.name, None) for alias in statement.names)
    return sum(feature.compiler_flag for feature in found if feature)


def _defines(statement):
    """Tell whether a statement does no more than give a name to something."""
    if isinstance(statement, ast.Assign):
        try:
            ast.literal_eval(statement.value)
        except ValueError:
            return False
        return True
    return isinstance(statement, DEFINITIONS)
