"""The dtypes that fastconv computes in."""

import numpy as np
import torch

FLOATS: dict[torch.dtype, np.dtype] = {torch.float32: np.dtype(np.float32), torch.float64: np.dtype(np.float64)}
