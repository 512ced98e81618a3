"""Conversions between the layouts, by transposing."""

from cython cimport floating
from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._kernels.cpu cimport CACHE_LINE, FC_CACHED_BYTES, fc_end_nontemporal, fc_kernels, kernels_for
from fastconv._runners.partition cimport LoopNest, Work, range_of
from fastconv._runners.team cimport Team, parallel_for, team_of

import_array()

cdef enum:
    PIECE = 64  # rows and columns transposed together, at least, or as many values: their lines stay in L1
    PIXEL_CHANNELS = 4  # at most, of images whose pixels are turned whole


cdef struct Transposition:
    const fc_kernels *kernels
    ptrdiff_t itemsize, rows, columns, row_pieces, column_pieces
    const char *source
    char *target
    ptrdiff_t target_image  # bytes from an image of it to the next
    bint nontemporal


def transpose(ndarray source, ndarray target, ptrdiff_t rows, team):
    """Write each image of `source`, a matrix of so many rows, transposed to `target`; both are contiguous.

    The team shares pieces of a few cache lines a side, which it turns by blocks in registers.
    """
    cdef ptrdiff_t images = source.shape[0]
    cdef Transposition job = transposition(rows, source.size // max(images * rows, 1), source.itemsize)
    cdef Team shared = team_of(team[0], team[1])
    job.source, job.target = <const char *>PyArray_DATA(source), <char *>PyArray_DATA(target)
    is_of_lines = (<size_t>job.target | <size_t>(rows * job.itemsize)) % CACHE_LINE == 0
    job.nontemporal = is_of_lines and target.nbytes > FC_CACHED_BYTES
    with nogil:
        parallel_for(shared, images * job.row_pieces * job.column_pieces, _transpose_piece, &job)


cdef Transposition transposition(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t itemsize):
    """That of matrices of this size, each of which follows the one before it."""
    cdef ptrdiff_t image = rows * columns * itemsize
    return Transposition(
        kernels_for(itemsize), itemsize, rows, columns, _pieces(rows, columns), _pieces(columns, rows), NULL, NULL,
        image, False,
    )


cdef ptrdiff_t _pieces(ptrdiff_t size, ptrdiff_t other) noexcept nogil:
    """Those of an axis, longer ones where the other has the channels of pixels that are turned whole."""
    return max(1, size // (PIECE * PIECE // PIXEL_CHANNELS if 3 <= other <= PIXEL_CHANNELS else PIECE))


cdef ptrdiff_t _edge(ptrdiff_t piece, ptrdiff_t pieces, ptrdiff_t size, ptrdiff_t lanes) noexcept nogil:
    """Where a piece of an axis begins: at a whole block; the last piece has the tail."""
    return size if piece == pieces else range_of(piece, pieces, size // lanes).first * lanes


cdef void _transpose_piece(void *what, ptrdiff_t task) noexcept nogil:
    """A piece of a matrix, the rows' pieces fastest. The last block may overlap the one before, to be whole."""
    cdef const Transposition *job = <const Transposition *>what
    cdef ptrdiff_t lanes = job.kernels.lanes, piece = task % job.row_pieces, y, x, row, column
    cdef ptrdiff_t top = _edge(piece, job.row_pieces, job.rows, lanes)
    cdef ptrdiff_t bottom = _edge(piece + 1, job.row_pieces, job.rows, lanes)
    task //= job.row_pieces
    piece = task % job.column_pieces
    cdef ptrdiff_t left = _edge(piece, job.column_pieces, job.columns, lanes)
    cdef ptrdiff_t right = _edge(piece + 1, job.column_pieces, job.columns, lanes)
    cdef ptrdiff_t image = task // job.column_pieces
    cdef const char *source = job.source + image * job.rows * job.columns * job.itemsize
    cdef char *target = job.target + image * job.target_image
    if bottom - top < lanes or right - left < lanes:
        source += (top * job.columns + left) * job.itemsize
        target += (left * job.rows + top) * job.itemsize
        if 3 <= min(job.rows, job.columns) <= PIXEL_CHANNELS:
            if job.itemsize == 4:
                _transpose_pixels(<const float *>source, <float *>target, job, bottom - top, right - left)
            else:
                _transpose_pixels(<const double *>source, <double *>target, job, bottom - top, right - left)
        elif job.itemsize == 4:
            _transpose_few(<const float *>source, <float *>target, job, bottom - top, right - left)
        else:
            _transpose_few(<const double *>source, <double *>target, job, bottom - top, right - left)
        return
    for y in range((bottom - top + lanes - 1) // lanes):
        row = min(top + y * lanes, bottom - lanes)
        for x in range((right - left + lanes - 1) // lanes):
            column = min(left + x * lanes, right - lanes)
            job.kernels.transpose[job.nontemporal](
                source + (row * job.columns + column) * job.itemsize, job.columns * job.itemsize,
                target + (column * job.rows + row) * job.itemsize, job.rows * job.itemsize,
            )
    if job.nontemporal:
        fc_end_nontemporal()


cdef void _transpose_few(
    const floating *source, floating *target, const Transposition *job, ptrdiff_t rows, ptrdiff_t columns
) noexcept nogil:
    """A piece with fewer rows or columns than a block, value by value."""
    cdef ptrdiff_t step = job.rows, row, column
    for row in range(rows):
        for column in range(columns):
            target[column * step + row] = source[column]
        source += job.columns


cdef void _transpose_pixels(
    const floating *source, floating *target, const Transposition *job, ptrdiff_t rows, ptrdiff_t columns
) noexcept nogil:
    """A piece of an image of three or four channels, its pixels whole: with a literal the inner loop is none."""
    if rows == 3:
        _turn(source, target, columns, 3, 1, job.columns, 3, 1)
    elif rows == 4:
        _turn(source, target, columns, 4, 1, job.columns, 4, 1)
    elif columns == 3:
        _turn(source, target, rows, 3, 3, 1, 1, job.rows)
    else:
        _turn(source, target, rows, 4, 4, 1, 1, job.rows)


cdef inline void _turn(
    const floating *source, floating *target, ptrdiff_t pixels, ptrdiff_t channels, ptrdiff_t source_step,
    ptrdiff_t source_stride, ptrdiff_t target_step, ptrdiff_t target_stride
) noexcept nogil:
    """Copy pixels; steps are from one to the next, strides from a channel to the next."""
    cdef ptrdiff_t i, c
    for i in range(pixels):
        for c in range(channels):
            target[i * target_step + c * target_stride] = source[i * source_step + c * source_stride]


cdef class Flatten(LoopNest):
    """Images as vectors in the order of layout NCHW: transposed; the team shares pieces of them."""

    cdef Transposition job

    def __init__(self, x_shape, itemsize):
        self.repeats, height, width, channels = x_shape
        self.job = transposition(height * width, channels, itemsize)
        self.pixel_blocks = self.max_pixel_blocks = self.job.row_pieces * self.job.column_pieces
        self.max_ranges = 1

    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil:
        cdef Transposition job = self.job
        job.source, job.target, job.target_image = work.arrays.x, work.arrays.out, work.arrays.out_image
        _transpose_piece(&job, task)
