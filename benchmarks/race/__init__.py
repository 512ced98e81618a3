"""fastconv against other engines: `python -m benchmarks.race`.

rows.py      what is raced
exporter.py  a graph of fastconv as the model that the other engines take
engine.py    the processes that engines run in, of which `benchmarks.engines` has the inside
field.py     the engines that are ready for a row, their answers compared with the reference
results.py   ratios and the tables of a terminal
page.py      the README's tables and the file for programs
__main__.py  the race itself
"""
