"""Steps that are recorded and replayed, with a library that replays calls in place of CUDA graphs."""

from __future__ import annotations

import dataclasses
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from portanet.backends import constant, graphs, raw_namespace
from portanet.backends.base import Backend
from portanet.backends.recording import recording
from tests.recorded.backend import FakeGraphs, use_recorded


@pytest.fixture
def recorded() -> Iterator[Backend]:
    with use_recorded() as backend:
        FakeGraphs.launches[0] = 0
        yield backend


class Step:
    """A step that counts how often its Python runs."""

    def __init__(self, function: Callable[..., Any], given: tuple[int, ...] = (), kept: tuple[int, ...] = ()) -> None:
        self.function = function
        self.runs = 0
        self.recorder = graphs.Recorder(self.run, given, kept, FakeGraphs())

    def run(self, *args: Any) -> Any:
        self.runs += 1
        return self.function(*args)

    def __call__(self, *args: Any) -> Any:
        return self.recorder(*args)


def array(backend: Backend, *values: float) -> Any:
    return backend.from_host(np.asarray(values, dtype="float32"))


def update(params: dict[str, Any], x: Any) -> Any:
    xp = raw_namespace(x)
    params["w"] += xp.sum(x)
    params["n"] = params["n"] + 1.0
    return params, params["w"] * x


def test_replays_compute_what_python_would(recorded: Backend) -> None:
    step = Step(update, given=(0,))
    params = {"w": array(recorded, 1.0), "n": array(recorded, 0.0)}
    before, results = dict(params), []
    for i in range(5):
        params, y = step(params, array(recorded, i, 1.0))
        assert params["w"] is before["w"]
        assert params["n"] is before["n"], "weights stay where they are"
        results.append(y)
    values = np.cumsum([1.0, 2.0, 3.0, 4.0, 5.0]) + 1.0
    assert step.runs == 2
    assert FakeGraphs.launches == [4], "the second call is recorded, and replayed at once"
    for i, y in enumerate(results):  # results of earlier calls are not overwritten
        np.testing.assert_array_equal(recorded.to_host(y), [values[i] * i, values[i]])
    assert recorded.to_host(params["n"]) == 5.0


def test_each_set_of_shapes_is_recorded(recorded: Backend) -> None:
    step = Step(lambda x, flag: x * 2.0 if flag else x)
    for _ in range(3):
        for size in (1, 2):
            for flag in (True, False):
                x = array(recorded, *range(size))
                expected = np.arange(size) * (2.0 if flag else 1.0)
                np.testing.assert_array_equal(recorded.to_host(step(x, flag)), expected)
    assert step.runs == 8
    step({"a": array(recorded, 1.0)}["a"], 1)
    assert step.runs == 9, "1 is not True"


def test_the_least_recently_used_recording_is_dropped(recorded: Backend) -> None:
    step = Step(lambda x: x + 1.0)
    for size in range(1, graphs.MOST_PROGRAMS + 2):
        for _ in range(2):
            step(array(recorded, *range(size)))
    assert len(step.recorder.programs) == graphs.MOST_PROGRAMS
    runs = step.runs
    step(array(recorded, *range(graphs.MOST_PROGRAMS)))
    assert step.runs == runs
    step(array(recorded, 0.0))
    assert step.runs == runs + 1


def test_arrays_from_elsewhere_take_the_place_of_given_ones(recorded: Backend) -> None:
    step = Step(update, given=(0,))
    params = {"w": array(recorded, 0.0), "n": array(recorded, 0.0)}
    x = array(recorded, 1.0)
    for _ in range(3):
        params, _ = step(params, x)
    held = params["w"]
    for i in range(6):
        params["w"] = mine = array(recorded, 10.0 * i)
        params, y = step(params, x)
        assert params["w"] is mine
        assert recorded.to_host(y) == recorded.to_host(mine) == 10.0 * i + 1.0
    assert recorded.to_host(held) == 3.0, "an array that was replaced is left alone"
    assert recorded.to_host(params["n"]) == 9.0
    assert step.runs == 2 + 2, "after two changes it is copied in and out"


def test_kept_arrays_are_read_in_place_and_never_written(recorded: Backend) -> None:
    step = Step(lambda values, x: (values["w"] * x, values["w"]), kept=(0,))
    w = array(recorded, 2.0)
    for i in range(4):
        y, same = step({"w": w}, array(recorded, float(i)))
        assert recorded.to_host(y) == (2.0 + i) * i
        assert same is w
        w += 1.0
    for i in range(4):
        y, _ = step({"w": array(recorded, float(i))}, array(recorded, 3.0))
        assert recorded.to_host(y) == 3.0 * i


def test_results_may_swap_given_arrays(recorded: Backend) -> None:
    step = Step(lambda pair: ({"a": pair["b"], "b": pair["a"]},), given=(0,))
    pair = {"a": array(recorded, 1.0), "b": array(recorded, 2.0)}
    for i in range(4):
        (pair,) = step(pair)
        assert [float(recorded.to_host(pair[k])[0]) for k in "ab"] == ([1.0, 2.0] if i % 2 else [2.0, 1.0])


def test_one_array_in_two_places_becomes_two(recorded: Backend) -> None:
    step = Step(lambda pair: ({"a": pair["a"] + 1.0, "b": pair["b"] * 3.0},), given=(0,))
    for calls in (1, 2):
        x = array(recorded, 5.0)
        pair = {"a": x, "b": x}
        for _ in range(calls):
            (pair,) = step(pair)
        assert [float(recorded.to_host(pair[k])[0]) for k in "ab"] == [5.0 + calls, 5.0 * 3.0**calls]
    assert recorded.to_host(x) == 5.0


def test_structures_of_results_come_back(recorded: Backend) -> None:
    step = Step(lambda x: {"list": [x, None, 3], "tuple": (x + 1.0,), "empty": {}})
    for _ in range(3):
        result = step(array(recorded, 1.0))
        assert result["list"][1:] == [None, 3]
        assert result["empty"] == {}
        assert type(result["tuple"]) is tuple
        assert recorded.to_host(result["tuple"][0]) == 2.0


def test_what_cannot_be_recorded_runs_and_warns_once(recorded: Backend) -> None:
    def look(params: dict[str, Any], x: Any) -> Any:
        params["w"] += 1.0
        return params, x * 2.0 if x[0] > 0.0 else x  # the line

    step = Step(look, given=(0,))
    params = {"w": array(recorded, 0.0)}
    step(params, array(recorded, 1.0))
    with pytest.warns(UserWarning, match=r"cannot be recorded.*test_graphs\.py, line \d+.*`.*# the line`"):
        step(params, array(recorded, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in (1, 2, 2, 2):
            params, y = step(params, array(recorded, *([-3.0] * size)))
    np.testing.assert_array_equal(recorded.to_host(y), [-3.0, -3.0])
    assert recorded.to_host(params["w"]) == 6.0, "a recording that fails has changed nothing"
    assert FakeGraphs.launches == [0]


def test_an_error_of_the_step_is_raised_without_a_warning(recorded: Backend) -> None:
    wrong = [False]

    def step_of(x: Any) -> Any:
        if wrong[0]:
            raise ValueError("wrong")
        return x + 1.0

    step, x = Step(step_of), array(recorded, 1.0)
    step(x)
    wrong[0] = True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="wrong"):
            step(x)
    wrong[0] = False
    for _ in range(3):
        assert recorded.to_host(step(array(recorded, 1.0))) == 2.0
    assert FakeGraphs.launches == [2]


def test_ctrl_c_while_recording_leaves_everything_as_it_was(recorded: Backend) -> None:
    pressed = [False]

    def slow(params: dict[str, Any]) -> Any:
        params["w"] += 1.0
        if pressed[0]:
            raise KeyboardInterrupt
        return (params,)

    step, params = Step(slow, given=(0,)), {"w": array(recorded, 0.0)}
    step(params)
    pressed[0] = True
    with pytest.raises(KeyboardInterrupt):
        step(params)
    pressed[0] = False
    assert not recording()
    for _ in range(3):
        (params,) = step(params)
    assert recorded.to_host(params["w"]) == 4.0


def test_a_step_within_a_recording_is_a_part_of_it(recorded: Backend) -> None:
    inner = Step(lambda x: x * 2.0)
    outer = Step(lambda x: inner(x) + 1.0)
    for i in range(4):
        assert recorded.to_host(outer(array(recorded, float(i)))) == 2.0 * i + 1.0
    assert inner.runs == outer.runs == 2


def test_arrays_of_other_libraries_are_computed_as_ever(recorded: Backend) -> None:
    step = Step(lambda x: x + 1.0)
    for _ in range(3):
        assert step(np.asarray(1.0)) == 2.0
    assert step.runs == 3


def test_threads_share_a_step(recorded: Backend) -> None:
    step, failures = Step(lambda x: raw_namespace(x).sum(x * x)), []

    def work(number: int) -> None:
        sums = [recorded.to_host(step(array(recorded, number, i))) for i in range(20)]
        failures.extend(i for i, total in enumerate(sums) if total != number**2 + i**2)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_numbers_from_the_host_are_sent_once_and_kept_with_the_recording(recorded: Backend) -> None:
    step = Step(lambda x: x * constant(x, [1.0, 2.0], x.dtype))
    for _ in range(3):
        np.testing.assert_array_equal(recorded.to_host(step(array(recorded, 1.0, 1.0))), [1.0, 2.0])
    (program,) = step.recorder.programs.values()
    (kept,) = program.kept
    np.testing.assert_array_equal(recorded.to_host(kept), [1.0, 2.0])
    assert constant(kept, [1.0, 2.0], kept.dtype) is kept


def test_cond_is_chosen_on_the_device(recorded: Backend) -> None:
    from portanet.optimizers.base import cond

    def choose(params: dict[str, Any], x: Any) -> Any:
        def double(params: dict[str, Any]) -> dict[str, Any]:
            params["w"] *= 2.0
            return params

        return (cond(raw_namespace(x).all(x > 0.0), double, lambda params: params, params),)

    step, params = Step(choose, given=(0,)), {"w": array(recorded, 1.0)}
    for x in (1.0, -1.0, 1.0, 1.0, -1.0):
        (params,) = step(params, array(recorded, x))
    assert recorded.to_host(params["w"]) == 8.0
    assert step.runs == 2


def test_released_arrays_may_be_replaced_by_others_at_their_address(recorded: Backend) -> None:
    step = Step(lambda values, x: (values["w"] * x,), kept=(0,))
    w = array(recorded, 2.0)
    for _ in range(3):
        step({"w": w}, array(recorded, 3.0))
    step.recorder.release()
    (program,) = step.recorder.programs.values()
    assert not any(leaf is w for leaf in program.bound.values())
    again = type(w)(w.inner)
    again += 1.0
    assert recorded.to_host(step({"w": again}, array(recorded, 3.0))[0]) == 9.0
    assert step.runs == 2
    for i in range(5):
        step.recorder.release()
        assert recorded.to_host(step({"w": array(recorded, float(i))}, array(recorded, 3.0))[0]) == 3.0 * i
    assert step.runs == 7
    (program,) = step.recorder.programs.values()
    assert len(program.buffers) == 1, "however often they are replaced, they are not copied"


def test_arguments_are_compared_as_they_are_now(recorded: Backend) -> None:
    step = Step(lambda state, x: ({**state, "n": state["n"] + x},), given=(0,))
    state = {"n": array(recorded, 0.0), "deep": {"m": array(recorded, 1.0)}}
    for _ in range(4):
        (state,) = step(state, array(recorded, 1.0))
    state["deep"]["m"] = new = array(recorded, 5.0)
    (state,) = step(state, array(recorded, 1.0))
    assert state["deep"]["m"] is new
    state["more"] = array(recorded, 7.0)
    (state,) = step(state, array(recorded, 1.0))
    assert [float(recorded.to_host(state[name])[0]) for name in ("n", "more")] == [6.0, 7.0]


@dataclasses.dataclass(slots=True)
class Weights:
    w: Any
    b: Any


def test_what_changes_within_arguments_that_stayed_in_place_is_noticed(recorded: Backend) -> None:
    def call(step: Step, weights: Any) -> float:
        return float(recorded.to_host(step(weights, array(recorded, 3.0)))[0])

    step = Step(lambda weights, x: weights.w * x + weights.b, kept=(0,))
    weights = Weights(array(recorded, 2.0), array(recorded, 1.0))
    assert [call(step, weights) for _ in range(4)] == [7.0] * 4
    weights.w = array(recorded, 5.0)
    assert call(step, weights) == 16.0

    step = Step(lambda weights, x: weights["w"] * x + weights.get("b", 0.0), kept=(0,))
    named = {"w": array(recorded, 2.0), "b": array(recorded, 1.0)}
    assert [call(step, named) for _ in range(4)] == [7.0] * 4
    named["other"] = named.pop("b")  # the same arrays in the same order
    assert call(step, named) == 6.0
