/* The work-stealing queue of a team's tasks. Each thread has a range of them, neighbours in order and the same ones in
 * every call, so that what it reads and writes lies in its own caches; one that is done steals from the others. Any
 * number of threads may come, also fewer than asked for.
 *
 * Thread 0 is the caller's. It stops the work at a deadline, so that Python may look for signals; what is left is done
 * when the team comes again.
 *
 * On a busy machine the system may take a thread's CPU away at each tick of its clock, for some milliseconds. A caller
 * would wait as long for a worker that has a task then. So a worker takes no task that the tick would cut off; it
 * leaves those to the caller. Ticks are at the multiples of their length on the monotonic clock (Linux 6.4 and newer;
 * elsewhere some are cut off). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { FC_MAX_RANGES = 64 }; /* more threads than this steal alone */
#define FC_NEVER INT64_MAX

struct fc_queue {
    ptrdiff_t tasks;
    int64_t deadline; /* of fc_now, or FC_NEVER */
    int64_t tick;     /* nanoseconds from one to the next, or 0 where workers need not look */
    int count, stopped;
    struct {
        _Alignas(64) ptrdiff_t next; /* on a cache line of its own */
        int64_t taken_at;            /* when the thread took its last task, where it looks at the tick */
    } range[FC_MAX_RANGES];
};

/* Milliseconds of a clock that is read in a few nanoseconds. */
static inline int64_t fc_now(void)
{
    struct timespec now;
#ifdef CLOCK_MONOTONIC_COARSE
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
    clock_gettime(CLOCK_MONOTONIC, &now);
#endif
    return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

/* For the times of the steps of a graph. */
static inline int64_t fc_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

static inline ptrdiff_t fc_first_task(const struct fc_queue *s, int i)
{
    return s->tasks * i / s->count;
}

static inline void fc_fill_queue(struct fc_queue *s, ptrdiff_t tasks, int team)
{
    s->tasks = tasks;
    s->deadline = FC_NEVER;
    s->tick = 0;
    s->stopped = 0;
    s->count = team < FC_MAX_RANGES ? team : FC_MAX_RANGES;
    for (int i = 0; i < s->count; i++) s->range[i].next = fc_first_task(s, i), s->range[i].taken_at = 0;
}

/* When the work stops, for the first time or again, and the ticks until then. */
static inline void fc_set_deadline(struct fc_queue *s, int64_t deadline, int64_t tick)
{
    s->deadline = deadline;
    s->tick = tick;
    s->stopped = 0;
}

/* Whether a worker's next task, if it takes as long as its last one, would be cut off by the tick. Where that one was
 * itself cut off or longer than a tick, there is no telling. */
static inline int fc_is_tick_near(struct fc_queue *s, int thread)
{
    if (thread >= s->count) return 0;
    const int64_t now = fc_nanoseconds(), last = s->range[thread].taken_at, took = last ? now - last : 0;
    const int64_t least = s->tick / 32, left = s->tick - now % s->tick;
    const int is_near = took < s->tick / 4 && left < (took > least ? took : least);
    s->range[thread].taken_at = is_near ? 0 : now;
    return is_near;
}

/* Whether there are tasks that nobody has taken, for a worker that has left them because of a tick. */
static inline int fc_is_unfinished(const struct fc_queue *s)
{
    if (!s->tick || __atomic_load_n(&s->stopped, __ATOMIC_RELAXED)) return 0;
    for (int i = 0; i < s->count; i++)
        if (__atomic_load_n(&s->range[i].next, __ATOMIC_RELAXED) < fc_first_task(s, i + 1)) return 1;
    return 0;
}

/* The next task for a thread to do, or -1 when all are taken, the work is stopped, or a tick is near. */
static inline ptrdiff_t fc_take_task(struct fc_queue *s, int thread)
{
    if (thread == 0 && s->deadline != FC_NEVER && fc_now() >= s->deadline)
        __atomic_store_n(&s->stopped, 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&s->stopped, __ATOMIC_RELAXED)) return -1;
    if (thread && s->tick && fc_is_tick_near(s, thread)) return -1;
    for (int i = 0; i < s->count; i++) {
        const int of = (thread + i) % s->count;
        const ptrdiff_t end = fc_first_task(s, of + 1);
        if (__atomic_load_n(&s->range[of].next, __ATOMIC_RELAXED) < end) {
            const ptrdiff_t task = __atomic_fetch_add(&s->range[of].next, 1, __ATOMIC_RELAXED);
            if (task < end) return task;
        }
    }
    return -1;
}
