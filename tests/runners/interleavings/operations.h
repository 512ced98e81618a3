/* Threads that stop before each atomic operation: what search.h walks.
 *
 * The code under test is included after this file, which takes the place of the atomic builtins, of the clock, of
 * pthread_create and of what sleeps. Threads are coroutines. Each stops before an operation, so that another may go
 * first. Stores that are not sequentially consistent are kept and come later, in order, as on x86. */
#ifndef OPERATIONS_H
#define OPERATIONS_H
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_THREADS = 6, STACK = 4096, MAX_STORES = 2, CLEARED = 1024, MAX_DEPTH = 100000 };

/* Where a thread stopped: local is what no other thread can notice. */
enum stop { AT_OPERATION, AT_LOCAL, ASLEEP, AT_CONDITION, RETURNED, STALLED };

struct thread {
    enum stop stop;
    int choices, chosen; /* of the operation to come */
    int is_caller, may_stall;
    unsigned environment;
    int64_t clock;  /* 0 where only what is read of it from now on counts */
    const void *at; /* what it sleeps on, or waits for */
    uint64_t value;
    int stores;
    struct {
        void *at;
        uint64_t value;
        int size;
    } store[MAX_STORES];
    char *low; /* its stack pointer */
    void *(*run)(void *);
    void *argument;
    const char *operation;
};

static struct world {
    int threads, running;
    struct thread thread[MAX_THREADS];
} world;

static struct {
    void *at;
    size_t size;
} shared[8]; /* memory that threads share, `world` first */
static int shared_count;
static char *scheduler; /* its stack pointer */
static _Alignas(64) char stacks[MAX_THREADS][STACK];
static int stalls, creation_fails; /* what the scenario allows */

static struct thread *self(void)
{
    return &world.thread[world.running];
}

/* Keep the registers on the stack and go on at another one, of x86-64. */
void switch_stack(char **from, char *to);
__asm__(".globl switch_stack\n"
        "switch_stack:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    mov %rsi, %rsp\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n");

static int stop_at(enum stop stop, int choices, const char *operation)
{
    struct thread *t = self();
    t->stop = stop, t->choices = choices, t->operation = operation;
    switch_stack(&t->low, scheduler);
    const int chosen = t->chosen;
    t->chosen = 0;
    return chosen;
}

static void fail(const char *what);

static void check(int is_right, const char *what)
{
    if (!is_right) fail(what);
}

static uint64_t memory_at(const void *at, int size)
{
    uint64_t value = 0;
    memcpy(&value, at, size); /* of a little-endian machine */
    return value;
}

static uint64_t seen_by(const struct thread *t, const void *at, int size)
{
    for (int i = t->stores; i-- > 0;)
        if (t->store[i].at == at) return t->store[i].value;
    return memory_at(at, size);
}

static void flush_one(struct thread *t)
{
    memcpy(t->store[0].at, &t->store[0].value, t->store[0].size);
    memmove(t->store, t->store + 1, --t->stores * sizeof t->store[0]);
    memset(t->store + t->stores, 0, sizeof t->store[0]);
}

static void flush(struct thread *t)
{
    while (t->stores) flush_one(t);
}

static uint64_t load(const void *at, int size)
{
    stop_at(AT_OPERATION, 1, "load");
    return seen_by(self(), at, size);
}

static void begin_change(const char *operation)
{
    struct thread *t = self();
    stop_at(AT_OPERATION, 1, operation);
    flush(t);
    t->clock = 0;
}

static void store(void *at, int size, uint64_t value, int order)
{
    struct thread *t = self();
#ifdef FAULT_STORES_LATER
    order = __ATOMIC_RELEASE;
#endif
    if (order == __ATOMIC_SEQ_CST || t->stores == MAX_STORES) {
        begin_change("store");
    } else {
        stop_at(AT_LOCAL, 1, "store, later");
    }
    t->store[t->stores].at = at, t->store[t->stores].value = value, t->store[t->stores].size = size;
    t->stores++;
    if (order == __ATOMIC_SEQ_CST) flush(t);
}

enum change { ADD, SUB, AND, OR, SET };

/* The value before; `*after` is the one after. */
static uint64_t change(enum change how, void *at, int size, uint64_t by, uint64_t *after)
{
    static const char *const names[] = {"add", "subtract", "and", "or", "exchange"};
    begin_change(names[how]);
    const uint64_t before = memory_at(at, size);
#ifdef FAULT_NOT_ATOMIC
    stop_at(AT_OPERATION, 1, "second half");
#endif
    const uint64_t results[] = {before + by, before - by, before & by, before | by, by};
    *after = results[how];
    memcpy(at, after, size);
    *after = memory_at(at, size);
    return before;
}

static int compare_exchange(void *at, int size, void *expected, uint64_t value)
{
    begin_change("compare and exchange");
#ifdef FAULT_NOT_COMPARED
    value += memory_at(at, size) - memory_at(expected, size);
    memcpy(expected, at, size);
#endif
    const int is_same = !memcmp(at, expected, size);
    memcpy(is_same ? at : expected, is_same ? (void *)&value : at, size);
    if (is_same) self()->may_stall = 0; /* it has entered: others may wait for it */
    return is_same;
}

#define VALUE(p, v) ((__typeof__(*(p) + 0))(v))
#define __atomic_load_n(p, order) VALUE(p, load(p, sizeof *(p)))
#define __atomic_store_n(p, v, order) store(p, sizeof *(p), (uint64_t)(v), order)
#define CHANGE(how, p, v, order, result)                                             \
    __extension__({                                                                  \
        uint64_t after, before = change(how, p, sizeof *(p), (uint64_t)(v), &after); \
        (void)before, VALUE(p, result);                                              \
    })
#define __atomic_exchange_n(p, v, order) CHANGE(SET, p, v, order, before)
#define __atomic_fetch_add(p, v, order) CHANGE(ADD, p, v, order, before)
#define __atomic_fetch_sub(p, v, order) CHANGE(SUB, p, v, order, before)
#define __atomic_fetch_and(p, v, order) CHANGE(AND, p, v, order, before)
#define __atomic_fetch_or(p, v, order) CHANGE(OR, p, v, order, before)
#define __atomic_add_fetch(p, v, order) CHANGE(ADD, p, v, order, after)
#define __atomic_sub_fetch(p, v, order) CHANGE(SUB, p, v, order, after)
#define __atomic_and_fetch(p, v, order) CHANGE(AND, p, v, order, after)
#define __atomic_or_fetch(p, v, order) CHANGE(OR, p, v, order, after)
#define __atomic_compare_exchange_n(p, e, v, weak, success, failure) compare_exchange(p, sizeof *(p), e, v)

static int read_clock(int clock, struct timespec *now)
{
    struct thread *t = self();
    (void)clock;
    t->may_stall = !t->is_caller; /* it has left */
    t->clock += t->clock ? stop_at(AT_LOCAL, 2, "clock") : 1;
    now->tv_sec = t->clock, now->tv_nsec = 0;
    return 0;
}

/* As a futex: the comparison and the falling asleep are one operation. */
static void sleep_on(uint32_t *word, uint32_t value)
{
    struct thread *t = self();
    begin_change("sleep");
#ifndef FAULT_SLEEPS_ANYWAY
    if (*word != value) return;
#endif
    (void)value;
    t->at = word;
    stop_at(ASLEEP, 1, "asleep");
    t->at = 0;
}

static void wake_all(uint32_t *word)
{
    stop_at(AT_OPERATION, 1, "wake");
    flush(self());
    for (int i = 0; i < world.threads; i++)
        if (world.thread[i].stop == ASLEEP && world.thread[i].at == word) world.thread[i].stop = AT_OPERATION;
}

static void wait_until(const uint64_t *at, uint64_t value)
{
    self()->at = at, self()->value = value;
    stop_at(AT_CONDITION, 1, "condition");
    self()->at = 0, self()->value = 0;
}

/* It never runs again, and only the stores that it has still to make count of it. */
static void end_thread(struct thread *t, enum stop stop)
{
    struct thread ended = {.stop = stop, .stores = t->stores, .operation = "ended"};
    memcpy(ended.store, t->store, sizeof t->store);
    ended.low = stacks[t - world.thread] + STACK;
    *t = ended;
}

static void run_thread(void)
{
    struct thread *t = self();
    t->run(t->argument);
    char *low;
    end_thread(t, RETURNED);
    switch_stack(&low, scheduler);
}

static void begin_thread(void *(*run)(void *), void *argument, int is_caller)
{
    struct thread *t = &world.thread[world.threads];
    check(world.threads < MAX_THREADS, "too many threads");
    memset(t, 0, sizeof *t);
    memset(stacks[world.threads], 0, STACK);
    t->run = run, t->argument = argument, t->is_caller = is_caller, t->may_stall = !is_caller;
    t->stop = AT_LOCAL, t->choices = 1, t->operation = "begin";
    void (*begin)(void) = run_thread;
    t->low = stacks[world.threads] + STACK - 64; /* six registers, then where to begin */
    memcpy(t->low + 48, &begin, sizeof begin);
    world.threads++;
}

static int create_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    (void)thread, (void)attributes;
    if (stop_at(AT_OPERATION, 1 + creation_fails, "create")) return 1;
    begin_thread(run, argument, 0);
    return 0;
}

/* The calling thread is now the only one, and a caller. */
static void fork_alone(void)
{
    stop_at(AT_OPERATION, 1, "fork");
    flush(self());
    for (int i = 0; i < world.threads; i++)
        if (i != world.running) world.thread[i].stores = 0, end_thread(&world.thread[i], STALLED);
    self()->is_caller = 1;
}

#endif
