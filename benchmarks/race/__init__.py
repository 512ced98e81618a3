"""fastconv against other engines: `python -m benchmarks.race`.

rows.py      what is raced
exporter.py  a graph of fastconv as the model that the other engines take
engine.py    the processes that engines run in, of which `benchmarks.engines` has the inside
results.py   ratios and the tables of a terminal
page.py      the README's tables and the file for programs
__main__.py  the race itself
"""
