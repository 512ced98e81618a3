"""The algorithms, fastest first, and the choice between them: it looks at the shape, never at batch or thread count.

An algorithm is an object with a `name`; `reason_against(shape)`, None where it is usable; `pack(weight, bias, groups)`,
what a plan keeps; and `bind(shape, packed, activation)`, which returns a runner: `tile`, `workspace_bytes` for each
thread, `run(x, residual, out, out_stride, workspace, team)` on NHWC arrays.
"""

from fastconv import _direct, _shapes


class _Direct:
    name = "direct"

    def reason_against(self, shape):
        return None

    def pack(self, weight, bias, groups):
        return _direct.pack(weight, groups), _direct.pack_bias(bias, groups, *weight.shape[2:], weight.dtype)

    def bind(self, shape, packed, activation):
        return _direct.Direct(shape, *packed, activation)


class _Blas:
    name = "blas"

    def reason_against(self, shape):
        return None if shape.is_pointwise else "is for 1×1 convolutions without padding or groups"

    def pack(self, weight, bias, groups):
        self._module()  # now, since a later import in one thread could be cut in half by a fork in another
        return weight.reshape(weight.shape[2:]).copy(), None if bias is None else bias.copy()

    def bind(self, shape, packed, activation):
        return self._module().Blas(shape, *packed, activation)

    def _module(self):
        from fastconv import _blas  # imports scipy, which a user of the other algorithms need not load

        return _blas


ALGORITHMS = {algorithm.name: algorithm for algorithm in (_Direct(), _Blas())}
NAMES = ("auto", *ALGORITHMS)


def choose(name, shape):
    """The algorithm called `name` if it can do `shape`, the first that can for "auto"."""
    if name == "auto":
        return next(a for a in ALGORITHMS.values() if a.reason_against(shape) is None)
    algorithm = ALGORITHMS[_shapes.one_of("algorithm", name, NAMES)]
    reason = algorithm.reason_against(shape)
    if reason:
        raise ValueError(f'algorithm "{name}" {reason}')
    return algorithm
