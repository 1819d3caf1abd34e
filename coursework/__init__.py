"""Assignments, their self-check, and the judge that marks them."""
