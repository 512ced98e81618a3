/* The most multiply-adds an instruction set does: as many independent chains as keep every unit busy, nothing else.
 * Needs ISA, VECTOR_BYTES and the macros of kernels_isa.h. */
#ifdef __x86_64__
#define IN_VECTOR_REGISTER "x"
#elif defined __aarch64__
#define IN_VECTOR_REGISTER "w"
#else
#define IN_VECTOR_REGISTER "m"
#endif
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

typedef float PASTE(peak_vector__, ISA) __attribute__((vector_size(VECTOR_BYTES)));

enum {
    PEAK_CHAINS = 12
}; /* a latency of 4 cycles times two units, and some to spare; with two factors, 14 of 16 registers */

/* Runs `rounds` rounds and returns the floating-point operations in each. */
int PASTE(f32_peak__, ISA)(long rounds)
{
    PASTE(peak_vector__, ISA) acc[PEAK_CHAINS] = {0}, x = {0}, y = {0};
    /* The compiler may know neither that the chains and their products are equal, nor that nobody reads the sums. */
    UNROLLED(j, PEAK_CHAINS) __asm__ volatile("" : "+" IN_VECTOR_REGISTER(acc[j]));
    for (long i = 0; i < rounds; i++) {
        UNROLLED(j, PEAK_CHAINS) {
            __asm__ volatile("" : "+" IN_VECTOR_REGISTER(x), "+" IN_VECTOR_REGISTER(y));
            acc[j] += x * y;
        }
    }
    UNROLLED(j, PEAK_CHAINS) __asm__ volatile("" : : IN_VECTOR_REGISTER(acc[j]));
    return 2 * PEAK_CHAINS * (VECTOR_BYTES / sizeof(float));
}
