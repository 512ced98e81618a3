/* How long a thread with nothing to do spins before it sleeps.
 *
 * On a busy machine a call goes on as long as its caller has a CPU, and is shortest where its workers have theirs at
 * the same time. A worker that sleeps meanwhile comes behind the others that wait for its CPU, often when its caller
 * has lost its own. A worker that spins without its caller uses up its share for nothing. CPUs change hands at the
 * ticks of the system's clock: the caller has its CPU where it has opened the job since the last one. */
#ifndef FASTCONV_SPINNING_H
#define FASTCONV_SPINNING_H
#include <stdint.h>
#if defined __SSE__
#include <immintrin.h>
#endif

#include "busy.h"
#include "queue.h"

/* Nanoseconds. */
enum {
    FC_SPIN = 1000000,             /* where no other wants its CPU: so long that calls may be some 100 µs apart */
    FC_SPIN_BUSY = 500000,         /* where others do: until the next job, or the end of a worker's task */
    FC_SPIN_PUT_OFF = 200000,      /* where the caller may have lost its CPU to them */
    FC_SPIN_CROWDED_WORKER = 5000, /* where a team has fewer CPUs than threads: between two jobs of a call */
    FC_SPIN_CROWDED_CALLER = 20000
};

static inline void fc_pause(void)
{
#if defined __SSE__
    _mm_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

/* Of a team that has a CPU for each thread. It opened its last job then, which is told on busy machines alone. */
static inline int64_t fc_spin_of(int64_t now, const int64_t *opened_at)
{
    if (!fc_is_busy(now)) return FC_SPIN;
    const int64_t tick = fc_busy_tick(), open = now - __atomic_load_n(opened_at, __ATOMIC_RELAXED);
    return tick && open < now % tick ? FC_SPIN_BUSY : FC_SPIN_PUT_OFF;
}

#endif
