import numpy as np
import pytest

import portanet
from portanet import layers, losses
from portanet.training.objective import Objective
from portanet.training.output_names import named_shapes
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


def test_losses_may_be_nested_as_outputs_are(backend):
    names = [("a/0", (None, 1)), ("a/1", (None, 1)), ("b", (None, 1))]
    settings = {"loss_weights": None, "metrics": None, "weighted_metrics": None}
    for loss in ({"a/0": ["mse"], "b": ["mae"]}, [["mse", None], "mae"]):
        outputs = Objective({**settings, "loss": loss}, names).outputs
        assert [output.loss and output.loss.name for output in outputs] == [
            "mean_squared_error",
            None,
            "mean_absolute_error",
        ]
    nested = [(name, (None, 1)) for name in ("a", "1/b", "1/c")]
    for loss, outputs in (([["mse", None], ["mae", "mse"]], names), (["mse", {"b": "mae", "d": "mae"}], nested)):
        with pytest.raises(ValueError, match="`loss` must be a list with an entry for each output"):
            Objective({**settings, "loss": loss}, outputs)


def test_targets_in_a_dict_in_a_list_are_found_by_name(backend):
    x = portanet.Input((3,))
    a, b, c = (layers.Dense(1)(x) for _ in range(3))
    model = portanet.Model(x, [a, {"b": b, "c": c}])
    model.compile("sgd", "mse")
    logs = model.evaluate(X, [SUM, {"c": 2 * SUM, "b": 3 * SUM}], verbose=0, return_dict=True)
    parts = model.predict(X)[1]
    assert logs["1/b_loss"] == pytest.approx(((parts["b"] - 3 * SUM) ** 2).mean(), rel=1e-5)
    assert logs["1/c_loss"] == pytest.approx(((parts["c"] - 2 * SUM) ** 2).mean(), rel=1e-5)
    for wrong in ({"b": SUM}, {"b": SUM, "d": SUM}):
        with pytest.raises(ValueError, match="`y` must hold an array for each output"):
            model.evaluate(X, [SUM, wrong], verbose=0)


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
    assert [output.loss for output in objective(loss=None).outputs] == [None, None]


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


def single(**options):
    settings = {"loss": "mse", "loss_weights": None, "metrics": None, "weighted_metrics": None, **options}
    return Objective(settings, [("out", (None, 1))])


@pytest.mark.parametrize("metrics", [["mae"], "mae", {"out": "mae"}, {"out": ["mae"]}, [["mae"]], ("mae",)])
@pytest.mark.parametrize("argument", ["metrics", "weighted_metrics"])
def test_metrics_of_one_output(argument, metrics):
    made = single(**{argument: metrics})
    assert list(made.metrics) == ["mae"]
    assert list(getattr(made.outputs[0], argument)) == ["mae"]


def test_no_metrics():
    for empty in (None, [], {}, ()):
        assert list(single(metrics=empty).metrics) == []
        assert list(objective(metrics=empty).metrics) == ["kind_loss", "size_loss"]
    with pytest.raises(ValueError, match="Argument `metrics` must be a list with an entry for each output"):
        single(metrics={"other": "mae"})


def test_names_of_weighted_metrics():
    assert list(single(weighted_metrics=["mse", "mse"]).metrics) == ["mse", "weighted_mse"]
    assert list(single(metrics=["mae"], weighted_metrics=["mse"]).metrics) == ["mae", "mse"]
    assert list(single(metrics=["mae"], weighted_metrics=["mae"]).metrics) == ["mae", "weighted_mae"]
    assert list(single(metrics=["mae", "mae", "mae"]).metrics) == ["mae", "mae_1", "mae_2"]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"loss": (None, "mse")}, [False, True]),
        ({"loss": ("mse", None), "metrics": [None, ["mae"]]}, [True, True]),
        ({"loss": ("mse", None), "weighted_metrics": [None, ["mae"]]}, [True, True]),
        ({"loss": (None, "mse"), "metrics": [[], None]}, [False, True]),
    ],
)
def test_outputs_that_want_targets(options, wanted):
    made = objective(**options)
    assert [output.wants_target for output in made.outputs] == wanted
    due = sum(wanted)
    arranged = made.arrange(list(range(due)))
    assert [entry is not None for entry in arranged] == wanted
    if due == 2:
        with pytest.raises(ValueError, match=r"a list in the order of the outputs.*Received: output_0"):
            made.arrange([1])
        with pytest.raises(ValueError, match="for each output that has a loss or a metric"):
            made.arrange({"kind": 1})
    assert made.arrange({"kind": 1}, "sample_weight") == [1, None]
    assert made.arrange(None, "sample_weight") == [None, None]


def test_targets_of_one_output():
    made = single()
    assert made.arrange(7) == [7]
    assert made.arrange([7]) == [7]
    assert made.arrange({"out": 7}) == [7]
    with pytest.raises(ValueError, match="Received: None"):
        made.arrange(None)
    with pytest.raises(ValueError, match="Received: one array"):
        objective().arrange(7)
    with pytest.raises(ValueError, match="Received: output_0, output_1"):
        made.arrange([1, 2])


def test_shapes_whose_names_do_not_fit():
    assert named_shapes([(None, 3), (None, 1)], ["kind"]) == [("output_0", (None, 3)), ("output_1", (None, 1))]
    assert named_shapes({"a": (None, 3)}, ["kind"]) == [("a", (None, 3))]
    assert named_shapes((None, 3), ["kind"]) == [("kind", (None, 3))]
    assert named_shapes([(None, 3), [(None, 1), (2, 2)]]) == [
        ("output_0", (None, 3)),
        ("output_1/0", (None, 1)),
        ("output_1/1", (2, 2)),
    ]


def test_metrics_are_passed_by_name():
    with pytest.raises(ValueError, match=r"`loss_weights` of compile must be numbers; metrics are passed by .*name"):
        portanet.Sequential([layers.Dense(1)]).compile("sgd", "mse", ["accuracy"])


def test_loss_weights():
    assert [output.weight for output in objective(loss_weights=[2, None]).outputs] == [2.0, 1.0]
    assert [output.weight for output in objective(loss_weights={"size": 0.5}).outputs] == [1.0, 0.5]
    assert single(loss_weights=3).outputs[0].weight == 3.0
    assert single(loss_weights=[3]).outputs[0].weight == 3.0
    assert float(single(loss_weights=3).total([np.asarray(2.0)])) == 6.0
    values = [np.asarray(2.0), np.asarray(5.0)]
    assert float(objective(loss_weights=[2, 1]).total(values)) == 9.0
    assert float(objective(loss=(None, "mse"), loss_weights=[4, 3]).total(values[1:])) == 15.0


def test_an_output_without_targets_may_be_masked(backend):
    words = np.asarray([[1, 2, 0], [3, 0, 0]])
    x = portanet.layers.Input((3,), dtype="int32")
    h = portanet.layers.Embedding(5, 2, mask_zero=True)(x)
    model = portanet.Model(x, [portanet.layers.Dense(1, name="a")(h), portanet.layers.Dense(1, name="b")(h)])
    model.compile("sgd", [None, "mse"], metrics=[None, ["mae"]])
    y = np.ones((2, 3, 1), dtype="float32")
    loss, mae = model.evaluate(words, [y], verbose=0)
    off = (model.predict(words)[1] - y)[words != 0]
    assert loss == pytest.approx((off**2).mean(), rel=1e-5)
    assert mae == pytest.approx(np.abs(off).mean(), rel=1e-5)


class Summed(losses.Loss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        loss = portanet.ops.sum(y_pred)
        return loss if sample_weight is None else loss * 3.0


class Doubled(losses.MeanSquaredError):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return 2.0 * super().__call__(y_true, y_pred, sample_weight)


def test_losses_that_override_call(backend):
    """They say everything, as in Keras: here without targets and with another weighting."""
    model = portanet.Sequential([layers.Input((X.shape[1],)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(portanet.optimizers.SGD(0.1), Summed())
    model.fit(X, SUM, batch_size=len(X), verbose=0)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], -0.1 * X.sum(axis=0), rtol=1e-4)
    ones = np.ones(len(X))
    assert model.evaluate(X, SUM, batch_size=len(X), sample_weight=ones, verbose=0) == pytest.approx(
        3 * float(model.predict(X).sum()), rel=1e-4
    )
    values = []
    for loss in (Doubled(), losses.MeanSquaredError()):
        model.compile("sgd", loss)
        values.append(model.evaluate(X, SUM, sample_weight=ones / 2, verbose=0))
    assert values[0] == pytest.approx(2 * values[1], rel=1e-5)


def test_metrics_of_several_outputs_are_last_in_lists_of_results(backend):
    """As in Keras: the losses in the order of the outputs, then the metrics sorted by name."""
    start = layers.Input((X.shape[1],))
    model = portanet.Model(start, [layers.Dense(1, name="second")(start), layers.Dense(1, name="first")(start)])
    model.compile("sgd", "mse", metrics=[["mse", "mae"], ["mape"]])
    names = ["loss", "second_loss", "first_loss", "first_mape", "second_mae", "second_mse"]
    logs = model.evaluate(X, [SUM, SUM], verbose=0, return_dict=True)
    assert model.evaluate(X, [SUM, SUM], verbose=0) == [logs[name] for name in names]
    logs = model.test_on_batch(X, [SUM, SUM], return_dict=True)
    assert model.train_on_batch(X, [SUM, SUM]) == pytest.approx([logs[name] for name in names], rel=1e-5)
    model.compile("sgd", ["mse", "mae"], metrics=None)
    assert len(model.evaluate(X, [SUM, SUM], verbose=0)) == 3


@pytest.mark.parametrize("custom", [False, True])
def test_losses_of_outputs_in_a_dict_are_listed_in_the_order_of_the_losses(custom, backend):
    """As in Keras; of outputs in a list, in the order of these."""

    class Custom(portanet.Model):
        def train_step(self, data):
            return super().train_step(data)

    start, names = layers.Input((X.shape[1],)), ["first", "second"]
    outs = {name: layers.Dense(1, name=name)(start) for name in names}
    y = dict.fromkeys(names, SUM)
    for outputs, order in ((outs, ["second", "first"]), (list(outs.values()), names)):
        model = (Custom if custom else portanet.Model)(start, outputs)
        model.compile("sgd", {"second": "mse", "first": "mae"})
        logs = model.evaluate(X, y, verbose=0, return_dict=True)
        assert model.evaluate(X, y, verbose=0) == [logs["loss"], *(logs[f"{name}_loss"] for name in order)]
        logs = model.test_on_batch(X, y, return_dict=True)
        assert model.test_on_batch(X, y) == [logs["loss"], *(logs[f"{name}_loss"] for name in order)]
