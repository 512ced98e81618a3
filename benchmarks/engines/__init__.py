"""The engines that race. Each has a process of its own, `python -m engines NAME THREADS`, and a file of its own here.

Such a file says of which `LIBRARY` it is and has `prepare`, or one function for each way to ask the library. That takes
a `Model` and the number of threads, and returns a call that runs the model once and a function that gives the last
result, NCHW. The interpreter may be one that has neither fastconv nor asv: so a library is imported inside a function,
and nothing is imported of the rest of `benchmarks`, which is not on the path there.
"""

ENGINES = {  # name: its file and the function there
    "fastconv": ("fastconv", "prepare"),
    "fastconv_pool": ("fastconv", "prepare"),
    "fastconv_openmp": ("fastconv", "prepare"),
    "fastconv_onnx": ("fastconv_onnx", "prepare"),
    "torch": ("torch", "eager"),
    "torch_compiled": ("torch", "compiled"),
    "onnxruntime": ("onnxruntime", "prepare"),
    "openvino": ("openvino", "prepare"),
    "ncnn": ("ncnn", "prepare"),
    "mnn": ("mnn", "prepare"),
    "mnn_exact": ("mnn", "exact"),
    "opencv": ("opencv", "prepare"),
}
VARIABLES = {  # of the environment, set before the library is imported
    "fastconv_pool": {"FASTCONV_THREADING": "pool"},
    "fastconv_openmp": {"FASTCONV_THREADING": "openmp"},
    "openvino": {"CI": "true"},  # else its import forks to send telemetry; the child may hang, and outlive its parent
}
