"""1×1 convolutions right on arrays in layout NCHW.

The pixels of a channel, a *plane*, are neighbours here: a tile is some output channels (rows of the weights) times
vectors of pixels. A *panel* is as many pixels as a tile has columns, of all channels, a *pixel block* a
run of panels. One task is a pixel block of one image, or of one group of it, times a range of output channels, in
whole tiles. The first of these reads the planes and copies the panels into the thread's workspace, where the others
find them side by side; the last pixels of a plane, fewer than a vector, and pixels that a stride sets apart are
gathered before. The reduction is never split.
"""

from cython cimport floating
from numpy cimport PyArray_DATA, import_array

from fastconv._kernels.cpu cimport (
    FC_MAX_LANES, FC_MAX_PIXELS, FC_MAX_VECTORS, FC_MAX_TAIL, fc_epilogue, fc_kernels, fc_plane_args, kernels_for,
)
from fastconv._runners.partition cimport LoopNest, Partition, Range, Work, range_of, take_task
from fastconv._runners.runner cimport Arrays

from fastconv._checks.arrays import aligned

import_array()

cdef enum:
    MAX_COLUMNS = FC_MAX_VECTORS * FC_MAX_LANES  # of a tile
    MAX_PIECES = 6  # of a pixel block: whole panels, a vector, and up to 15 pixels in fours
    TILES_WITHOUT_COPY = 3  # so few tiles of rows read the planes again for less than a copy costs
cdef ptrdiff_t PIXEL_BLOCK_BYTES = 128 * 1024  # of panels: they stay in L2
cdef double VALUE_COST = 12  # to bring in a value of input or weights, in multiply-adds


def pack(weight, bias, groups):
    """(weights HWIO of a 1×1 kernel in the order the tiles read them, [group][tile][channel][row]; the bias).

    Behind the weights is room for what the kernels read beyond them.
    """
    cdef const fc_kernels *kernels = kernels_for(weight.itemsize)
    cdef Range rows
    channels, k = weight.shape[2], weight.shape[3] // groups
    tiles = -(-k // kernels.max_pixels)
    packed = aligned((groups * k * channels + FC_MAX_PIXELS + kernels.lanes,), weight.dtype)
    end = 0
    for group in range(groups):
        for tile in range(tiles):
            rows = range_of(tile, tiles, k)
            start, end = end, end + (rows.end - rows.first) * channels
            packed[start:end].reshape(channels, -1)[:] = weight[0, 0, :, group * k + rows.first : group * k + rows.end]
    packed[end:] = 0
    packed_bias = aligned((groups * k,), weight.dtype)
    packed_bias[:] = 0 if bias is None else bias
    return packed, packed_bias


cdef class Pointwise(LoopNest):
    """A 1×1 convolution of one geometry, ready to run on any NCHW arrays of it."""

    cdef const fc_kernels *kernels
    cdef object weights, bias
    cdef const char *packed
    cdef const char *packed_bias
    cdef ptrdiff_t itemsize
    cdef bint strided
    cdef fc_epilogue epilogue  # but for what a call tells
    # Geometry, in pixels and channels; an image here is one group of an image.
    cdef ptrdiff_t images, groups, group_in, group_out, plane, out_plane
    cdef ptrdiff_t width, out_width, stride_h, stride_w
    # The partition.
    cdef ptrdiff_t panels, tiles

    def __init__(self, shape, weights, bias, activation):
        self.itemsize = weights.itemsize
        self.kernels = kernels_for(self.itemsize)
        self.weights, self.bias = weights, bias
        self.packed, self.packed_bias = <const char *>PyArray_DATA(weights), <const char *>PyArray_DATA(bias)
        self.images, self.groups = shape.batch * shape.groups, shape.groups
        self.group_in, self.group_out = shape.in_channels // shape.groups, shape.out_channels // shape.groups
        self.plane, self.out_plane = shape.height * shape.width, shape.out_height * shape.out_width
        self.strided = self.plane != self.out_plane
        self.epilogue.lo, self.epilogue.hi, _ = activation  # slopes are for NHWC arrays alone
        self.epilogue.out_stride = self.epilogue.residual_stride = self.out_plane * self.itemsize
        self.width, self.out_width = shape.width, shape.out_width
        self.stride_h, self.stride_w = shape.stride

        width = self.kernels.lanes * FC_MAX_VECTORS
        panel_bytes = width * self.group_in * self.itemsize
        self.panels = self.out_plane // width
        self.pixel_blocks = max(1, -(-self.panels // max(1, PIXEL_BLOCK_BYTES // panel_bytes)))
        self.workspace_bytes = (-(-self.panels // self.pixel_blocks) + 1) * panel_bytes  # and what the last has more
        self.tiles = -(-self.group_out // self.kernels.max_pixels)
        self.repeats, self.max_ranges = self.images, self.tiles
        self.max_pixel_blocks = max(self.pixel_blocks, self.panels)
        self.tile = f"{self.kernels.max_pixels} channels × {width} pixels"

    cdef double pixel_block_time(self, ptrdiff_t pixel_blocks) noexcept:
        """What it takes to copy the panels of the largest pixel block, in multiply-adds."""
        return VALUE_COST * self.out_plane / pixel_blocks * self.group_in

    cdef double task_time(self, Partition partition) noexcept:
        """What the products of the largest task take, in multiply-adds."""
        cdef ptrdiff_t tiles = (self.tiles + partition.ranges - 1) // partition.ranges
        cdef double rows = self.group_out * tiles / <double>self.tiles
        cdef double panels = max(1, (self.panels + partition.pixel_blocks - 1) // partition.pixel_blocks)
        cdef double pixels = self.out_plane * panels / max(1, self.panels)
        return rows * self.group_in * (pixels + VALUE_COST)

    cdef void run_tasks(self, const Work *work) noexcept nogil:
        """A thread's tasks: channel ranges fastest, then pixel blocks, images."""
        cdef fc_plane_args pieces[MAX_PIECES]
        cdef Partition partition = work.partition
        cdef ptrdiff_t task = take_task(work), number, pixel_block, image, first_pixel, n = 0, packed = -1
        while task >= 0:
            number = task // partition.ranges
            pixel_block, image = number % partition.pixel_blocks, number // partition.pixel_blocks
            first_pixel = self._first_pixel(pixel_block, partition.pixel_blocks)
            if number != packed:
                packed = number
                n = self._prepare(
                    pieces, first_pixel, self._first_pixel(pixel_block + 1, partition.pixel_blocks),
                    work.arrays.x + image * self.group_in * self.plane * self.itemsize, work.workspace,
                )
            self._tiles(
                pieces, n, image, first_pixel, range_of(task % partition.ranges, partition.ranges, self.tiles),
                &work.arrays,
            )
            task = take_task(work)

    cdef void _tiles(
        self, fc_plane_args *pieces, ptrdiff_t n, ptrdiff_t image, ptrdiff_t first_pixel, Range tiles,
        const Arrays *arrays,
    ) noexcept nogil:
        """Tiles of rows over the n pieces of a pixel block of an image."""
        cdef ptrdiff_t tile, i, group_row = image % self.groups * self.group_out
        cdef ptrdiff_t image_offset = image * self.group_out * self.out_plane * self.itemsize, offset
        cdef Range rows
        for tile in range(tiles.first, tiles.end):
            rows = range_of(tile, self.tiles, self.group_out)
            offset = image_offset + (rows.first * self.out_plane + first_pixel) * self.itemsize
            for i in range(n):
                pieces[i].rows = rows.end - rows.first
                pieces[i].weights = self.packed + (group_row + rows.first) * self.group_in * self.itemsize
                pieces[i].epilogue.bias = self.packed_bias + (group_row + rows.first) * self.itemsize
                pieces[i].epilogue.out = arrays.out + offset
                pieces[i].epilogue.residual = arrays.residual + offset if arrays.residual != NULL else NULL
                self._piece(&pieces[i])
                offset += pieces[i].columns * self.itemsize

    cdef ptrdiff_t _first_pixel(self, ptrdiff_t pixel_block, ptrdiff_t pixel_blocks) noexcept nogil:
        """Where one of `pixel_blocks` begins: at a panel; the last ends with the plane."""
        if pixel_block == pixel_blocks:
            return self.out_plane
        return range_of(pixel_block, pixel_blocks, self.panels).first * self.kernels.lanes * FC_MAX_VECTORS

    cdef ptrdiff_t _prepare(
        self, fc_plane_args *piece, ptrdiff_t first, ptrdiff_t end, const char *x, char *work
    ) noexcept nogil:
        """Divide a pixel block into whole panels, one of a vector, and a tail; returns the number of pieces."""
        cdef ptrdiff_t lanes = self.kernels.lanes, width = lanes * FC_MAX_VECTORS, pixels, panel, n = 0
        cdef bint copies = self.tiles > TILES_WITHOUT_COPY
        while first < end:
            pixels = end - first
            if pixels >= width:
                pixels -= pixels % width
            elif pixels >= lanes:
                pixels = lanes
            else:
                pixels = min(pixels, FC_MAX_TAIL)
            panel = min(pixels, width)
            piece.channels, piece.columns, piece.epilogue = self.group_in, pixels, self.epilogue
            piece.x, piece.copy = x + first * self.itemsize, work if copies else NULL
            piece.plane_stride, piece.panel_stride = self.plane * self.itemsize, panel * self.itemsize
            if self.strided or pixels < lanes:
                if self.itemsize == 4:
                    self._gather(<const float *>x, first, pixels, panel, <float *>work)
                else:
                    self._gather(<const double *>x, first, pixels, panel, <double *>work)
                piece.copy = work
                self._read_copy(piece)
            work += self.group_in * pixels * self.itemsize
            first += pixels
            piece += 1
            n += 1
        return n

    cdef void _piece(self, fc_plane_args *piece) noexcept nogil:
        """A tile of rows over a piece, which is read from its copy from then on."""
        cdef ptrdiff_t pixels = piece.columns, lanes = self.kernels.lanes
        if pixels < lanes:
            self.kernels.planes_tail[pixels - 1](piece)
        else:
            self.kernels.planes[pixels > lanes][piece.rows - 1](piece)
            if piece.copy != NULL:
                self._read_copy(piece)

    cdef void _read_copy(self, fc_plane_args *piece) noexcept nogil:
        """Let the piece be read from its copy."""
        cdef ptrdiff_t width = min(piece.columns, <ptrdiff_t>self.kernels.lanes * FC_MAX_VECTORS)
        piece.x, piece.copy = piece.copy, NULL
        piece.plane_stride = width * self.itemsize
        piece.panel_stride = self.group_in * piece.plane_stride

    cdef void _gather(
        self, const floating *image, ptrdiff_t first, ptrdiff_t pixels, ptrdiff_t width, floating *panel
    ) noexcept nogil:
        """Copy output pixels `first` and next of every channel into panels of `width` pixels."""
        cdef ptrdiff_t offsets[MAX_COLUMNS]
        cdef ptrdiff_t n, pixel, i, _
        cdef const floating *x
        for n in range(pixels // width):
            pixel = first + n * width
            for i in range(width):
                offsets[i] = (
                    (pixel + i) // self.out_width * self.stride_h * self.width
                    + (pixel + i) % self.out_width * self.stride_w
                )
            x = image
            for _ in range(self.group_in):
                for i in range(width):
                    panel[i] = x[offsets[i]]
                panel += width
                x += self.plane
