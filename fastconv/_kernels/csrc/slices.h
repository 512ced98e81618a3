/* How long the system lets a thread run before another one that waits for its CPU. */
#ifndef FASTCONV_SLICES_H
#define FASTCONV_SLICES_H

#if defined __linux__
#include <sys/syscall.h>
#endif

#if defined SYS_sched_setattr /* which old headers of Linux lack */
#include <stdint.h>
#include <unistd.h>

#define FC_SLICE 100000 /* nanoseconds: the least that there is */

/* Ask for short slices for the calling thread: when it wakes it comes at once, before one with longer slices, unless it
 * has had its share of the CPU already. Its share is the same. Linux 6.12 and newer; older ones take no notice. */
static inline void fc_ask_for_short_slices(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } own = {0}; /* as linux/sched/types.h has it, the first version */
    if (syscall(SYS_sched_getattr, 0, &own, sizeof own, 0) || own.policy) return; /* 0: SCHED_OTHER */
    own.runtime = FC_SLICE;
    syscall(SYS_sched_setattr, 0, &own, 0);
}
#else
static inline void fc_ask_for_short_slices(void)
{
}
#endif

#endif
