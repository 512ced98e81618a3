"""OpenCV 5's new engine of its module dnn."""


def version():
    import cv2

    if not hasattr(cv2.dnn, "ENGINE_NEW"):
        raise ImportError(f"OpenCV {cv2.__version__} has no new engine: 5 or later does")
    return cv2.__version__


def prepare(model, threads):
    import cv2

    cv2.setNumThreads(threads)
    net = cv2.dnn.readNetFromONNX(str(model.onnx()), cv2.dnn.ENGINE_NEW)
    last = []

    def run():
        net.setInput(model.x)
        last[:] = [net.forward()]

    return run, lambda: last[0].reshape(model.y_shape)
