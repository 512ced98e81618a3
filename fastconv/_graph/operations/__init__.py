"""The operations of a graph, a file a family; each is one class, a declaration (`operation.py` says of what)."""
