/* Units of work and the team that does them. Each thread has a share of its own, neighbours in order and the same ones
 * in every call, so that what it reads and writes lies in its own caches; one that is done takes from the others. */
#ifndef FASTCONV_SHARES_H
#define FASTCONV_SHARES_H
#include <stddef.h>

enum { FC_MOST_SHARES = 64 }; /* more threads share these */

struct fc_shares {
    ptrdiff_t units;
    int count;
    struct {
        _Alignas(64) ptrdiff_t next; /* on a cache line of its own */
    } share[FC_MOST_SHARES];
};

static inline ptrdiff_t fc_first_unit(const struct fc_shares *s, int i)
{
    return s->units * i / s->count;
}

static inline void fc_share_out(struct fc_shares *s, ptrdiff_t units, int team)
{
    s->units = units;
    s->count = team < FC_MOST_SHARES ? team : FC_MOST_SHARES;
    for (int i = 0; i < s->count; i++) s->share[i].next = fc_first_unit(s, i);
}

/* The next unit for a thread to do, or -1 when all are taken. */
static inline ptrdiff_t fc_take_unit(struct fc_shares *s, int thread)
{
    for (int i = 0; i < s->count; i++) {
        const int of = (thread + i) % s->count;
        const ptrdiff_t end = fc_first_unit(s, of + 1);
        if (__atomic_load_n(&s->share[of].next, __ATOMIC_RELAXED) < end) {
            const ptrdiff_t unit = __atomic_fetch_add(&s->share[of].next, 1, __ATOMIC_RELAXED);
            if (unit < end) return unit;
        }
    }
    return -1;
}

#endif
