"""The algorithms, fastest first, and the choice between them: it looks at the shape, never at batch or thread count.

An algorithm is an object with a `name`; `reason_against(shape)`, None where it is usable; `pays(shape)`, whether "auto"
takes it; `multiplications(shape)`, those really done; `pack(weight, bias, groups)`, what a plan keeps; and
`bind(shape, packed, activation)`, which returns a runner: `tile`, `workspace_bytes` for each thread,
`run(x, residual, out, out_stride, workspace, team)` on NHWC arrays.
"""

from fastconv import _direct, _shapes, _transforms, _winograd


class _Direct:
    name = "direct"

    def reason_against(self, shape):
        return None

    def pays(self, shape):
        return True

    def multiplications(self, shape):
        return shape.macs

    def pack(self, weight, bias, groups):
        return _direct.pack(weight, groups), _direct.pack_bias(bias, groups, *weight.shape[2:], weight.dtype)

    def bind(self, shape, packed, activation):
        return _direct.Direct(shape, *packed, activation)


class _Blas:
    name = "blas"

    def reason_against(self, shape):
        return None if shape.is_pointwise else "is for 1×1 convolutions without padding or groups"

    def pays(self, shape):
        return False  # direct measured faster everywhere

    def multiplications(self, shape):
        return shape.macs

    def pack(self, weight, bias, groups):
        self._module()  # now, since a later import in one thread could be cut in half by a fork in another
        return weight.reshape(weight.shape[2:]).copy(), None if bias is None else bias.copy()

    def bind(self, shape, packed, activation):
        return self._module().Blas(shape, *packed, activation)

    def _module(self):
        from fastconv import _blas  # imports scipy, which a user of the other algorithms need not load

        return _blas


class _Winograd:
    name = "winograd"

    def __init__(self, transform):
        self.transform = transform

    def reason_against(self, shape):
        if shape.kernel not in ((3, 3), (5, 5)) or shape.stride != (1, 1) or shape.dilation != (1, 1):
            return "is for 3×3 and 5×5 convolutions of stride and dilation 1"
        return None if shape.kernel[0] == self.transform.kernel else f"{self.transform} is for another kernel"

    def pays(self, shape):
        return False

    def multiplications(self, shape):
        rows, cols = self.transform.tiles(shape)
        products = self.transform.points**2 * shape.in_channels // shape.groups * shape.out_channels
        return shape.batch * rows * cols * products

    def pack(self, weight, bias, groups):
        return _winograd.pack(weight, bias, groups, self.transform)

    def bind(self, shape, packed, activation):
        return _winograd.Winograd(shape, *packed, activation, self.transform)


ALGORITHMS = (
    _Winograd(_transforms.F4X3),
    _Winograd(_transforms.F2X3),
    _Winograd(_transforms.F2X5),
    _Direct(),
    _Blas(),
)
NAMES = ("auto", *dict.fromkeys(algorithm.name for algorithm in ALGORITHMS))


def choose(name, shape):
    """The first algorithm called `name`, any for "auto", that can do `shape` and pays; else the first that can."""
    _shapes.one_of("algorithm", name, NAMES)
    named = [algorithm for algorithm in ALGORITHMS if name in ("auto", algorithm.name)]
    usable = [algorithm for algorithm in named if algorithm.reason_against(shape) is None]
    if not usable:
        raise ValueError(f'algorithm "{name}" {named[0].reason_against(shape)}')
    return next((algorithm for algorithm in usable if algorithm.pays(shape)), usable[0])
