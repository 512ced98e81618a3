/* The largest tiles and vectors of any instruction set; kernels_isa.h checks that each keeps to them. And the bytes
 * that come into a cache together. */
#pragma once

enum { FC_MAX_PIXELS = 12, FC_MAX_VECTORS = 2 };
enum { FC_MAX_VECTOR_BYTES = 64, FC_MAX_LANES = FC_MAX_VECTOR_BYTES / 4 };
enum { CACHE_LINE = 64 };
