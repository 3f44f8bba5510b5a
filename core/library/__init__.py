"""Whence from Python: one call that explains an answer, and an object to ask further.

What it computes is computed by the same code as in the app, with the same numbers. Nothing is kept on disk. Importing
this package loads no torch.
"""
