"""What is to be computed, as data: a graph of operations, from which shapes, errors, cost and reference follow."""
