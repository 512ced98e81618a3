/* The CPUs on which the calling thread may run. */
#ifndef FASTCONV_AFFINITY_H
#define FASTCONV_AFFINITY_H

enum { FC_MASK_BYTES = 1024 }; /* for 8192 CPUs */

#if defined __linux__
#include <sys/syscall.h>
#include <unistd.h>

/* Bytes of the mask, at most `room`. */
static inline long fc_read_affinity(char *mask, long room)
{
    return syscall(SYS_sched_getaffinity, 0, room, mask);
}

static inline void fc_bind_to(const int *cpus, int count)
{
    enum { BITS = 8 * sizeof(long) };
    unsigned long mask[FC_MASK_BYTES / sizeof(long)] = {0};
    for (int i = 0; i < count; i++)
        if (cpus[i] < 8 * FC_MASK_BYTES) mask[cpus[i] / BITS] |= 1UL << cpus[i] % BITS;
    syscall(SYS_sched_setaffinity, 0, sizeof mask, mask);
}
#else
static inline long fc_read_affinity(char *mask, long room)
{
    (void)mask, (void)room;
    return 0;
}

static inline void fc_bind_to(const int *cpus, int count)
{
    (void)cpus, (void)count;
}
#endif

#endif
