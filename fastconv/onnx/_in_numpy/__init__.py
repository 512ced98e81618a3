"""Operators in NumPy, as the standard has them, a file for each kind; `table.py` names the functions.

Each takes the node and its inputs, None for one that is left out, and gives the result, or a tuple of results.
"""
