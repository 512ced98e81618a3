"""Loop nests over tiles, whose tasks a team shares, and the weights as they read them."""
