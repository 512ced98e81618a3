"""fastconv beside other work, and other engines there: `python -m benchmarks.busy`.

processes.py  the busy processes, and what the system gives to processes that only spin
results.py    the fair share, and the tables
__main__.py   the measurement itself
"""
