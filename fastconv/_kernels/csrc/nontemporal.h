/* Writing past the caches, whole lines at a time, what is so large that it has left them before anything reads it. */
#pragma once

enum { FC_CACHED_BYTES = 8 * 1024 * 1024 }; /* of an array that is written: larger ones go past the caches */

/* Before the barrier that ends a team's work: other threads then see what went past the caches. */
static inline void fc_end_nontemporal(void)
{
#ifdef __SSE__
    __builtin_ia32_sfence();
#endif
}
