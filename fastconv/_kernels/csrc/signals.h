/* The signals that a thread of the library's own leaves to others. */
#ifndef FASTCONV_SIGNALS_H
#define FASTCONV_SIGNALS_H
#include <signal.h>
#include <stddef.h>

/* All but those of its own faults: where they are blocked, the system ends the
 * process without asking the handler, as that of faulthandler, which would tell where. */
static void fc_fill_with_signals_of_others(sigset_t *signals)
{
    static const int of_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    sigfillset(signals);
    for (size_t i = 0; i < sizeof of_faults / sizeof of_faults[0]; i++) sigdelset(signals, of_faults[i]);
}

#endif
