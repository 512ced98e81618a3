/* Walks every interleaving of a few threads that run real code, one atomic operation at a time.
 *
 * The code under test is included after this file, which takes the place of the atomic builtins, of the clock, of
 * pthread_create and of what sleeps. Threads are coroutines. Each stops before an operation; a transition lets one
 * thread do its operation and run on to the next. From each state all transitions are taken, and a state that was met
 * before is not walked again: states are compared by a hash of the shared memory and of all stacks.
 *
 * Beside running, a thread can
 *
 *     choose      where the clock is read (no time has passed, or much has), where pthread_create may fail
 *     flush       make its oldest store visible: stores that are not sequentially consistent wait in order, as on x86
 *     wake up     from a sleep for no reason
 *     stall       for ever, where the scenario allows it: the system does not run it
 *
 * A state where nobody can do anything but wake up for no reason, and a caller has not returned, is a lost wake-up. */
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

/* --- what the threads call --- */

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

/* --- the search --- */

struct state {
    int transition; /* the next to take */
    int thread, chosen;
    const char *operation; /* that led here */
    char *bytes;
};

static struct state path[MAX_DEPTH];
static int depth;

static void fail(const char *what)
{
    printf("%s; the last steps were\n", what);
    for (int i = depth > 60 ? depth - 60 : 1; i <= depth; i++)
        printf("  thread %d: %s %d\n", path[i].thread, path[i].operation, path[i].chosen);
    exit(1);
}

static size_t each_region(void (*visit)(char *, char *, size_t), char *bytes)
{
    size_t total = 0;
    for (int i = 0; i < shared_count; i++) {
        if (visit) visit(shared[i].at, bytes + total, shared[i].size);
        total += shared[i].size;
    }
    for (int i = 0; i < world.threads; i++) { /* `world` is there by now */
        const size_t size = (size_t)(stacks[i] + STACK - world.thread[i].low);
        if (visit) visit(world.thread[i].low, bytes + total, size);
        total += size;
    }
    return total;
}

static void copy_out(char *memory, char *bytes, size_t size)
{
    memcpy(bytes, memory, size);
}

static void copy_in(char *memory, char *bytes, size_t size)
{
    memcpy(memory, bytes, size);
}

static uint64_t hash;

static void add_to_hash(char *memory, char *bytes, size_t size)
{
    (void)bytes;
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, memory + i, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
}

static uint64_t *known;
static size_t known_size = 1 << 20, known_count;

static int is_new(uint64_t key)
{
    key |= !key;
    if (2 * known_count >= known_size || !known) {
        uint64_t *before = known;
        const size_t size = known ? known_size : 0;
        if (known) known_size *= 2;
        known = calloc(known_size, sizeof *known);
        known_count = 0;
        for (size_t i = 0; i < size; i++)
            if (before[i]) is_new(before[i]);
        free(before);
    }
    size_t i = key & (known_size - 1);
    while (known[i] && known[i] != key) i = (i + 1) & (known_size - 1);
    if (known[i]) return 0;
    known[i] = key;
    known_count++;
    return 1;
}

enum { FLUSH = 2, STALL, TRANSITIONS };

static int is_enabled(const struct thread *t, int transition)
{
    if (transition == FLUSH) return t->stores > 0;
    if (t->stop >= RETURNED) return 0;
    if (transition == STALL) return stalls && t->may_stall;
    if (transition >= t->choices) return 0;
    if (t->stop == AT_CONDITION) return memory_at(t->at, 8) == t->value;
    return 1;
}

static void take(struct thread *t, int transition)
{
    if (transition == FLUSH) {
        flush_one(t);
    } else if (transition == STALL) {
        end_thread(t, STALLED);
    } else {
        memset(t->low - CLEARED, 0, CLEARED); /* what earlier calls left there would count as state */
        t->stop = AT_OPERATION;
        t->chosen = transition;
        world.running = t - world.thread;
        switch_stack(&scheduler, t->low);
    }
}

static void remember(int thread, int chosen, const char *operation)
{
    check(depth < MAX_DEPTH, "too deep");
    path[depth] = (struct state){0, thread, chosen, operation, malloc(each_region(0, 0))};
    each_region(copy_out, path[depth].bytes);
}

static void check_progress(void)
{
    int callers = 0, enabled = 0;
    for (int i = 0; i < world.threads; i++) {
        const struct thread *t = &world.thread[i];
        callers += t->is_caller;
        for (int j = 0; j < STALL; j++) enabled += t->stop != ASLEEP && is_enabled(t, j);
    }
    check(enabled || !callers, "nobody can go on");
}

/* Of a thread at a local operation, which may as well be the next: no other need go first. */
static int is_put_off(int thread)
{
    for (int i = 0; i < world.threads; i++)
        if (world.thread[i].stop == AT_LOCAL) return thread != i;
    return 0;
}

/* Walk all states from the present one. */
static void explore(void)
{
    remember(0, 0, "");
    while (depth >= 0) {
        struct state *state = &path[depth];
        each_region(copy_in, state->bytes);
        int t = state->transition / TRANSITIONS, j = state->transition % TRANSITIONS;
        if (t == world.threads) {
            free(state->bytes);
            depth--;
            continue;
        }
        state->transition++;
        if (!is_enabled(&world.thread[t], j) || is_put_off(t)) continue;
        const char *operation = j == FLUSH ? "flush" : j == STALL ? "stall" : world.thread[t].operation;
        path[++depth] = (struct state){0, t, j, operation, 0}; /* for the report of a failure within the step */
        take(&world.thread[t], j);
        world.running = 0;
        hash = 1;
        each_region(add_to_hash, 0);
        if (is_new(hash)) {
            remember(t, j, operation);
            check_progress();
        } else {
            depth--;
        }
    }
    depth = 0;
    printf("%zu states\n", known_count);
}
