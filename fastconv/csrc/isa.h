/* Which instruction sets the compiled kernels are for, which of them this machine runs, and the kernels of each. */
#ifndef FASTCONV_ISA_H
#define FASTCONV_ISA_H
#include "conv_kernels.h"

struct fc_isa {
    const char *name;                      /* what FASTCONV_ISA takes */
    int (*is_available)(void);             /* CPU and operating system both support it */
    const struct fc_conv_kernels *conv[2]; /* float32, float64 */
};

/* Slowest first; the first is the portable one, available everywhere. Ends with a name of NULL. */
extern const struct fc_isa fc_isas[];

#endif
