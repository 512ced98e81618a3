/* How long csrc/spinning.h lets a thread spin, by a machine and a clock of its own; a line says microseconds. */
#include <stdint.h>
#include <stdio.h>

#define FASTCONV_BUSY_H
enum { TICK = 4000000 }; /* nanoseconds */

static int is_busy;

static int fc_is_busy(int64_t now)
{
    (void)now;
    return is_busy;
}

static int64_t fc_busy_tick(void)
{
    return is_busy ? TICK : 0;
}

#include "spinning.h"

static void look(const char *name, int64_t now, int64_t opened_at)
{
    printf("%s: %d\n", name, (int)(fc_spin_of(now, &opened_at) / 1000));
}

int main(void)
{
    look("quiet", 7 * TICK + 100, 7 * TICK - 100);
    is_busy = 1;
    look("opened since the tick", 7 * TICK + 300, 7 * TICK + 100);
    look("opened before the tick", 7 * TICK + 100, 7 * TICK - 100);
    look("opened long ago", 7 * TICK + 300, 100);
    return 0;
}
