/* BLAS held at one thread while any caller is inside; what it had before is put back after the last. A lock and a few
 * integers, below Python: no handler of a signal comes between. A number that somebody else sets meanwhile stays.
 *
 * A fork waits until no other thread is inside: a BLAS forked in the middle of its work may hold locks that nobody
 * opens again.
 */
#pragma once
#include <pthread.h>
#include <stddef.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int inside, before, forks; /* callers; threads of BLAS, while there are any; forks that wait or are under way */
    int (*get)(void);
    void (*set)(int); /* NULL where the library is not known */
} fc_blas = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, NULL, NULL};

static _Thread_local int fc_blas_own; /* how often this thread is inside: a handler in C may fork there */

static inline void fc_hold_blas(void)
{
    pthread_mutex_lock(&fc_blas.lock);
    while (fc_blas.forks) pthread_cond_wait(&fc_blas.changed, &fc_blas.lock);
    fc_blas_own++;
    if (!fc_blas.inside++ && fc_blas.set) {
        fc_blas.before = fc_blas.get();
        if (fc_blas.before != 1) fc_blas.set(1);
    }
    pthread_mutex_unlock(&fc_blas.lock);
}

static inline void fc_release_blas(void)
{
    pthread_mutex_lock(&fc_blas.lock);
    fc_blas_own--;
    if (!--fc_blas.inside && fc_blas.set && fc_blas.before > 1 && fc_blas.get() == 1) fc_blas.set(fc_blas.before);
    pthread_cond_broadcast(&fc_blas.changed);
    pthread_mutex_unlock(&fc_blas.lock);
}

static void fc_blas_before_fork(void)
{
    pthread_mutex_lock(&fc_blas.lock);
    fc_blas.forks++;
    while (fc_blas.inside > fc_blas_own) pthread_cond_wait(&fc_blas.changed, &fc_blas.lock);
}

static void fc_blas_after_fork_in_parent(void)
{
    fc_blas.forks--;
    pthread_cond_broadcast(&fc_blas.changed);
    pthread_mutex_unlock(&fc_blas.lock);
}

static void fc_blas_after_fork_in_child(void)
{
    fc_blas.forks = 0; /* other threads that waited to fork are not here */
    fc_blas.inside = fc_blas_own;
    pthread_cond_init(&fc_blas.changed, NULL);
    pthread_mutex_unlock(&fc_blas.lock);
}

/* Let the library's number of threads be read and set by the functions at these addresses, 0 for none. */
static inline int fc_watch_blas(size_t get, size_t set)
{
    fc_blas.get = (int (*)(void))get;
    fc_blas.set = (void (*)(int))set;
    return pthread_atfork(fc_blas_before_fork, fc_blas_after_fork_in_parent, fc_blas_after_fork_in_child);
}
