/* Whether more threads want to run than there are CPUs: then a thread that spins takes time from one with work. */
#ifndef FASTCONV_BUSY_H
#define FASTCONV_BUSY_H
#include <stdint.h>
#include <stdio.h>
#include <time.h>
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

/* Nanoseconds between two ticks of the system's clock, when it gives the CPUs to other threads. */
static inline int64_t fc_tick_length(void)
{
    struct timespec length = {0, 0};
#ifdef CLOCK_MONOTONIC_COARSE
    clock_getres(CLOCK_MONOTONIC_COARSE, &length);
#endif
    return length.tv_sec * (int64_t)1000000000 + length.tv_nsec;
}

#define FC_ASK_EVERY 5000000 /* nanoseconds */

static struct {
    uint32_t asked_in; /* which FC_ASK_EVERY of the clock */
    int64_t tick;      /* its length where the machine is busy, else 0 */
} fc_machine;

/* As of the last time that somebody asked whether the machine is busy. */
static inline int64_t fc_busy_tick(void)
{
    return __atomic_load_n(&fc_machine.tick, __ATOMIC_RELAXED);
}

/* Ask, unless somebody has within FC_ASK_EVERY. */
static inline int fc_is_busy(int64_t now)
{
    const uint32_t tick = (uint32_t)(now / FC_ASK_EVERY);
    uint32_t asked_in = __atomic_load_n(&fc_machine.asked_in, __ATOMIC_RELAXED);
    if (tick != asked_in &&
        __atomic_compare_exchange_n(&fc_machine.asked_in, &asked_in, tick, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        const int is_busy = fc_runnable_threads() > sysconf(_SC_NPROCESSORS_ONLN);
        __atomic_store_n(&fc_machine.tick, is_busy ? fc_tick_length() : 0, __ATOMIC_RELAXED);
    }
    return fc_busy_tick() != 0;
}

#endif
