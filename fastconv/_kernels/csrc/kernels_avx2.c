/* 12 of the 16 registers accumulate: with two FMA units and a latency of 4, 8 chains keep both busy. */
#define ISA avx2
#define VECTOR_BYTES 32
#define MAX_PIXELS 6
#include "kernels_isa.h"
