"""Micro-kernels in C, and the choice of an instruction set."""
