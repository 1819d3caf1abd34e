"""The engine: it makes the lessons' functions fast, and callers' mistakes clear.

A lesson, such as `jachess_lib/hessian.py`, holds what its chapter derives, in plain
NumPy. The file of the same name here makes the same function fast. `lesson` connects
the two, and is all that a lesson imports from here.
"""

from jachess_lib._engine.choice import engine, engine_used
from jachess_lib._engine.connection import lesson
from jachess_lib._engine.operators import SymmetricOperator

__all__ = ["SymmetricOperator", "engine", "engine_used", "lesson"]
