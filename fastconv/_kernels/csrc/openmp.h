/* What OpenMP says of threads and their places; where it is not there, that it sets no limit and binds nothing. */
#pragma once

#if defined _OPENMP
#include <omp.h>
static const int fc_has_openmp = 1;

static inline int fc_thread_limit(void)
{
    return omp_get_max_threads();
}

static inline void fc_set_thread_limit(int threads)
{
    omp_set_num_threads(threads);
}
#else
static const int fc_has_openmp = 0;

static inline int fc_thread_limit(void)
{
    return 0;
}

static inline void fc_set_thread_limit(int threads)
{
    (void)threads;
}
#endif

#if defined _OPENMP && _OPENMP >= 201511
static inline int fc_place_count(void)
{
    return omp_get_proc_bind() == omp_proc_bind_false ? 0 : omp_get_num_places();
}

static inline int fc_place_size(int place)
{
    return omp_get_place_num_procs(place);
}

static inline void fc_place_cpus(int place, int *cpus)
{
    omp_get_place_proc_ids(place, cpus);
}
#else
static inline int fc_place_count(void)
{
    return 0;
}

static inline int fc_place_size(int place)
{
    (void)place;
    return 0;
}

static inline void fc_place_cpus(int place, int *cpus)
{
    (void)place, (void)cpus;
}
#endif
