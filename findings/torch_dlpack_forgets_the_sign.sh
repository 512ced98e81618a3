#!/usr/bin/env bash
# Expected: a torch tensor that is a view with a delayed sign or conjugate is exported by DLPack with its values, or not
#   at all: a delayed conjugate raises ("Can't export tensors with the conjugate bit set").
# What happens: the delayed sign passes: x.conj().imag is such a view, and numpy.from_dlpack of it has the opposite sign
#   in every value, without a word; torch.from_dlpack too. .numpy() raises for it and names resolve_neg(), and what
#   torch itself computes with the view is right.
# Why it matters: correlation by FFT multiplies by a conjugate, and its imaginary part is -sin(…) of the other: handed to
#   NumPy, CuPy or a compiled kernel by DLPack the phase turns the other way. Call resolve_neg() before.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import torch

print("torch", torch.__version__, "numpy", np.__version__)
x = torch.tensor([1 + 2j, 3 - 4j, 0.5j])
view = x.conj().imag
assert view.is_neg() and view.tolist() == [-2, 4, -0.5] and (view + 0).tolist() == [-2, 4, -0.5]
exported, own = np.from_dlpack(view), torch.from_dlpack(view)
print("x.conj().imag in torch", view.tolist(), "NumPy by DLPack", exported, "torch by DLPack", own.tolist())
assert exported.tolist() == [2, -4, 0.5] == own.tolist()
assert np.from_dlpack(view.resolve_neg()).tolist() == view.tolist()
for name, function in (("conjugate by DLPack", lambda: np.from_dlpack(x.conj())), ("view.numpy()", view.numpy)):
    try:
        function()
        raise SystemExit(f"{name} does not raise any more")
    except (BufferError, RuntimeError) as error:
        print(f"{name} raises:", str(error).splitlines()[0])

# the imaginary part of a correlation's spectrum
image, kernel = torch.arange(8.0), torch.tensor([1.0, 2, 0, 0, 0, 0, 0, 0])
spectrum = (torch.fft.fft(kernel) * torch.fft.fft(image).conj()).conj().imag
right = (np.fft.fft(kernel.numpy()) * np.fft.fft(image.numpy()).conj()).conj().imag
assert np.allclose(spectrum.tolist(), right, atol=1e-4) and np.allclose(np.from_dlpack(spectrum), -right, atol=1e-4)
EOF
