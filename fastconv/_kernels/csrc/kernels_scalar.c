#include "isa_scalar.h"

#include "kernels_isa.h"
