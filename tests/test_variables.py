import threading

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import use_backend
from portanet.variables import Variable, bind
from tests.support import asarray, assert_close, assert_equal


def make(backend, values=(1.0, 2.0), name="w"):
    return Variable(list(values), name=name)


def test_value_and_assign(backend):
    v = make(backend)
    assert_equal(v.value, [1.0, 2.0])
    v.assign(asarray([3.0, 4.0]))
    assert_equal(v.value, [3.0, 4.0])


def test_assign_of_another_shape_is_refused(backend):
    v = make(backend)
    with pytest.raises(ValueError, match=r"shape \(2,\).*Received: \(3,\)"):
        v.assign(asarray([1.0, 2.0, 3.0]))
    assert_equal(v.value, [1.0, 2.0])


def test_bound_values_hold_inside_the_block_only(backend):
    v = make(backend)
    with bind({v: asarray([5.0, 6.0])}) as bound:
        assert_equal(v.value, [5.0, 6.0])
        v.assign(asarray([7.0, 8.0]))
        assert_equal(bound[v], [7.0, 8.0])
    assert_equal(v.value, [1.0, 2.0])


def test_inner_binding_wins_and_the_outer_comes_back(backend):
    a, b = make(backend), make(backend, name="b")
    with bind({a: asarray([5.0, 6.0]), b: asarray([0.0, 0.0])}):
        with bind({a: asarray([9.0, 9.0])}):
            assert_equal(a.value, [9.0, 9.0])
            assert_equal(b.value, [0.0, 0.0])
        assert_equal(a.value, [5.0, 6.0])


def test_other_threads_do_not_see_a_binding(backend):
    v = make(backend)
    seen = []
    with bind({v: asarray([5.0, 6.0])}):
        thread = threading.Thread(target=lambda: seen.append(v.value))
        thread.start()
        thread.join()
    assert_equal(seen[0], [1.0, 2.0])


def test_numpy_gives_a_copy(backend):
    v = make(backend)
    v.numpy()[:] = 9
    assert_equal(v.value, [1.0, 2.0])


def test_size_and_bytes(backend):
    v = Variable([[1.0, 2.0, 3.0]], name="w")
    assert (v.size, v.nbytes) == (3, 12)


@pytest.mark.parametrize("value", [[3, 4], np.asarray([3.0, 4.0]), np.asarray([3, 4], dtype="int64"), (3.0, 4.0)])
def test_data_of_the_host_is_converted(value, backend):
    v = make(backend)
    v.assign(value)
    assert_equal(v.value, [3.0, 4.0])
    with bind({v: asarray([5.0, 6.0])}) as bound:
        v.assign(value)
        assert_equal(bound[v], [3.0, 4.0])
    if not isinstance(value, (list, tuple)) and backend.name != "numpy":
        v.assign(np.asarray(value, dtype="float64"))
        assert_equal(v.value, [3.0, 4.0])


@pytest.mark.parametrize("value", [None, "a", ["a", "b"], object()])
def test_what_is_not_numeric_is_not_assigned(value, backend):
    v = make(backend)
    with pytest.raises(TypeError, match=r"The value of variable 'w' must be numeric .*Received: "):
        v.assign(value)
    assert_equal(v.value, [1.0, 2.0])


def test_an_array_of_another_library_is_converted():
    torch = pytest.importorskip("torch")
    with use_backend("numpy") as backend:
        v = make(backend)
        v.assign(torch.asarray([3.0, 4.0]))
        assert_equal(v.value, [3.0, 4.0])
        v.assign(v.value[:1].repeat(2))
        assert_equal(v.value, [3.0, 3.0])


def test_set_weights_says_what_it_takes(backend):
    model = portanet.Sequential([layers.Dense(1)])
    with pytest.raises(ValueError, match=r"has no weights yet; give the model an Input, .*Received: 1 arrays"):
        model.set_weights([np.ones((3, 1))])
    model.build((None, 3))
    before = model.get_weights()
    for weights, message in (
        (None, r"Argument `weights` of layer 'sequential' must be a list of arrays\. Received: None"),
        ([np.ones((3, 1))], r"has 2 weights; pass as many\. Received: 1 arrays"),
        ([np.ones((3, 1)), np.ones(2)], r"Weight 'dense/bias' has shape \(1,\); pass an array of that shape"),
        ([np.ones((3, 1)), ["a"]], r"Weight 'dense/bias' takes numbers\. Received: "),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            model.set_weights(weights)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_values_as_keras_takes_them(backend):
    values = asarray([1.0, 2.0])
    v = Variable(values, name="v")
    v.assign_add([1.0, 1.0])
    assert_equal(values, [1.0, 2.0])  # which is another array
    assert_equal(v.value, [2.0, 3.0])
    assert_equal(Variable("ones", (2, 1)).value, [[1.0], [1.0]])
    assert_equal(Variable(lambda shape, dtype: np.full(shape, 7.0, dtype), shape=(2,)).value, [7.0, 7.0])
    counter = Variable(3)
    assert backend.dtype_name(counter.dtype) == "int32"
    assert not counter.trainable
    assert Variable(0.5).trainable
    assert not Variable(0.5, trainable=False).trainable
    with pytest.raises(ValueError, match="Argument `shape` of Variable must be a shape"):
        Variable("zeros")


def test_numpy_arrays_are_operands_on_any_backend(backend):
    v = Variable([1.0, 2.0])
    host = np.asarray([3.0, 4.0], dtype="float32")
    for result, expected in ((v * host, [3, 8]), (host - v, [2, 2])):
        assert_close(result, np.asarray(expected, dtype="float32"))


class Scaled(layers.Layer):
    """Variables in an attribute, in a list and in a dict."""

    def __init__(self):
        super().__init__()
        self.scale = Variable(2.0, name="scale")
        self.steps = [Variable([1.0, 1.0], name="step"), Variable([0.0, 0.0], name="step")]
        self.state = {"count": Variable(0.0, trainable=False)}

    def call(self, x):
        self.state["count"].assign_add(1.0)
        return x * self.scale + self.steps[0] * 3 + self.steps[1]


def test_variables_in_attributes_are_trained_and_saved(backend, tmp_path):
    model = portanet.Sequential([layers.Input((2,)), Scaled()])
    layer = model.layers[0]
    assert list(layer.named_variables()) == ["scale", "steps_0", "steps_1", "state_count"]
    assert layer.trainable_variables == [layer.scale, *layer.steps]
    before = layer.get_weights()
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.zeros((4, 2)), batch_size=2, verbose=0)
    assert all((old != new).all() for old, new in zip(before, layer.get_weights(), strict=True))
    assert_close(layer.state["count"].value, np.float32(2))
    model.save_weights(str(tmp_path / "w.safetensors"))
    other = portanet.Sequential([layers.Input((2,)), Scaled()])
    other.load_weights(str(tmp_path / "w.safetensors"))
    assert_close(other.layers[0].scale.value, layer.scale.value)


def test_what_was_assigned_is_not_trained(backend):
    """As for the second network of Q-learning, which keeps the weights until it gets new ones."""

    def network():
        return portanet.Sequential([layers.Input((2,)), layers.Dense(1)])

    trained, kept = network(), network()
    own = portanet.asarray(np.ones((2, 1)))
    trained.layers[0].kernel.assign(own)
    for variable, other in zip(kept.variables, trained.variables, strict=True):
        variable.assign(other)
    trained.compile("sgd", "mse")
    trained.train_on_batch(np.ones((4, 2), dtype="float32"), np.zeros((4, 1), dtype="float32"))
    assert not np.any(trained.get_weights()[0] == 1)
    assert np.all(backend.to_host(own) == 1)
    assert np.all(kept.get_weights()[0] == 1)


@pytest.mark.parametrize(
    ("dtype", "name"), [(int, "int32"), ("int", "int32"), (float, "float32"), (bool, "bool"), (np.float32, "float32")]
)
def test_dtypes_of_python_and_numpy(dtype, name, backend):
    made = Variable([0, 1], dtype=dtype)
    weight = layers.Layer().add_weight((2,), "zeros", dtype=dtype, trainable=False)
    declared = layers.Input((2,), dtype=dtype).dtype
    assert [backend.dtype_name(each) for each in (made.dtype, weight.dtype, declared)] == [name] * 3
