/* Whether a thread went through a fork: the OpenMP library still counts the threads of its teams there, which the child
 * has not, and would wait for them for ever. Threads that the child starts have teams of their own. */
#pragma once
#include <pthread.h>

static _Thread_local int fc_was_forked;

static void fc_after_fork_in_child(void)
{
    fc_was_forked = 1;
}

/* Also for forks that Python knows nothing of. */
static inline int fc_watch_forks(void)
{
    return pthread_atfork(0, 0, fc_after_fork_in_child);
}
