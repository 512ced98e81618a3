"""The steps of a plan: what runs for each operation; `table.py` names them."""
