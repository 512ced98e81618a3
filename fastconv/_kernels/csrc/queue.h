/* The work-stealing queue of a team's tasks. Each thread has a range of them, neighbours in order and the same ones in
 * every call, so that what it reads and writes lies in its own caches; one that is done steals from the others. Any
 * number of threads may come, also fewer than asked for.
 *
 * Thread 0 is the caller's. It stops the work at a deadline, so that Python may look for signals; what is left is done
 * when the team comes again. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { FC_MAX_RANGES = 64 }; /* more threads than this steal alone */
#define FC_NEVER INT64_MAX

struct fc_queue {
    ptrdiff_t tasks;
    int64_t deadline; /* of fc_now, or FC_NEVER */
    int count, stopped;
    struct {
        _Alignas(64) ptrdiff_t next; /* on a cache line of its own */
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
    s->stopped = 0;
    s->count = team < FC_MAX_RANGES ? team : FC_MAX_RANGES;
    for (int i = 0; i < s->count; i++) s->range[i].next = fc_first_task(s, i);
}

/* When the work stops, for the first time or again. */
static inline void fc_set_deadline(struct fc_queue *s, int64_t deadline)
{
    s->deadline = deadline;
    s->stopped = 0;
}

/* The next task for a thread to do, or -1 when all are taken or the work is stopped. */
static inline ptrdiff_t fc_take_task(struct fc_queue *s, int thread)
{
    if (thread == 0 && s->deadline != FC_NEVER && fc_now() >= s->deadline)
        __atomic_store_n(&s->stopped, 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&s->stopped, __ATOMIC_RELAXED)) return -1;
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
