/* 24 of the 32 registers accumulate, with 14 loads for 24 multiply-adds; a thirteenth pointer would not fit the general
 * registers. */
#define ISA avx512
#define VECTOR_BYTES 64
#define MAX_PIXELS 12
#include "kernels_isa.h"
