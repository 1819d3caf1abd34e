"""The judge: marks submissions in processes that know no right answer.

The trusted side draws the inputs of each question from a secret seed and works out what
is right. A sandbox runs the student's cells, is sent inputs, and sends arrays back. See
"For instructors" in the book for what that guarantees and what it does not.
"""
