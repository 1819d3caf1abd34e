"""A bank of quiz questions: `make bank N=40 SEED=1` draws them and writes two formats.

Every wrong option is a named misconception, and every key is known by two witnesses.
"""
