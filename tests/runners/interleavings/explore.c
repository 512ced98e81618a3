/* Every interleaving of csrc/thread_pool.h and csrc/queue.h in small scenarios, by search.h; argv[1] names one.
 *
 * In all of them each task is done exactly once, no worker is in a job that is over, each thread of a team has a number
 * of its own and the caller's environment, and every call returns. */
#include "search.h"
#include <sched.h>
#include <signal.h>
#if defined __SSE__
#include <immintrin.h>
#endif

/* In place of environment.h, busy.h and sleeping.h. */
#define FASTCONV_ENVIRONMENT_H
#define FASTCONV_BUSY_H
#define FASTCONV_SLEEPING_H
typedef unsigned fc_environment;

static fc_environment fc_get_environment(void)
{
    return self()->environment;
}

static void fc_set_environment(fc_environment environment)
{
    self()->environment = environment;
}

static int fc_is_busy(int64_t now)
{
    (void)now;
    return 0;
}

static int64_t fc_busy_tick(void)
{
    return 0;
}

static void fc_forget_sleepers(void)
{
}

static int do_not_yield(void)
{
    return 0;
}

static int set_no_mask(int how, const sigset_t *mask, sigset_t *before)
{
    (void)how, (void)mask, (void)before;
    return 0;
}

#define fc_sleep sleep_on
#ifdef FAULT_NEVER_WAKES
#define fc_wake(word) stop_at(AT_OPERATION, 1, "no wake")
#else
#define fc_wake wake_all
#endif
#define clock_gettime read_clock
#define sched_yield do_not_yield
#define pthread_create create_thread
#define pthread_sigmask set_no_mask
#define FC_LOOKS 1
#define FC_RETRY 0
#include "thread_pool.h"

enum { TASKS = 2, QUEUED = 4, MAX_JOBS = 3 };

static struct job {
    int team, is_over, meets, tasks_done;
    uint64_t threads, entered;
    fc_environment environment;
} jobs[MAX_JOBS];
static int calls_each, team, leaves_tasks;
static uint64_t meets;

/* What a thread of a team does. Workers may leave tasks behind, and come again. */
static int work(void *what, int thread)
{
    struct job *job = what;
    check(!job->is_over, "a worker enters a job that is over");
    check(thread < job->team && !(job->threads >> thread & 1), "two threads have one number");
    check(fc_get_environment() == job->environment, "a worker has another environment");
    job->threads |= 1 << thread;
    if (job->meets) job->entered++;
    if (thread == 0 && job->meets) wait_until(&job->entered, job->team);
    do {
        if (thread && leaves_tasks && stop_at(AT_OPERATION, 2, "tick") && job->tasks_done < TASKS) {
            job->threads &= ~(1 << thread);
            return 1;
        }
        stop_at(AT_OPERATION, 1, "task");
        check(!job->is_over, "a worker is in a job that is over");
    } while (job->tasks_done < TASKS && ++job->tasks_done);
    return 0;
}

static void call(struct job *job, fc_environment environment)
{
    job->team = team, job->meets = meets, job->environment = environment;
    fc_set_environment(environment);
    fc_run_on_pool(work, job, team, job->meets || job == jobs); /* the second is short work */
    job->is_over = 1;
    check(job->tasks_done == TASKS, "a task is not done");
}

static void *caller(void *first_job)
{
    for (int i = 0; i < calls_each; i++) call((struct job *)first_job + i, (struct job *)first_job - jobs + i + 1);
    return 0;
}

static void *forks_then_calls(void *job)
{
    fork_alone();
    fc_pool_after_fork_in_child();
    meets = 1; /* the child has a team of its own */
    call(job, 3);
    return 0;
}

/* The queue alone, whose threads steal from each other. */
static struct fc_queue queue;
static uint64_t done[QUEUED], finished;

static void *takes_tasks(void *thread)
{
    for (ptrdiff_t task; (task = fc_take_task(&queue, (int)(intptr_t)thread)) >= 0;)
        check(!done[task]++, "a task is done twice");
    if (++finished == 3)
        for (int i = 0; i < QUEUED; i++) check(done[i] == 1, "a task is not done");
    return 0;
}

static void share(void *at, size_t size)
{
    shared[shared_count].at = at, shared[shared_count++].size = size;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    share(&world, sizeof world);
    share(&fc_pool, offsetof(__typeof__(fc_pool), worker) + 3 * sizeof(struct fc_worker));
    share(jobs, sizeof jobs);
    share(&meets, sizeof meets);
    team = 3, calls_each = 2;
    if (!strcmp(name, "queue")) {
        share(&queue, offsetof(struct fc_queue, range[3]));
        share(done, sizeof done);
        share(&finished, sizeof finished);
        fc_fill_queue(&queue, QUEUED, 3);
        for (intptr_t i = 0; i < 3; i++) begin_thread(takes_tasks, (void *)i, 1);
    } else if (!strcmp(name, "stalls")) { /* of workers that have not begun or have left */
        stalls = 1;
        begin_thread(caller, &jobs[0], 1);
    } else if (!strcmp(name, "ticks")) {
        leaves_tasks = 1, team = 2;
        begin_thread(caller, &jobs[0], 1);
    } else if (!strcmp(name, "meets")) { /* the caller has its workers: none sleeps through a job */
        meets = 1, calls_each = 3;
        begin_thread(caller, &jobs[0], 1);
    } else if (!strcmp(name, "callers")) {
        team = 2, calls_each = 1;
        begin_thread(caller, &jobs[0], 1);
        begin_thread(caller, &jobs[1], 1);
    } else if (!strcmp(name, "no threads")) {
        creation_fails = 1;
        begin_thread(caller, &jobs[0], 1);
    } else if (!strcmp(name, "fork")) { /* in another thread, at any moment of calls */
        team = 2, calls_each = 1;
        begin_thread(caller, &jobs[0], 1);
        begin_thread(forks_then_calls, &jobs[1], 0);
    } else {
        return 2;
    }
    explore();
    return 0;
}
