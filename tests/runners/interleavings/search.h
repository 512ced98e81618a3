/* Walks every interleaving of a few threads that run real code, one atomic operation at a time.
 *
 * A transition lets one thread do its operation and run on to the next. From each state all transitions are taken, and
 * a state that was met before is not walked again: states are compared by a hash of the shared memory and of all
 * stacks. Beside running, a thread can
 *
 *     choose      where the clock is read (no time has passed, or much has), where pthread_create may fail
 *     flush       make its oldest store visible
 *     wake up     from a sleep for no reason
 *     stall       for ever, where the scenario allows it: the system does not run it
 *
 * Where one is at a local operation, which no other can notice, only that one goes on; no loop has local ones alone.
 *
 * A state where nobody can do anything but wake up for no reason, and a caller has not returned, is a lost wake-up. */
#ifndef SEARCH_H
#define SEARCH_H
#include "operations.h"

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

#endif
