"""Files: every encoding of an initializer, damaged files, and what is refused, by name."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import FLOAT, assert_close, by_onnxruntime, model, one

import fastconv

RNG = np.random.default_rng(1)
X = RNG.standard_normal((2, 3, 8, 9), np.float32)
WEIGHT = RNG.standard_normal((4, 3, 3, 3), np.float32)


def conv(weight=WEIGHT, **options):
    return model([("Conv", "x w", "y", {})], {"w": weight}, **options)


def test_every_way_to_give_a_model(tmp_path):
    proto = conv()
    path = tmp_path / "model.onnx"
    onnx.save(proto, path)
    wanted = by_onnxruntime(proto, X)
    for given in proto, proto.SerializeToString(), bytearray(path.read_bytes()), path, str(path):
        assert_close(fastconv.onnx.load(given)(X), wanted)
    with pytest.raises(TypeError, match="model must be a path, bytes or a ModelProto, got int"):
        fastconv.onnx.load(3)
    with pytest.raises(FileNotFoundError):
        fastconv.onnx.load(tmp_path / "none.onnx")


def test_external_data(tmp_path):
    proto, path = conv(), tmp_path / "model.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="model.data", size_threshold=0)
    assert_close(fastconv.onnx.load(path)(X), by_onnxruntime(conv(), X))
    with pytest.raises(ValueError, match="initializer 'w' lies in a file of its own"):
        fastconv.onnx.load(path.read_bytes())
    data = tmp_path / "model.data"
    data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"initializer 'w'.*cannot be read"):
        fastconv.onnx.load(path)
    data.unlink()
    with pytest.raises(ValueError, match=r"initializer 'w' cannot be read from 'model\.data': there is no such file"):
        fastconv.onnx.load(path)


def test_external_data_stays_inside_its_folder(tmp_path):
    (tmp_path / "secret").write_bytes(WEIGHT.tobytes())
    (tmp_path / "models").mkdir()
    proto, path = conv(), tmp_path / "models" / "model.onnx"
    (tensor,) = proto.graph.initializer
    onnx.external_data_helper.set_external_data(tensor, "../secret")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ValueError, match="initializer 'w' cannot be read"):
        fastconv.onnx.load(path)


def sparse(array, is_by_row):
    places = np.argwhere(array) if is_by_row else np.flatnonzero(array)
    values = numpy_helper.from_array(array[array != 0], "w")
    return helper.make_sparse_tensor(values, numpy_helper.from_array(places.astype(np.int64), "i"), array.shape)


@pytest.mark.parametrize("is_by_row", [False, True])
def test_sparse_weights(is_by_row):
    weight = np.where(WEIGHT > 0.8, WEIGHT, 0)
    wanted = by_onnxruntime(conv(weight), X)
    nodes = [("Conv", "x w", "y", {})]
    assert_close(fastconv.onnx.load(model(nodes, {}, sparse=[sparse(weight, is_by_row)]))(X), wanted)
    constant = helper.make_node("Constant", [], ["w"], sparse_value=sparse(weight, is_by_row))
    assert_close(fastconv.onnx.load(model([(constant, None, None, None), *nodes], {}))(X), wanted)


def test_sparse_indices_outside():
    bad = sparse(WEIGHT, False)
    bad.dims[0] = 3
    with pytest.raises(ValueError, match=r"initializer 'w' of shape .* has indices outside"):
        fastconv.onnx.load(model([("Conv", "x w", "y", {})], {}, sparse=[bad]))


@pytest.mark.parametrize("element", [TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.INT4, TensorProto.DOUBLE])
def test_weights_of_other_types(element):
    weight = np.clip(np.round(WEIGHT * 2), -8, 7)
    tensor = helper.make_tensor("h", element, WEIGHT.shape, weight.ravel())
    proto = model([("Cast", "h", "w", {"to": FLOAT}), ("Conv", "x w", "y", {})], {"h": tensor}, opset=21)
    assert_close(fastconv.onnx.load(proto)(X), by_onnxruntime(conv(weight), X))


def test_raw_data_goes_first():
    tensor = numpy_helper.from_array(WEIGHT, "w")
    tensor.float_data.extend([0.0] * WEIGHT.size)
    assert_close(fastconv.onnx.load(model([("Conv", "x w", "y", {})], {"w": tensor}))(X), by_onnxruntime(conv(), X))


def test_shared_initializers_stay_as_they_are():
    """A norm is folded into a convolution whose weight another one has too."""
    vector = np.abs(RNG.standard_normal(4, np.float32)) + 1
    nodes = [
        ("Conv", "x w v", "a", {}),
        ("BatchNormalization", "a v v v v", "b", {}),
        ("Conv", "x w v", "c", {}),
        ("Concat", "b c", "y", {"axis": 1}),
    ]
    proto = model(nodes, {"w": WEIGHT, "v": vector})
    before = proto.SerializeToString()
    net = fastconv.onnx.load(proto)
    for _ in range(2):
        assert_close(net(X), by_onnxruntime(proto, X))
    assert proto.SerializeToString() == before
    assert not net.graph.constants["w"].flags.writeable


def test_an_initializer_that_is_an_input_may_be_fed():
    proto = conv()
    proto.graph.input.append(helper.make_tensor_value_info("w", FLOAT, WEIGHT.shape))
    net = fastconv.onnx.load(proto)
    assert_close(net(X), by_onnxruntime(conv(), X))
    assert_close(net({"x": X, "w": 2 * WEIGHT}), by_onnxruntime(conv(2 * WEIGHT), X))
    assert_close(net({"x": X}), by_onnxruntime(conv(), X))


def test_local_functions():
    text = """<ir_version: 8, opset_import: ["" : 18, "mine" : 1]>
        agraph (float[N] x) => (float[N] y) { y = mine.twice(x) }
        <domain: "mine", opset_import: ["" : 18]> twice (a) => (b) { b = Add(a, a) }"""
    net = fastconv.onnx.load(onnx.parser.parse_model(text))
    np.testing.assert_equal(net(np.ones(3, np.float32)), np.full(3, 2, np.float32))


def test_nodes_in_any_order():
    proto = model([("Relu", "a", "y", {}), ("Neg", "x", "a", {})], {})
    np.testing.assert_equal(fastconv.onnx.load(proto)(-X), np.maximum(X, 0))


def changed(proto, change):
    change(proto)
    return proto


BAD = {
    "no file": (lambda: b"no model", "model is not an ONNX file, or is damaged"),
    "empty": (lambda: b"", "model is not an ONNX file, or is damaged: it has no graph"),
    "truncated": (lambda: conv().SerializeToString()[:200], "model is not an ONNX file, or is damaged"),
    "cycle": (lambda: model([("Add", "x b", "a", {}), ("Relu", "a", "b", {})], {}, outputs=["b"]),
              "Add 'a': it reads what is made of its own result"),
    "opset": (lambda: conv(opset=999), "the model has opset 999, known are 7 to"),
    "old": (lambda: conv(opset=6), "the model has opset 6, known are 7 to"),
    "no opset": (lambda: changed(conv(), lambda m: m.ClearField("opset_import")), "the model names no opset"),
    "operator": (lambda: model([("Conf", "x", "y", {})], {}), "Conf 'y': there is no such operator in opset 20"),
    "domain": (lambda: model([("Conv", "x", "y", {"domain": "com.mine"})], {}),
             "Conv 'y': fastconv does not know its domain"),
    "no longer": (lambda: model([("Upsample", "x w", "y", {})], {"w": WEIGHT}),
             "Upsample 'y': the operator is no longer"),
    "inputs": (lambda: model([("Conv", "x", "y", {})], {}), "Conv 'y': it must have 2 to 3 inputs, got 1"),
    "undefined": (lambda: model([("Relu", "z", "y", {})], {}), "Relu 'y': its input 'z' is not there"),
    "twice": (lambda: model([("Relu", "x", "y", {}), ("Neg", "x", "y", {})], {}),
             "Neg 'y': its output 'y' is that of Relu"),
    "output": (lambda: model([("Relu", "x", "y", {})], {}, outputs=["z"]), "output 'z' of the model is not computed"),
    "attribute": (lambda: model([("Relu", "x", "y", {"slope": 1})], {}), "Relu 'y': it has no attribute 'slope'"),
    "type": (lambda: one("Softmax", X, axis=1.5), "Softmax 'y0': attribute 'axis' must be of type INT, got FLOAT"),
    "missing": (lambda: one("MaxPool", X), "MaxPool 'y0': attribute 'kernel_shape' is missing"),
    "data": (lambda: changed(conv(), lambda m: m.graph.initializer[0].dims.append(7)), "initializer 'w' of shape"),
    "element": (lambda: changed(conv(), lambda m: setattr(m.graph.initializer[0], "data_type", 77)),
             "initializer 'w' has the element type 77"),
    "control flow": (lambda: model([("Loop", "x", "y", {"body": conv().graph})], {}),
             "Loop 'y': control flow is not supported"),
    "no code": (lambda: one("MaxRoiPool", X, np.zeros((1, 5), np.float32), pooled_shape=[2, 2]),
             "MaxRoiPool 'y0': neither fastconv nor onnx.reference has code for this operator"),
    "no code of a domain": (lambda: changed(model([("CategoryMapper", "x", "y", {"domain": "ai.onnx.ml"})], {}),
             lambda m: m.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))),
             "CategoryMapper 'y': neither fastconv nor onnx.reference has code for this operator"),
    "training": (lambda: model([("Adam", "x x x x x x", "y", {"domain": "ai.onnx.preview.training"})], {}),
             "Adam 'y': it is an operator of training"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files(name):
    make, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        fastconv.onnx.load(make())


def test_what_does_not_fit_is_told_in_a_call():
    with pytest.raises(ValueError, match=r"Conv 'y0': its weights of shape \(4, 3, 3, 3\) in 1 groups take 3 channels"):
        fastconv.onnx.load(one("Conv", X, WEIGHT))(np.ones((1, 5, 8, 8), np.float32))
    with pytest.raises(ValueError, match="MatMul 'y0': its matrix takes 4 values"):
        fastconv.onnx.load(one("MatMul", X, np.ones((4, 2), np.float32)))(X)
    with pytest.raises(ValueError, match="Reshape 'y0': an input of shape"):
        fastconv.onnx.load(one("Reshape", X, np.array([5, -1])))(X)
    with pytest.raises(ValueError, match="Concat 'y'"):
        fastconv.onnx.load(model([("Relu", "x", "a", {}), ("MaxPool", "x", "b", {"kernel_shape": [2, 2]}),
                                  ("Concat", "a b", "y", {"axis": 1})], {}))(X)  # fmt: skip


@pytest.mark.parametrize("kind", ["QuantizeLinear", "DynamicQuantizeLinear"])
def test_quantised_networks_are_refused(kind):
    constants = [np.float32(1)] if kind == "QuantizeLinear" else []
    outputs = 1 if kind == "QuantizeLinear" else 3
    with pytest.raises(ValueError, match=f"{kind} 'y0': it is an operator of quantised networks"):
        fastconv.onnx.load(one(kind, X, *constants, outputs=outputs))


def test_training_is_refused():
    vectors = [np.ones(3, np.float32)] * 4
    with pytest.raises(ValueError, match="BatchNormalization 'y0': training_mode is set"):
        fastconv.onnx.load(one("BatchNormalization", X, *vectors, training_mode=1, outputs=3))(X)
    nodes = [
        ("ReduceMean", "x", "mean", {"axes": [0, 2, 3], "keepdims": 0}),
        ("BatchNormalization", "x s s s s", "y m v sm sv", {}),
        ("BatchNormalization", "x s s mean s", "z m2 v2 sm2 sv2", {}),  # PyTorch's of a norm without statistics
    ]
    for result in "yz":  # by a graph, and by NumPy
        proto = model(nodes, {"s": vectors[0]}, outputs=[result], opset=11)
        with pytest.raises(ValueError, match=f"BatchNormalization '{result}': its outputs .* are those of training"):
            fastconv.onnx.load(proto)(X)
    with pytest.raises(ValueError, match="Dropout 'y0': training_mode is set"):
        fastconv.onnx.load(one("Dropout", X, np.float32(0.5), np.array(True)))(X)
    assert (fastconv.onnx.load(one("Dropout", X, np.float32(0.5)))(X) == X).all()


def test_strict_refuses_what_fastconv_has_no_code_for():
    proto = one("Atan", X)
    assert_close(fastconv.onnx.load(proto)(X), by_onnxruntime(proto, X))
    with pytest.raises(ValueError, match="Atan 'y0': fastconv has no code for this operator"):
        fastconv.onnx.load(proto, strict=True)
    of_constants = model([("Atan", "c", "e", {}), ("Add", "x e", "y", {})], {"c": np.float32(0.5)})
    assert_close(fastconv.onnx.load(of_constants, strict=True)(X), by_onnxruntime(of_constants, X))
