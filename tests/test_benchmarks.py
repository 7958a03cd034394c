"""The frame of the benchmarks: turns, runs, pages with a section for each machine. What is fast is not tested here."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import pathlib
from collections.abc import Callable, Iterator

import pytest

from benchmarks import heavy, pages, timing
from benchmarks.pages import Page, Row
from benchmarks.timing import Median
from portanet.backends import use_backend

TABLE = "|  | portanet | result | target |\n|---|---|---|---|\n| training | 9 ms | 0.90 | 0.8: missed |\n"


def test_a_machine_replaces_its_own_parts_only() -> None:
    page = Page.parsed("# Title\n\nText.\n\n## A\n\n### one\n\n1\n\n### note\n\nkept\n\n## B\n\n### one\n\n2\n")
    before = dict(page.machines["A"])
    page.replace("B", {"one": "3", "two": "4"})
    page.replace("C", {"one": "5"})
    assert page.head == "# Title\n\nText."
    assert page.machines == {"A": before, "B": {"one": "3", "two": "4"}, "C": {"one": "5"}}
    assert Page.parsed(str(page)) == page


def test_a_report_is_written_where_asked(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    monkeypatch.setattr(pages, "DOCS", tmp_path / "docs.txt")
    monkeypatch.setattr(pages, "machine", lambda: "2-core B")
    (tmp_path / "heavy.md").write_text("# Heavy\n\n## 1-core A\n\n### one\n\nbefore\n\nfigures\n")
    pages.report("heavy", {"one": TABLE}, "2026-01-01, Linux", write=False)
    assert "B" not in (tmp_path / "heavy.md").read_text()
    assert "### one" in capsys.readouterr().out
    pages.report("heavy", {"one": TABLE}, "2026-01-01, Linux, load average 1.0; 5 runs", write=True)
    page = Page.parsed((tmp_path / "heavy.md").read_text())
    assert page.machines["1-core A"] == {"one": "before\n\nfigures"}
    assert page.machines["2-core B"]["one"].startswith("2026-01-01, Linux, load average 1.0; 5 runs")
    assert page.machines["2-core B"]["one"].endswith(TABLE.strip())
    shown = (tmp_path / "docs.txt").read_text()
    assert "- [Heavy](../benchmarks/results/heavy.md)" in shown
    assert "## 2-core B\n\n- 2026-01-01, Linux\n\n0 of 1 targets are met." in shown
    assert "| one: training | 0.90 | 0.8: missed | 2026-01-01 |" in shown
    assert "1-core A" not in shown  # it has no targets


def test_the_pages_are_as_the_frame_writes_them() -> None:
    for path in pages.FOLDER.glob("*.md"):
        assert f"{Page.parsed(path.read_text())}\n" == path.read_text(), path.name
    assert pages.DOCS.read_text() == pages.overview(pages.pages()), "run `python -m benchmarks.pages`"


def test_verdicts_of_the_pages_follow_from_their_figures() -> None:
    rows = [
        row
        for page in pages.pages().values()
        for parts in page.machines.values()
        for body in parts.values()
        for rows in pages.tables(body)
        for row in rows
        if row.get("target")
    ]
    assert len(rows) > 20
    for row in rows:
        target, _, verdict = row["target"].partition(": ")
        result, limit = (float(cell.split()[0]) for cell in (row["result"], target))
        # A result that is shown as its target may have been rounded to it.
        assert verdict == ("met" if result < limit else "missed") or result == limit, row


def test_the_table_of_targets() -> None:
    own, peer = Median.of([2.0, 3.0, 4.0]), Median.of([4.0, 4.0, 4.0])
    rows = [
        pages.beside("training", {"portanet": own, "torch": peer}, 0.7, "portanet", "torch"),
        Row("import", 12.0, 15, unit="ms"),
        Row("no target", 1.5, None),
    ]
    text = pages.targets(rows)
    (read,) = pages.tables(f"before\n\n{text}\n\nafter")
    assert [row["result"] for row in read] == ["0.75 (0.50 to 1.00)", "12.0 ms", "1.50"]
    assert [row["target"] for row in read] == ["0.7: missed", "15 ms: met", ""]
    assert [row["torch"] for row in read] == ["4 s ±0%", "", ""]


def test_each_run_begins_new_processes_which_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing.time, "sleep", lambda _: None)
    calls: list[str] = []
    started: list[str] = []

    def process(name: str) -> Callable[[], timing.Process]:
        @contextlib.contextmanager
        def start() -> Iterator[Callable[[str], float]]:
            started.append(name)
            number = started.count(name)

            def step(task: str) -> float:
                calls.append(f"{name} {task}")
                return number * (2.0 if name == "a" else 4.0)

            yield step
            calls.append(f"{name} ends")

        return start

    results = timing.in_runs({"a": process("a"), "b": process("b")}, {"x": ["a", "b"], "y": ["b"]}, runs=3, rounds=1)
    assert sorted(started) == ["a"] * 3 + ["b"] * 3
    assert results["x"]["a"].values == (2.0, 4.0, 6.0)
    assert results["x"]["a"].over(results["x"]["b"]).values == (0.5, 0.5, 0.5)
    assert results["y"].keys() == {"b"}
    first = ["b x", "a x", "b y", "b ends", "a ends"]
    assert calls[: len(first)] == first
    assert calls[len(first) : len(first) + 2] == ["a x", "b x"]  # in reverse order
    once = timing.in_runs({"a": process("a")}, {"x": ["a"]}, runs=3, limit=-1.0)
    assert len(once["x"]["a"].values) == 1  # none begins after the limit


def test_a_server_makes_a_step_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(timing, "use_threads", lambda count: None)
    monkeypatch.setattr("sys.stdin", io.StringIO("one\ntwo\none\n"))
    made, done = [], []

    def make(name: str) -> timing.Step:
        made.append(name)
        return lambda: done.append(name)

    timing.serve(make, turn=1e-6)
    assert made == ["one", "two"]
    assert {*done} == {"one", "two"}
    assert all(float(line) > 0 for line in capsys.readouterr().out.splitlines())


def test_a_turn_lasts_as_long_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [3.0, 1.0, 2.0, 1.5]
    clock = [0.0]

    def step() -> None:
        clock[0] += steps[len(done)]
        done.append(0)

    done: list[int] = []
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(timing, "busy_seconds", timing.time.process_time)  # nobody else computes
    assert timing.in_a_row(step, turn=3.0) == 3.0  # one step fills it
    assert len(done) == 1
    assert timing.in_a_row(step, turn=1.5) == 1.75
    assert len(done) == 4


def test_a_turn_that_others_disturb_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = [0.9, 0.3, 0.02, 0.9]
    clock, busy, taken = [0.0], [0.0], []

    def step() -> None:
        clock[0] += 1.0 + len(taken)
        busy[0] += shares[len(taken)] * (1.0 + len(taken)) * (timing.os.cpu_count() or 1)
        taken.append(0)

    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(timing.time, "process_time", lambda: 0.0)
    monkeypatch.setattr(timing, "busy_seconds", lambda: busy[0])
    assert timing.in_a_row(step, turn=1.0) == 3.0  # the third
    taken.clear()
    shares[:] = [0.9, 0.3, 0.8, 0.9, 0.9]
    assert timing.in_a_row(step, turn=1.0) == 2.0  # all were disturbed, the second the least
    assert len(taken) == timing.ATTEMPTS


@pytest.mark.parametrize("library", ["portanet", "torch"])
@pytest.mark.parametrize("name", list(heavy.WORKLOADS))
def test_each_workload_runs_in_both_libraries(library: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if library == "torch":
        pytest.importorskip("torch")
    workload = heavy.WORKLOADS[name]
    monkeypatch.setitem(heavy.WORKLOADS, name, dataclasses.replace(workload, shape=(2, *workload.shape[1:])))
    with use_backend("numpy"):
        for kind in workload.targets:
            heavy.step_of(library, f"{name}: {kind}")()
    assert workload.flops.keys() >= workload.targets.keys()


def test_the_traffic_of_a_workload_is_that_of_its_layers() -> None:
    with use_backend("numpy"):
        bytes_moved = heavy.traffic(heavy.WORKLOADS["mlp"])
    handed, weights = 4 * 128 * (512 + 512 + 10), 4 * 669_706
    assert bytes_moved == {heavy.INFERENCE: 2 * handed + weights, heavy.TRAINING: 5 * handed + 10 * weights}
