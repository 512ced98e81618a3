/* By how much csrc/busy.h counts more threads that want to run when THREADS of them, which slept, begin to spin. */
#include <pthread.h>
#include <unistd.h>

#include "busy.h"

enum { THREADS = 20, LOOKS = 200 };

static pthread_barrier_t start;
static volatile int is_over;

static void *spin(void *unused)
{
    pthread_barrier_wait(&start);
    while (!is_over) {
    }
    return unused;
}

/* The most of some looks: a thread that spins may be interrupted for a moment. */
static int most(void)
{
    int found = 0;
    for (int i = 0; i < LOOKS; i++) {
        const int now = fc_runnable_threads();
        found = now > found ? now : found;
        usleep(1000);
    }
    return found;
}

int main(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&start, 0, THREADS + 1);
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, spin, 0);
    usleep(10000);
    const int before = fc_runnable_threads();
    pthread_barrier_wait(&start);
    const int spinning = most();
    is_over = 1;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
    printf("%d %d\n", before, spinning);
    return 0;
}
