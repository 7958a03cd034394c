import numpy as np
import pytest

import portanet
from portanet import losses
from portanet.training.objective import Objective, named_shapes
from tests.training.models import Blend, TwoHeads, rows

SHAPES = [("kind", (None, 3)), ("size", (None, 1))]
X, SUM = rows()
KIND = np.arange(20) % 3


def objective(loss=("sparse_categorical_crossentropy", "mse"), **options):
    settings = {"loss_weights": None, "metrics": None, "weighted_metrics": None, "loss": loss, **options}
    return Objective({**settings, "loss": list(loss) if isinstance(loss, tuple) else loss}, SHAPES)


def test_outputs_of_a_dict_have_its_names(backend):
    model = TwoHeads(by_name=True)
    model.compile("sgd", {"kind": "sparse_categorical_crossentropy", "size": "mse"}, metrics={"kind": ["accuracy"]})
    history = model.fit(X, {"size": SUM, "kind": KIND}, verbose=0, validation_split=0.5).history
    names = ["loss", "kind_loss", "size_loss", "kind_accuracy"]
    assert list(history) == names + [f"val_{name}" for name in names]
    assert history["loss"][0] == pytest.approx(history["kind_loss"][0] + history["size_loss"][0], rel=1e-5)
    p = model.predict(X, batch_size=6)
    assert {name: part.shape for name, part in p.items()} == {"kind": (20, 3), "size": (20, 1)}


def test_outputs_of_a_list_have_numbers(backend):
    model = TwoHeads()
    losses = ["sparse_categorical_crossentropy", "mse"]
    model.compile("sgd", losses, loss_weights=[0.5, 2.0], metrics=["accuracy", None])
    logs = model.evaluate(X, [KIND, SUM], verbose=0, return_dict=True)
    kind, size = model.predict(X)
    expected = -np.log(kind[np.arange(20), KIND]).mean(), ((size - SUM) ** 2).mean()
    assert list(logs) == ["loss", "output_0_loss", "output_1_loss", "output_0_accuracy"]
    assert logs["output_0_loss"] == pytest.approx(expected[0], rel=1e-5)
    assert logs["output_1_loss"] == pytest.approx(expected[1], rel=1e-5)
    assert logs["loss"] == pytest.approx(0.5 * expected[0] + 2 * expected[1], rel=1e-5)


def test_weights_of_examples_for_each_output(backend):
    model = TwoHeads(by_name=True)
    model.compile("sgd", {"kind": "sparse_categorical_crossentropy", "size": "mse"})
    weight = {"size": np.linspace(0, 1, 20)}
    logs = model.evaluate(X, {"size": SUM, "kind": KIND}, sample_weight=weight, verbose=0, return_dict=True)
    p = model.predict(X)
    squares = ((p["size"] - SUM) ** 2)[:, 0]
    assert logs["size_loss"] == pytest.approx((squares * weight["size"]).mean(), rel=1e-5)
    assert logs["kind_loss"] == pytest.approx(-np.log(p["kind"][np.arange(20), KIND]).mean(), rel=1e-5)


def test_an_output_without_a_loss_needs_no_targets(backend):
    model = TwoHeads()
    model.compile("sgd", [None, "mse"])
    before = model.predict(X)
    model.fit(X, [SUM], verbose=0)
    after = model.predict(X)
    assert not np.array_equal(before[1], after[1])


def test_several_inputs(backend):
    a, b = X, np.cos(X[:, :2])
    model = Blend()
    model.compile(portanet.optimizers.Adam(0.1), "mse")
    history = model.fit([a, b], SUM, epochs=30, verbose=0, validation_split=0.2).history
    assert history["val_loss"][-1] < 0.1 * history["val_loss"][0]
    assert model.predict([a, b], batch_size=7).shape == (20, 1)


def test_metrics_of_the_same_name_are_numbered():
    made = objective(metrics=[["mse", "mse"], None], weighted_metrics=[["mse"], []])
    assert list(made.metrics)[2:] == [
        "kind_mse",
        "kind_mse_1",
        "kind_weighted_mse",
    ]


def test_shapes_by_name():
    assert named_shapes((None, 3)) == [("output", (None, 3))]
    assert named_shapes([(None, 3), (None, 1)], ["kind", "size"]) == SHAPES
    assert named_shapes({"a": [(2, 1), (2, 2)]}) == [("a/0", (2, 1)), ("a/1", (2, 2))]


@pytest.mark.parametrize("argument", ["loss", "loss_weights", "metrics", "weighted_metrics"])
@pytest.mark.parametrize("given", [["mse"], ["mse"] * 3, {"kin": "mse"}])
def test_arguments_that_do_not_fit_the_outputs(argument, given):
    with pytest.raises(
        ValueError, match=rf"Argument `{argument}` must be a list with an entry for each.*'kind', 'size'"
    ):
        objective(**{argument: given})


def test_no_loss_at_all():
    with pytest.raises(ValueError, match="names no loss for any output"):
        objective(loss=(None, None))


@pytest.mark.parametrize("y", [[1], [1, 2, 3], {"kind": 1}, {"kind": 1, "size": 2, "extra": 3}, None, 5])
def test_targets_that_do_not_fit_the_outputs(y):
    with pytest.raises(
        ValueError, match=r"Argument `y` must hold an array for each output.*'kind', 'size'. Received: "
    ):
        objective().arrange(y)


def test_one_loss_counts_for_every_output():
    made = objective(loss=losses.MeanSquaredError())
    assert [type(output.loss).__name__ for output in made.outputs] == ["MeanSquaredError"] * 2
    assert made.arrange({"size": 2, "kind": 1}) == [1, 2]
    assert made.arrange(7, "sample_weight") == [7, 7]
