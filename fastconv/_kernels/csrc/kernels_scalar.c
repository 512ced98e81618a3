/* The portable kernels: every baseline has 16-byte vectors (SSE2, NEON), or the compiler makes do without. */
#define ISA scalar
#define VECTOR_BYTES 16
#define MAX_PIXELS 4
#include "kernels_isa.h"
