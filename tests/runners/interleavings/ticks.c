/* Which tasks csrc/queue.h gives to a worker before a tick, by a clock of its own; a line says whether it has one. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static long now; /* microseconds */

static int read_clock(int clock, struct timespec *time)
{
    (void)clock;
    time->tv_sec = now / 1000000, time->tv_nsec = now % 1000000 * 1000;
    return 0;
}

#define clock_gettime read_clock
#include "queue.h"

enum { TICK = 4000 }; /* microseconds */

static struct fc_queue queue;

static void look(const char *name, int thread, long at)
{
    now = at;
    const int has_task = fc_take_task(&queue, thread) >= 0;
    printf("%s: %d %d\n", name, has_task, fc_is_unfinished(&queue));
}

int main(void)
{
    fc_fill_queue(&queue, 20, 2);
    fc_set_deadline(&queue, FC_NEVER, 1000 * TICK);
    look("after a tick", 1, 5 * TICK + 10);
    look("a short task later", 1, 6 * TICK - 500);
    look("just before a tick", 1, 6 * TICK - 100);
    look("the caller then", 0, 6 * TICK - 100);
    look("after the next tick", 1, 6 * TICK + 10);
    look("tasks take 900", 1, 6 * TICK + 910);
    look("and 900", 1, 6 * TICK + 1810);
    look("and 900 again", 1, 6 * TICK + 2710);
    look("less than 900 before a tick", 1, 6 * TICK + 3610);
    look("later", 1, 7 * TICK + 10);
    look("a task longer than a tick", 1, 9 * TICK - 100);
    fc_set_deadline(&queue, FC_NEVER, 0);
    look("a quiet machine", 1, 10 * TICK - 100);
    return 0;
}
