"""OpenVINO, in float32: it computes in bfloat16 where the CPU has it, unless told otherwise."""


def version():
    import openvino

    return openvino.__version__.partition("-")[0]


def prepare(model, threads):
    import openvino as ov

    core = ov.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(core.read_model(model.onnx()), "CPU", settings).create_infer_request()
    request.set_input_tensor(ov.Tensor(model.x))
    return request.infer, lambda: request.get_output_tensor().data
