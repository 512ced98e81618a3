"""Nodes as operations of a graph, a file for each kind; `_table.py` names the functions.

Each takes the binding, the node and what is known of its inputs, and gives a `Map`, or a list of results, or None where
the node has to be a step by NumPy.
"""
