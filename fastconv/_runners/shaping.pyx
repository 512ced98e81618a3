"""Conversions between the layouts, by transposing."""

from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._kernels.cpu cimport CACHE_LINE, FC_CACHED_BYTES, fc_end_nontemporal, fc_kernels, kernels_for
from fastconv._runners.partition cimport LoopNest, Work, range_of
from fastconv._runners.team cimport Team, parallel_for, team_of

import_array()

cdef enum:
    PIECE = 64  # rows and columns transposed together, at least, or as many values: their lines stay in L1
    FEW = 4  # channels: pieces of longer rows take as long


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
    """Those of an axis, longer ones where the other has few channels."""
    return max(1, size // (PIECE * PIECE // FEW if other <= FEW else PIECE))


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
    cdef ptrdiff_t step = job.columns * job.itemsize, plane = job.rows * job.itemsize
    if bottom - top < lanes or right - left < lanes:
        source += top * step + left * job.itemsize
        target += left * plane + top * job.itemsize
        if right - left < lanes:
            job.kernels.split(source, step, bottom - top, right - left, target, plane)
        else:
            job.kernels.join(source, step, right - left, bottom - top, target)  # planes `step` apart
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
