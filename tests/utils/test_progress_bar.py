"""What `Progbar` writes: steps, means and latest values, once per interval and at the end."""

from __future__ import annotations

from typing import Any

import pytest

from portanet.utils import Progbar, progress_bar


class Clock:
    """The time, as told."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    own = Clock()
    monkeypatch.setattr(progress_bar, "time", own)
    return own


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "a: 2.3333 - b: 23.3333"),
        ({"stateful_metrics": ["b"]}, "a: 2.3333 - b: 30.0000"),
        ({"stateless_metrics": ["a"]}, "a: 2.3333 - b: 30.0000"),
        ({"stateless_metrics": []}, "a: 3.0000 - b: 30.0000"),
        ({"stateless_metrics": ["a", "b"], "stateful_metrics": ["a"]}, "a: 3.0000 - b: 23.3333"),
    ],
)
def test_means_over_steps_and_latest_values(capsys: Any, clock: Clock, options: Any, expected: str) -> None:
    bar = Progbar(3, verbose=2, **options)
    bar.update(1, [("a", 1), ("b", 10)])
    bar.update(3, [("a", 3), ("b", 30)])  # for two steps
    assert capsys.readouterr().out == f"3/3 - 0s - {expected}\n"


def test_the_bar_grows_and_ends_with_a_line(capsys: Any, clock: Clock) -> None:
    bar = Progbar(4, width=8, interval=1.0)
    texts = []
    for step, passed in ((1, 2.0), (2, 0.5), (3, 0.5), (4, 0.1)):
        clock.now += passed
        bar.add(1, [("loss", step)])
        texts.append(capsys.readouterr().out)
    assert texts == [
        "\r1/4 [==......] - 2s - loss: 1.0000",
        "",  # too early
        "\r3/4 [======..] - 3s - loss: 2.0000",
        "\r4/4 [========] - 3s - loss: 2.5000\n",
    ]


def test_without_a_number_of_steps(capsys: Any, clock: Clock) -> None:
    bar = Progbar(None, interval=0.0)
    bar.update(5, [("loss", 2.0)])
    assert capsys.readouterr().out == "\r5 - 0s - loss: 2.0000"
    bar.update(5, [("loss", 4.0)], finalize=True)  # the last step counts once more, as in Keras
    assert capsys.readouterr().out == "\r5 - 0s - loss: 2.3333\n"
    bar.update(5, finalize=False)
    assert not capsys.readouterr().out.endswith("\n")


@pytest.mark.parametrize(("verbose", "count"), [(0, 0), (1, 2), (2, 1), (3, 0)])
def test_how_often_it_writes(capsys: Any, clock: Clock, verbose: int, count: int) -> None:
    bar = Progbar(2, verbose=verbose, interval=0.0)
    bar.update(1)
    bar.update(2)
    assert capsys.readouterr().out.count("s") == count


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"target": -1}, "target"),
        ({"target": 1.5}, "target"),
        ({"target": 1, "width": 0}, "width"),
        ({"target": 1, "verbose": -1}, "verbose"),
        ({"target": 1, "interval": -0.1}, "interval"),
        ({"target": 1, "unit_name": 3}, "unit_name"),
    ],
)
def test_arguments_are_checked(options: dict[str, Any], argument: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"`{argument}` of Progbar"):
        Progbar(**options)
