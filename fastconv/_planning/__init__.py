"""How a graph runs: bound to a shape, its arrays placed in memory, its steps in order."""
