/* Calls from several threads at once on csrc/thread_pool.h, for ThreadSanitizer: what a team writes
 * and its caller reads afterwards, and what the next job overwrites, is ordered by the pool's words alone. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "thread_pool.h"

enum { TASKS = 12, CALLS = 400, CALLERS = 3, TEAM = 3 };

struct job {
    struct fc_queue queue;
    int done[TASKS]; /* plain: each is written by one thread, and read by the caller when the job is over */
    int worked[TEAM];
};

static int work(void *what, int thread)
{
    struct job *job = what;
    job->worked[thread]++;
    for (ptrdiff_t task; (task = fc_take_task(&job->queue, thread)) >= 0;) {
        job->done[task]++;
        if (task % 5 == 0) sched_yield();
    }
    return fc_is_unfinished(&job->queue);
}

static int settle(int thread, int caller, int but_for)
{
    (void)but_for;
    if (!thread) abort();
    return caller ? thread : 0;
}

static int call_often(int calls)
{
    for (int i = 0; i < calls; i++) {
        struct job job = {.done = {0}, .worked = {0}}; /* in the place of the last one */
        fc_fill_queue(&job.queue, TASKS, TEAM);
        fc_set_deadline(&job.queue, FC_NEVER, i % 3 ? 0 : 20000); /* nanoseconds, so that ticks are often near */
        fc_run_on_pool(work, &job, TEAM, i % 2);
        for (int task = 0; task < TASKS; task++)
            if (job.done[task] != 1) return 1;
        if (i % 50 == 0) usleep(1500); /* until workers sleep */
    }
    return 0;
}

static void *caller(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)call_often(CALLS);
}

int main(void)
{
    pthread_t threads[CALLERS];
    void *is_wrong, *any = 0;
    if (fc_start_pool(settle)) return 3;
    for (int i = 0; i < CALLERS; i++) pthread_create(&threads[i], 0, caller, 0);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], &is_wrong);
        any = is_wrong ? is_wrong : any;
    }
    printf(any ? "a task was not done once\n" : "done\n");
    return any != 0;
}
