/* The portable kernels: 16-byte vectors exist on every baseline (SSE2, NEON), and the compiler lowers them elsewhere. */
#define ISA scalar
#define VECTOR_BYTES 16
#define MAX_PIXELS 4
#include "conv_types.h"
