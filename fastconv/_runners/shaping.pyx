"""What moves values of NHWC arrays and computes none: paddings, and vectors in the order of layout NCHW."""

from libc.string cimport memcpy

from fastconv._runners.partition cimport LoopNest, Partition, start_of
from fastconv._runners.queue cimport fc_queue, fc_take_task
from fastconv._runners.runner cimport Arrays

ctypedef fused value:
    float
    double


cdef class Pad(LoopNest):
    """Rows and columns of one value around a map; the team shares the rows of the output."""

    cdef double value
    cdef ptrdiff_t itemsize, height, width, out_height, out_width, channels, top, left

    def __init__(self, x_shape, out_shape, padding, value, itemsize):
        self.repeats, self.height, self.width, self.channels = x_shape
        _, self.out_height, self.out_width, _ = out_shape
        (self.top, _), (self.left, _) = padding
        self.value, self.itemsize = value, itemsize
        self.pixel_blocks = self.max_pixel_blocks = self.out_height
        self.max_ranges = 1

    cdef void run_tasks(
        self, fc_queue *queue, int thread, Partition partition, const Arrays *arrays, char *work
    ) noexcept nogil:
        cdef ptrdiff_t row = fc_take_task(queue, thread), image, p, y, pixel = self.channels * self.itemsize
        cdef const char *x
        cdef char *out
        while row >= 0:
            image, p = row // self.out_height, row % self.out_height
            y = p - self.top
            x = arrays.x + (image * self.height + y) * self.width * pixel
            out = arrays.out + image * arrays.out_image + p * self.out_width * arrays.out_stride
            if y < 0 or y >= self.height:
                self._fill(out, arrays.out_stride, self.out_width)
            else:
                self._fill(out, arrays.out_stride, self.left)
                out += self.left * arrays.out_stride
                copy(x, pixel, out, arrays.out_stride, self.width)
                out += self.width * arrays.out_stride
                self._fill(out, arrays.out_stride, self.out_width - self.left - self.width)
            row = fc_take_task(queue, thread)

    cdef void _fill(self, char *out, ptrdiff_t stride, ptrdiff_t pixels) noexcept nogil:
        cdef ptrdiff_t _
        for _ in range(pixels):
            if self.itemsize == sizeof(float):
                fill(<float *>out, <float>self.value, self.channels)
            else:
                fill(<double *>out, self.value, self.channels)
            out += stride


cdef class Flatten(LoopNest):
    """Images as vectors in the order of layout NCHW: transposed; the team shares ranges of the channels."""

    cdef ptrdiff_t itemsize, pixels, channels

    def __init__(self, x_shape, itemsize):
        self.repeats, height, width, self.channels = x_shape
        self.pixels, self.itemsize = height * width, itemsize
        # Of some cache lines of each pixel.
        self.pixel_blocks = self.max_pixel_blocks = -(-self.channels * itemsize // (4 * 64))
        self.max_ranges = 1

    cdef void run_tasks(
        self, fc_queue *queue, int thread, Partition partition, const Arrays *arrays, char *work
    ) noexcept nogil:
        cdef ptrdiff_t task = fc_take_task(queue, thread), first, end
        cdef const char *x
        cdef char *out
        while task >= 0:
            first = start_of(task % partition.pixel_blocks, partition.pixel_blocks, self.channels)
            end = start_of(task % partition.pixel_blocks + 1, partition.pixel_blocks, self.channels)
            x = arrays.x + task // partition.pixel_blocks * self.pixels * self.channels * self.itemsize
            out = arrays.out + task // partition.pixel_blocks * arrays.out_image
            if self.itemsize == sizeof(float):
                transpose(<const float *>x, <float *>out, self.pixels, self.channels, first, end)
            else:
                transpose(<const double *>x, <double *>out, self.pixels, self.channels, first, end)
            task = fc_take_task(queue, thread)


cdef void copy(const char *x, ptrdiff_t pixel, char *out, ptrdiff_t stride, ptrdiff_t pixels) noexcept nogil:
    """Pixels side by side to others that are `stride` bytes apart."""
    cdef ptrdiff_t i
    if stride == pixel:
        memcpy(out, x, pixels * pixel)
        return
    for i in range(pixels):
        memcpy(out + i * stride, x + i * pixel, pixel)


cdef void fill(value *out, value what, ptrdiff_t n) noexcept nogil:
    cdef ptrdiff_t i
    for i in range(n):
        out[i] = what


cdef void transpose(
    const value *x, value *out, ptrdiff_t pixels, ptrdiff_t channels, ptrdiff_t first, ptrdiff_t end
) noexcept nogil:
    cdef ptrdiff_t channel, pixel
    for pixel in range(pixels):
        for channel in range(first, end):
            out[channel * pixels + pixel] = x[pixel * channels + channel]
