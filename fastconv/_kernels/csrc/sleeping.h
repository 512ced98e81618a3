/* How a thread sleeps until a word in memory has changed: a futex on Linux, elsewhere a lock and a condition. */
#ifndef FASTCONV_SLEEPING_H
#define FASTCONV_SLEEPING_H
#include <stdint.h>

#if defined __linux__ && !defined FC_NO_FUTEX
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FC_FUTEX_WAIT = 128, FC_FUTEX_WAKE = 129 }; /* private ones, as in linux/futex.h, which musl does not bring */

/* Returns when the word is not `value`, or is woken, or for no reason. */
static inline void fc_sleep(uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FC_FUTEX_WAIT, value, (void *)0, (void *)0, 0);
}

static inline void fc_wake(uint32_t *word)
{
    syscall(SYS_futex, word, FC_FUTEX_WAKE, INT_MAX, (void *)0, (void *)0, 0);
}

static inline void fc_forget_sleepers(void) /* of the parent, in a forked child */
{
}

#else
#include <pthread.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* some word has; there are few sleepers, and each looks at its own */
} fc_sleepers = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER};

static inline void fc_sleep(uint32_t *word, uint32_t value)
{
    pthread_mutex_lock(&fc_sleepers.lock);
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value) pthread_cond_wait(&fc_sleepers.changed, &fc_sleepers.lock);
    pthread_mutex_unlock(&fc_sleepers.lock);
}

static inline void fc_wake(uint32_t *word)
{
    (void)word;
    pthread_mutex_lock(&fc_sleepers.lock);
    pthread_cond_broadcast(&fc_sleepers.changed);
    pthread_mutex_unlock(&fc_sleepers.lock);
}

static inline void fc_forget_sleepers(void)
{
    pthread_mutex_init(&fc_sleepers.lock, 0);
    pthread_cond_init(&fc_sleepers.changed, 0);
}
#endif

#endif
