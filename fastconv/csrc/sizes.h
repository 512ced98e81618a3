/* The largest tiles of any instruction set. */
#ifndef FASTCONV_SIZES_H
#define FASTCONV_SIZES_H

enum { FC_MAX_PIXELS = 12, FC_MAX_VECTORS = 2 };

#endif
