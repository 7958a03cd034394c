from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace, custom_vjp, show
from portanet.autodiff.debugging.recording import record_run
from tests.support import asarray


def test_the_list_of_shanahans_expression(xp):
    """e = (a + b)(b + 1): c = a + b, d = b + 1, e = c d."""
    picture = show(lambda a, b: (a + b) * (b + 1), asarray(2.0), asarray(1.0))
    assert repr(picture).splitlines() == [
        "v0 = argument 0        float32 ()",
        "v1 = argument 1        float32 ()",
        "v2 = add(v0, v1)       float32 ()",
        "v3 = add(v1)           float32 ()",
        "v4 = multiply(v2, v3)  float32 ()  -> result",
    ]


def test_shapes_trees_control_flow_and_several_results(xp):
    @custom_vjp
    def halves(x: Any) -> Any:
        return (x[:1], x[1:]), lambda gs: (array_namespace(x).zeros_like(x),)

    def f(t: Any, steps: int, labels: Any, training: bool) -> Any:
        xp = array_namespace(t["w"])
        y = xp.matmul(t["w"], t["w"])
        for _ in range(steps):
            y = xp.exp(y)
        low, high = halves(y[0, :])
        return {"sum": xp.sum(high), "low": low, "labels": labels, "plain": t["b"]}

    lines = show(f, {"w": asarray([[0.1, 0.2], [0.3, 0.4]]), "b": 2.0}, 2, asarray([1, 2], "int32"), True).lines()
    assert [line.split("=", 1)[1].split("  ")[0].strip() for line in lines] == [
        "argument 0['w']", "argument 0['b']", "matmul(v0, v0)", "exp(v2)", "exp(v3)", "getitem(v4)", "halves[0](v5)",
        "halves[1](v5)", "sum(v7)",
    ]  # fmt: skip
    assert "float32 (2, 2)" in lines[2]
    assert lines[1].endswith("float32 ()  -> result['plain']")
    assert lines[6].endswith("float32 (1,)  -> result['low']")
    assert lines[8].endswith("-> result['sum']")


def test_the_graph_as_text(xp):
    dot = show(lambda x: x * x, asarray([1.0, 2.0])).dot
    assert dot.startswith("digraph {")
    assert r'v0 [label="v0: argument 0\nfloat32 (2,)" style=rounded]' in dot
    assert r'v1 [label="v1: multiply\nfloat32 (2,)" peripheries=2]' in dot
    assert dot.count("v0 -> v1") == 2


def test_the_graph_as_a_picture(xp):
    drawing = show(lambda x: x * x, asarray([1.0])).draw()
    assert [frame.lines[0] for frame in drawing.frames] == ["v0: argument 0", "v1: multiply"]
    assert [(arrow.source, arrow.target) for arrow in drawing.arrows] == [(0, 1)]
    assert drawing.frames[0].x + drawing.frames[0].width < drawing.frames[1].x


def test_nothing_recorded(xp):
    assert show(lambda x: 3.0, asarray([1.0])).lines() == ["v0 = argument 0  float32 (1,)"]


def test_the_nodes_of_arguments_have_no_parents(xp: Any) -> None:
    run = record_run(lambda x: x * 2.0, (asarray([1.0, 2.0]),))
    node = run.steps[0].result._link
    assert (node.op, node.parents, node.pull) == ("input", None, None)
    assert [step.name for step in run.steps] == ["argument 0", "multiply"]
    assert run.steps[1].operands == (0,)
