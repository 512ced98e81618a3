from fastconv.conv import Conv2d
from fastconv.functional import conv2d, pointwise
