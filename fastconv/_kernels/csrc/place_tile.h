/* The place of the largest, or of the smallest, of the channels of each pixel, as int64: of equal ones that of the
 * first, and that of the first NaN where there is one. A vector has one channel of LANES pixels. */

INLINE void NAMED(places)(const struct fc_map_args *t, ptrdiff_t first, const ptrdiff_t count, const T sign)
{
    const char *const x = t->x + first * t->x_stride;
    VECTOR most = {0}, place = {0}, at = {0};
    for (ptrdiff_t c = 0; c < t->channels; c++, at += 1) {
        VECTOR v = {0};
        UNROLL
        for (ptrdiff_t p = 0; p < count; p++) v[p] = ((const T *)(x + p * t->x_stride))[c];
        v *= sign;
        const NAMED(mask) is_better = (v > most) | ((v != v) & (most == most)) | (at == 0);
        most = NAMED(select)(is_better, v, most);
        place = NAMED(select)(is_better, at, place);
    }
    UNROLL
    for (ptrdiff_t p = 0; p < count; p++) *(int64_t *)(t->out + (first + p) * t->out_stride) = (int64_t)place[p];
}

INLINE void NAMED(place_tile)(const int is_least, const struct fc_map_args *t)
{
    ptrdiff_t i = 0;
    for (; i + LANES <= t->pixels; i += LANES) NAMED(places)(t, i, LANES, is_least ? -1 : 1);
    for (; i < t->pixels; i++) NAMED(places)(t, i, 1, is_least ? -1 : 1);
}

KERNEL(map_arg_max, fc_map_args, place_tile, 0)
KERNEL(map_arg_min, fc_map_args, place_tile, 1)
