/* The CPUs on which a thread may run. */
#pragma once

enum { FC_MASK_BYTES = 1024 }; /* for 8192 CPUs */

#if defined __linux__
#include <string.h>
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

static inline int fc_thread_id(void)
{
    return (int)syscall(SYS_gettid);
}

static _Thread_local char fc_followed[FC_MASK_BYTES]; /* the mask that the thread has taken over */

/* Let the calling thread run where that one of this process may, on as many CPUs as it returns, or 0. Where that has
 * not changed since the last time, the mask stays as it is: somebody else may have set it. */
static inline int fc_follow(int thread_id)
{
    unsigned char mask[FC_MASK_BYTES] = {0};
    const long length = syscall(SYS_sched_getaffinity, thread_id, sizeof mask, mask);
    int cpus = 0;
    for (long i = 0; i < length; i++) cpus += __builtin_popcount(mask[i]);
    if (length > 0 && memcmp(mask, fc_followed, sizeof mask)) {
        memcpy(fc_followed, mask, sizeof mask);
        syscall(SYS_sched_setaffinity, 0, sizeof mask, mask);
    }
    return cpus;
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

static inline int fc_thread_id(void)
{
    return 1;
}

static inline int fc_follow(int thread_id)
{
    (void)thread_id;
    return 0;
}
#endif
