/* How often csrc/thread_pool.h asks for threads that the system refuses, or gives again, by a clock of its own. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static int asked, is_refused = 1;
static long second = 1;

static int create_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    (void)thread, (void)attributes, (void)run, (void)argument; /* one that the system never runs */
    asked++;
    return is_refused;
}

static int read_clock(int clock, struct timespec *now)
{
    (void)clock;
    now->tv_sec = second, now->tv_nsec = 0;
    return 0;
}

#define pthread_create create_thread
#define clock_gettime read_clock
#include "thread_pool.h"

static int work(void *worked, int thread)
{
    *(int *)worked += 1 + thread;
    return 0;
}

/* What 100 calls ask for. */
static int asked_by_calls(void)
{
    int worked = 0;
    asked = 0;
    for (int i = 0; i < 100; i++) fc_run_on_pool(work, &worked, 3, 0);
    return worked == 100 ? asked : -1;
}

int main(void)
{
    const int first = asked_by_calls(), soon = asked_by_calls();
    second += 2;
    const int later = asked_by_calls();
    second += 2, is_refused = 0;
    const int given = asked_by_calls();
    is_refused = 1, fc_pool.refused_at = 0, fc_pool.workers = 0;
    asked_by_calls();
    fc_pool_after_fork_in_child();
    const int in_child = asked_by_calls();
    printf("%d %d %d %d %d\n", first, soon, later, given, in_child);
    return 0;
}
