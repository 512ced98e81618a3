/* Whether more threads want to run than there are CPUs: then a thread that spins takes time from one with work. */
#ifndef FASTCONV_BUSY_H
#define FASTCONV_BUSY_H
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#if defined __linux__
#include <fcntl.h>

/* Of the whole machine, also inside a container: its CPUs are shared with what runs outside. 9 µs. */
static inline int fc_runnable_threads(void)
{
    char text[128];
    int running = 0;
    const int file = open("/proc/loadavg", O_RDONLY | O_CLOEXEC); /* "0.20 0.18 0.12 1/80 11206" */
    if (file < 0) return 0;
    const ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = 0;
    return sscanf(text, "%*s %*s %*s %d/", &running) == 1 ? running : 0;
}
#else
static inline int fc_runnable_threads(void)
{
    return 0;
}
#endif

#define FC_ASK_EVERY 5000000 /* nanoseconds */

static struct {
    uint32_t asked_in; /* which FC_ASK_EVERY of the clock */
    int is_busy;
} fc_machine;

/* As of the last time that somebody asked, at most FC_ASK_EVERY ago. */
static inline int fc_is_busy(int64_t now)
{
    const uint32_t tick = (uint32_t)(now / FC_ASK_EVERY);
    uint32_t asked_in = __atomic_load_n(&fc_machine.asked_in, __ATOMIC_RELAXED);
    if (tick != asked_in &&
        __atomic_compare_exchange_n(&fc_machine.asked_in, &asked_in, tick, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        const int is_busy = fc_runnable_threads() > sysconf(_SC_NPROCESSORS_ONLN);
        __atomic_store_n(&fc_machine.is_busy, is_busy, __ATOMIC_RELAXED);
    }
    return __atomic_load_n(&fc_machine.is_busy, __ATOMIC_RELAXED);
}

#endif
