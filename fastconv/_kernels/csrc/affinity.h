/* The CPUs on which a thread may run. */
#pragma once

enum { FC_MASK_BYTES = 1024 /* for 8192 CPUs */, FC_NO_CPU = -1 };

#if defined __linux__
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Bytes of the mask, at most `room`. */
static inline long fc_read_affinity(char *mask, long room)
{
    return syscall(SYS_sched_getaffinity, 0, room, mask);
}

enum { FC_BITS = 8 * sizeof(long) };

static inline void fc_bind_to(const int *cpus, int count)
{
    unsigned long mask[FC_MASK_BYTES / sizeof(long)] = {0};
    for (int i = 0; i < count; i++)
        if (cpus[i] < 8 * FC_MASK_BYTES) mask[cpus[i] / FC_BITS] |= 1UL << cpus[i] % FC_BITS;
    syscall(SYS_sched_setaffinity, 0, sizeof mask, mask);
}

static inline int fc_thread_id(void)
{
    return (int)syscall(SYS_gettid);
}

/* On which the calling thread runs. */
static inline int fc_this_cpu(void)
{
    unsigned cpu;
    return syscall(SYS_getcpu, &cpu, (void *)0, (void *)0) ? FC_NO_CPU : (int)cpu;
}

static _Thread_local char fc_followed[FC_MASK_BYTES]; /* the mask that the thread has taken over */

/* Let the calling thread run where that one of this process may, but for one CPU, if another is left. On how many CPUs
 * that thread may run, or 0. Where nothing has changed since the last time, the mask stays as it is: somebody else may
 * have set it. */
static inline int fc_follow(int thread_id, int but_for)
{
    unsigned long mask[FC_MASK_BYTES / sizeof(long)] = {0};
    const long length = syscall(SYS_sched_getaffinity, thread_id, sizeof mask, mask);
    int cpus = 0;
    for (size_t i = 0; i < sizeof mask / sizeof mask[0]; i++) cpus += __builtin_popcountl(mask[i]);
    if (but_for != FC_NO_CPU && cpus > 1) mask[but_for / FC_BITS] &= ~(1UL << but_for % FC_BITS);
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

static inline int fc_this_cpu(void)
{
    return FC_NO_CPU;
}

static inline int fc_follow(int thread_id, int but_for)
{
    (void)thread_id, (void)but_for;
    return 0;
}
#endif
