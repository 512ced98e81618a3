/* The threads of the process that work for its calls. A call gives them a job, works on it too, and waits for those
 * that have begun, never for one that has not: on a busy machine that one may not run for a long time.
 *
 * All that they agree on stands in one word, `fc_pool.job`:
 *
 *     generation | is_waited_for | team | inside
 *
 *     closed   team = 0: no worker may enter. The caller changes the job's other fields only when it is closed and
 *              inside = 0, which is how every job begins and ends.
 *     open     the caller writes the fields, then the word: the next generation, the team's size, inside = 0.
 *     enter    worker i (its thread's number, from 1) enters where i < team, once in a generation: it exchanges the
 *              word that it has read for one with inside + 1. The exchange fails where anything has changed, so that a
 *              late worker enters no other job; where the word is the same again, the job is one that it may enter.
 *     leave    inside - 1. The last to leave a job that is waited for wakes the caller. A worker that has left tasks
 *              behind, because its CPU may soon be taken away (queue.h), may enter again.
 *     close    the caller's own work is done, so there are no more tasks: team = 0. Then it waits until inside = 0: it
 *              spins for a time, then sets is_waited_for and sleeps on the word.
 *
 * A worker with no job spins, and sleeps on a word of its own, `is_asleep`: it sets that, looks once more at the job,
 * and sleeps. A caller opens the job, then looks at `is_asleep`, and wakes it. These four are sequentially consistent:
 * at least one of the two sees what the other wrote.
 *
 * One call at a time has the pool; others work alone meanwhile. Threads inherit the CPUs of the one that makes them,
 * but the workers serve all: each settles anew, on the CPUs of its caller, where that is another one or may have moved.
 *
 * On a busy machine (busy.h) they keep off the CPU that their caller runs on: there they could only work in its place.
 */
#ifndef FASTCONV_THREAD_POOL_H
#define FASTCONV_THREAD_POOL_H
#include <pthread.h>
#include <sched.h>
#include <stdint.h>

#include "affinity.h"
#include "busy.h"
#include "environment.h"
#include "queue.h"
#include "signals.h"
#include "sleeping.h"
#include "slices.h"
#include "spinning.h"

#define FC_INSIDE 0x3ffu             /* workers in the job */
#define FC_TEAM (0x3ffu << 10)       /* threads that may work on it, the caller's included; 0: it is closed */
#define FC_IS_WAITED_FOR (1u << 20)  /* the caller sleeps */
#define FC_GENERATION (0x7ffu << 21) /* of the job */
enum { FC_MAX_TEAM = 0x3ff, FC_NO_GENERATION = 1 };

#ifndef FC_LOOKS
#define FC_LOOKS 16 /* at a word, between two at the clock */
#endif
#ifndef FC_RETRY
#define FC_RETRY 1000000000 /* nanoseconds after which a thread is asked for again that the system has refused */
#endif

typedef int (*fc_work)(void *what, int thread); /* whether it has left tasks behind */
typedef int (*fc_settling)(int thread, int caller, int but_for);

struct fc_worker {
    _Alignas(64) uint32_t is_asleep;
    int thread;
    int settled_for; /* the caller with this id; 0 after a sleep, since its CPUs may have changed */
    int keeps_off;   /* a CPU */
};

static struct {
    _Alignas(64) uint32_t job;               /* workers look at its cache line all the time */
    _Alignas(64) fc_environment environment; /* floating-point, of the caller */
    int caller;                              /* its id */
    int callers_cpu;                         /* which workers keep off, or FC_NO_CPU */
    fc_work work;
    void *what;
    fc_settling settle;
    int cpus;                       /* on which the caller may run, as a worker has found; 0: not known */
    int is_crowded;                 /* the team is larger than that */
    int64_t opened_at;              /* when the job was opened, on a busy machine */
    _Alignas(64) uint32_t is_taken; /* by a call */
    int workers;
    int64_t refused_at;    /* when the system last made no worker; 0: it has made all */
    int64_t short_work_at; /* when work came last that was not worth waking a worker for */
    struct fc_worker worker[FC_MAX_TEAM];
} fc_pool;

static _Thread_local int fc_own_id; /* 0: to be asked for */

static inline int fc_may_enter(uint32_t job, int thread, uint32_t last_generation)
{
    return thread < (int)((job & FC_TEAM) >> 10) && (job & FC_GENERATION) != last_generation;
}

static void fc_sleep_until_woken(struct fc_worker *self, uint32_t last_generation)
{
    __atomic_store_n(&self->is_asleep, 1, __ATOMIC_SEQ_CST);
    if (!fc_may_enter(__atomic_load_n(&fc_pool.job, __ATOMIC_SEQ_CST), self->thread, last_generation))
        while (__atomic_load_n(&self->is_asleep, __ATOMIC_ACQUIRE)) fc_sleep(&self->is_asleep, 1);
    __atomic_store_n(&self->is_asleep, 0, __ATOMIC_RELAXED);
    self->settled_for = 0;
}

/* Whether a thread that has nothing to do since then sleeps. */
static int fc_has_spun_enough(int64_t since, int64_t spin_crowded)
{
    const int64_t now = fc_nanoseconds(), idle = now - since;
    if (idle <= spin_crowded) return 0;
    if (__atomic_load_n(&fc_pool.is_crowded, __ATOMIC_RELAXED)) return 1;
    return idle > fc_spin_of(now, &fc_pool.opened_at);
}

/* A job that the worker may enter. */
static uint32_t fc_await_job(struct fc_worker *self, uint32_t last_generation)
{
    int64_t since = fc_nanoseconds();
    for (;;) {
        for (int i = 0; i < FC_LOOKS; i++) {
            const uint32_t job = __atomic_load_n(&fc_pool.job, __ATOMIC_RELAXED);
            if (fc_may_enter(job, self->thread, last_generation)) return job;
            fc_pause();
        }
        if (fc_has_spun_enough(since, FC_SPIN_CROWDED_WORKER)) {
            fc_sleep_until_woken(self, last_generation);
            since = fc_nanoseconds();
        }
    }
}

static void fc_leave_job(void)
{
    const uint32_t job = __atomic_sub_fetch(&fc_pool.job, 1, __ATOMIC_ACQ_REL);
    if (job & FC_IS_WAITED_FOR && !(job & FC_INSIDE)) fc_wake(&fc_pool.job);
}

static void fc_settle(struct fc_worker *self)
{
    if (!fc_pool.settle) return;
    if (self->settled_for == fc_pool.caller && self->keeps_off == fc_pool.callers_cpu) return;
    self->settled_for = fc_pool.caller;
    self->keeps_off = fc_pool.callers_cpu;
    const int cpus = fc_pool.settle(self->thread, fc_pool.caller, fc_pool.callers_cpu);
    __atomic_store_n(&fc_pool.cpus, cpus, __ATOMIC_RELAXED);
}

static void *fc_run_worker(void *worker)
{
    struct fc_worker *self = worker;
    uint32_t last_generation = FC_NO_GENERATION;
    fc_ask_for_short_slices();
    if (fc_pool.settle) fc_pool.settle(self->thread, 0, FC_NO_CPU);
    for (;;) {
        uint32_t job = fc_await_job(self, last_generation);
        if (!__atomic_compare_exchange_n(&fc_pool.job, &job, job + 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) continue;
        last_generation = job & FC_GENERATION;
        fc_settle(self);
        fc_set_environment(fc_pool.environment);
        const int is_unfinished = fc_pool.work(fc_pool.what, self->thread);
        fc_leave_job();
        if (!is_unfinished) continue;
        fc_is_busy(fc_nanoseconds()); /* still? */
        sched_yield();
        last_generation = FC_NO_GENERATION;
    }
    return 0;
}

/* Make workers until there are `workers`, or as many as the system allows; the next call would ask it in vain. */
static void fc_make_workers(int workers)
{
    if (fc_pool.refused_at && fc_nanoseconds() - fc_pool.refused_at < FC_RETRY) return;
    fc_pool.refused_at = 0;
    sigset_t of_others, before;
    pthread_attr_t detached;
    pthread_t thread;
    if (pthread_attr_init(&detached)) return;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    fc_fill_with_signals_of_others(&of_others);
    pthread_sigmask(SIG_SETMASK, &of_others, &before);
    while (fc_pool.workers < workers) {
        struct fc_worker *worker = &fc_pool.worker[fc_pool.workers];
        worker->is_asleep = 0;
        worker->thread = fc_pool.workers + 1;
        worker->settled_for = 0;
        worker->keeps_off = FC_NO_CPU;
        if (pthread_create(&thread, &detached, fc_run_worker, worker)) {
            fc_pool.refused_at = fc_nanoseconds();
            break;
        }
        fc_pool.workers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, 0);
    pthread_attr_destroy(&detached);
}

static int fc_is_crowded(int team)
{
    const int cpus = __atomic_load_n(&fc_pool.cpus, __ATOMIC_RELAXED);
    return cpus && team > cpus;
}

/* The ticks that workers of a team look at, for its queue. */
static inline int64_t fc_tick_of(int team)
{
    return fc_is_crowded(team) ? 0 : fc_busy_tick();
}

static void fc_open_job(fc_work work, void *what, int team)
{
    const uint32_t job = __atomic_load_n(&fc_pool.job, __ATOMIC_RELAXED); /* late workers still look at it */
    const uint32_t generation = (job & FC_GENERATION) + (FC_IS_WAITED_FOR << 1);
    if (!fc_own_id) fc_own_id = fc_thread_id();
    fc_pool.caller = fc_own_id;
    fc_pool.environment = fc_get_environment();
    fc_pool.work = work;
    fc_pool.what = what;
    const int is_crowded = fc_is_crowded(team), is_careful = fc_busy_tick() && !is_crowded;
    fc_pool.callers_cpu = is_careful ? fc_this_cpu() : FC_NO_CPU;
    if (is_careful) __atomic_store_n(&fc_pool.opened_at, fc_nanoseconds(), __ATOMIC_RELAXED);
    __atomic_store_n(&fc_pool.is_crowded, is_crowded, __ATOMIC_RELAXED);
    __atomic_store_n(&fc_pool.job, generation | (uint32_t)team << 10, __ATOMIC_SEQ_CST);
}

/* Whether short work comes for the second time within FC_SPIN: then more may follow, which finds the workers awake. */
static int fc_is_repeated(void)
{
    const int64_t now = fc_nanoseconds(), before = fc_pool.short_work_at;
    fc_pool.short_work_at = now;
    return now - before < FC_SPIN && !fc_is_busy(now);
}

static void fc_wake_workers(int workers, int is_worth_waking)
{
    for (int i = 0; i < workers; i++) {
        uint32_t *is_asleep = &fc_pool.worker[i].is_asleep;
        if (!__atomic_load_n(is_asleep, __ATOMIC_SEQ_CST)) continue;
        if (!is_worth_waking && !(is_worth_waking = fc_is_repeated())) return;
        if (__atomic_exchange_n(is_asleep, 0, __ATOMIC_ACQ_REL)) fc_wake(is_asleep);
    }
}

static void fc_close_job(void)
{
    uint32_t job = __atomic_and_fetch(&fc_pool.job, ~FC_TEAM, __ATOMIC_ACQUIRE);
    if (!(job & FC_INSIDE)) return;
    const int64_t since = fc_nanoseconds();
    do {
        for (int i = 0; i < FC_LOOKS; i++) {
            if (!(__atomic_load_n(&fc_pool.job, __ATOMIC_ACQUIRE) & FC_INSIDE)) return;
            fc_pause();
        }
    } while (!fc_has_spun_enough(since, FC_SPIN_CROWDED_CALLER));
    job = __atomic_or_fetch(&fc_pool.job, FC_IS_WAITED_FOR, __ATOMIC_ACQUIRE);
    while (job & FC_INSIDE) {
        fc_sleep(&fc_pool.job, job);
        job = __atomic_load_n(&fc_pool.job, __ATOMIC_ACQUIRE);
    }
}

/* Let up to `team` threads do `work`, each with a number of its own below `team`, the caller with 0. A worker that
 * sleeps takes some 30 µs to come, and is woken for work that takes longer. */
static void fc_run_on_pool(fc_work work, void *what, int team, int is_worth_waking)
{
    team = team < FC_MAX_TEAM ? team : FC_MAX_TEAM;
    if (team < 2 || __atomic_exchange_n(&fc_pool.is_taken, 1, __ATOMIC_ACQUIRE)) {
        work(what, 0);
        return;
    }
    fc_open_job(work, what, team);
    if (fc_pool.workers < team - 1) fc_make_workers(team - 1);
    fc_wake_workers(team - 1 < fc_pool.workers ? team - 1 : fc_pool.workers, is_worth_waking);
    work(what, 0);
    fc_close_job();
    __atomic_store_n(&fc_pool.is_taken, 0, __ATOMIC_RELEASE);
}

/* The child of a fork has none of the workers, and nobody who would give the pool back; it makes its own. */
static void fc_pool_after_fork_in_child(void)
{
    fc_forget_sleepers();
    fc_pool.job &= FC_GENERATION;
    fc_pool.workers = 0;
    fc_pool.is_taken = 0;
    fc_pool.refused_at = 0;
    fc_own_id = 0;
}

/* A worker calls `settle` with its number when it begins, and before it works for a caller with that one's id too, and
 * a CPU to keep off, or FC_NO_CPU; it returns on how many CPUs the team works, or 0. */
static inline int fc_start_pool(fc_settling settle)
{
    fc_pool.settle = settle;
    return pthread_atfork(0, 0, fc_pool_after_fork_in_child);
}

#endif
