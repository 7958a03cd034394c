import itertools
import random
import re
from xml.etree import ElementTree

import pytest

from portanet.drawing import Box, Drawing
from portanet.drawing.boxes import text_width
from portanet.drawing.layout import Line, layered
from portanet.drawing.svg import bends, path

DIRECTIONS = ("TB", "BT", "LR", "RL")
SVG = "{http://www.w3.org/2000/svg}"


def some_graph(seed):
    """Boxes in random groups, with lines from earlier ones; a group's lines end before boxes after it begin."""
    draw = random.Random(seed)
    boxes, stage = [], []
    for group in [(), ("a",), ("a", "a/b"), ("a",), ("c",), ()] if seed % 2 else [(), (), (), ()]:
        for _ in range(draw.randint(1, 4)):
            known = range(len(boxes))
            sources = draw.sample(known, min(len(boxes), draw.randint(1, 3))) if boxes else []
            lines = ("x" * draw.randint(1, 20), "(None, 3)")[: draw.randint(1, 2)]
            boxes.append(Box(lines, tuple(sources), group))
            stage.append(group)
    return boxes


def apart(a, b):
    return (
        a.x + a.width <= b.x + 0.01
        or b.x + b.width <= a.x + 0.01
        or a.y + a.height <= b.y + 0.01
        or b.y + b.height <= a.y + 0.01
    )


def within(inner, outer):
    return (
        outer.x <= inner.x
        and inner.x + inner.width <= outer.x + outer.width + 0.01
        and outer.y <= inner.y
        and inner.y + inner.height <= outer.y + outer.height + 0.01
    )


def on_the_way(arrow, sideways):
    """Points on a line."""
    for i, (a, b) in enumerate(itertools.pairwise(arrow.points)):
        c, d = (a, b) if i % 2 == 0 else bends(a, b, sideways)
        for t in (0.05, 0.25, 0.5, 0.75, 0.95):
            if i % 2 == 0:
                yield a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])
            else:
                u = 1 - t
                yield tuple(
                    u**3 * p + 3 * u * u * t * q + 3 * u * t * t * r + t**3 * s
                    for p, q, r, s in zip(a, c, d, b, strict=True)
                )


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("seed", range(12))
def test_boxes_do_not_overlap_and_lines_go_past_them(seed, direction):
    boxes = some_graph(seed)
    drawing = Drawing(boxes, direction)
    frames = {frame.number: frame for frame in drawing.frames if frame.number >= 0}
    assert sorted(frames) == list(range(len(boxes)))
    for a, b in itertools.combinations(frames.values(), 2):
        assert apart(a, b)
    groups = {frame.lines[0]: frame for frame in drawing.frames if frame.number < 0}
    for number, frame in frames.items():
        for name, group in groups.items():
            assert within(frame, group) if name in boxes[number].group else apart(frame, group)
    for arrow in drawing.arrows:
        for x, y in on_the_way(arrow, drawing.sideways):
            assert 0 < x < drawing.width
            assert 0 < y < drawing.height
            for frame in frames.values():
                inside = (
                    frame.x + 0.1 < x < frame.x + frame.width - 0.1 and frame.y + 0.1 < y < frame.y + frame.height - 0.1
                )
                assert not inside


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_lines_begin_at_their_source_and_end_at_their_target(direction):
    boxes = some_graph(0)
    drawing = Drawing(boxes, direction)
    frames = {frame.number: frame for frame in drawing.frames}
    assert {(a.source, a.target) for a in drawing.arrows} == {(s, t) for t, b in enumerate(boxes) for s in b.sources}
    for arrow in drawing.arrows:
        for number, (x, y) in ((arrow.source, arrow.points[0]), (arrow.target, arrow.points[-1])):
            frame = frames[number]
            sides = {"TB": (frame.y + frame.height, frame.y), "BT": (frame.y, frame.y + frame.height)}
            sides |= {"LR": (frame.x + frame.width, frame.x), "RL": (frame.x, frame.x + frame.width)}
            at, across = (x, y) if drawing.sideways else (y, x)
            assert at == pytest.approx(sides[direction][number == arrow.target])
            middle = frame.y + frame.height / 2 if drawing.sideways else frame.x + frame.width / 2
            assert across == pytest.approx(middle)


@pytest.mark.parametrize(
    ("points", "source"),
    [
        (((0, 0), (0, 5), (10, 20), (10, 25)), "M0.0 0.0L0.0 5.0C0.0 12.5 10.0 12.5 10.0 20.0L10.0 25.0"),
        (((0, 0), (0, 0), (10, 20), (10, 20)), "M0.0 0.0C0.0 10.0 10.0 10.0 10.0 20.0"),
        (((0, 0), (0, 5), (0, 20), (0, 30)), "M0.0 0.0L0.0 5.0L0.0 20.0L0.0 30.0"),
    ],
)
def test_a_line_is_straight_within_layers_and_where_it_goes_straight_on(points, source):
    assert path(points, sideways=False) == source
    turned = re.sub(r"([\d.]+) ([\d.]+)", r"\2 \1", source)
    assert path(tuple((y, x) for x, y in points), sideways=True) == turned


def test_a_line_through_groups_is_in_one_piece():
    boxes = [Box(("a",)), Box(("b",), (0,), ("g",)), Box(("c",), (1,), ("g", "g/h")), Box(("d",), (2,))]
    drawing = Drawing(boxes)
    pieces = [arrow.points for arrow in drawing.arrows if arrow.source == 2]
    assert len(pieces) == 3  # to the frame of g/h, to that of g, and to the box
    ends = {tuple(round(c, 6) for c in points[-1]) for points in pieces}
    starts = {tuple(round(c, 6) for c in points[0]) for points in pieces}
    assert len(ends & starts) == 2
    assert [arrow.head for arrow in drawing.arrows].count(True) == 3


def test_a_chain_is_straight_beside_a_line_that_goes_past():
    boxes = [Box(("x" * (3 + 5 * (i % 3)),), (i - 1,) if i else ()) for i in range(8)]
    boxes[6] = Box(("add",), (5, 1))
    drawing = Drawing(boxes)
    assert len({round(frame.x + frame.width / 2, 6) for frame in drawing.frames}) == 1
    passing = next(arrow for arrow in drawing.arrows if (arrow.source, arrow.target) == (1, 6))
    assert len({round(x, 6) for x, _ in passing.points[2:-2]}) == 1


def test_branches_meet_half_way():
    long, short = [Box((f"x{i}",), (0,) if i == 1 else (i - 1,)) for i in range(1, 5)], Box(("y",), (0,))
    drawing = Drawing([Box(("fork",)), *long, short, Box(("add",), (4, 5))])
    middles = [frame.x + frame.width / 2 for frame in drawing.frames]
    assert middles[6] == pytest.approx(middles[0])
    assert middles[1] != pytest.approx(middles[0])


def test_lines_do_not_cross_where_they_need_not():
    boxes = [Box((name,)) for name in "abcd"] + [Box((f"of {i}",), (i,)) for i in (3, 1, 0, 2)]
    drawing = Drawing(boxes)
    at = {frame.number: frame.x for frame in drawing.frames}
    order = sorted(range(4), key=at.__getitem__)
    assert [boxes[i].sources[0] for i in sorted(range(4, 8), key=at.__getitem__)] == order


def test_the_source_is_xml_with_each_box_once():
    drawing = Drawing([Box(('<a> & "b"',)), Box(("b", "line"), (0,))], title="a < b")
    root = ElementTree.fromstring(drawing.svg)
    boxes = [group for group in root.iter(f"{SVG}g") if group.get("class") == "box"]
    assert [group.get("data-name") for group in boxes] == ['<a> & "b"', "b"]
    lines = [line for line in root.iter(f"{SVG}path") if line.get("class") == "line"]
    assert [(line.get("data-from"), line.get("data-to")) for line in lines] == [("0", "1")]
    assert root.find(f"{SVG}title").text == "a < b"
    assert float(root.get("width")) >= max(text_width('<a> & "b"'), text_width("a < b"))


def test_the_first_and_the_last_boxes_are_in_layers_of_their_own():
    boxes, lines = [(10.0, 10.0)] * 6, [Line(0, 1), Line(1, 2), Line(3, 2)]
    for first, last, ranks in (
        ([0], [2], [0, 1, 2, 1, 1, 1]),  # box 3 right before its use; boxes 4 and 5 are alone
        ([0, 3], [], [0, 1, 2, 0, 1, 1]),
        ([], [], [0, 1, 2, 1, 0, 0]),
        ([4], [5], [1, 2, 3, 2, 0, 4]),
    ):
        tops = layered(boxes, lines, first, last).tops
        assert [sorted(set(tops)).index(top) for top in tops] == ranks


def test_one_box_and_none():
    assert len(Drawing([Box(("alone",))]).frames) == 1
    assert ElementTree.fromstring(Drawing([]).svg).tag == f"{SVG}svg"


def test_a_hundred_layers_side_by_side_are_placed_quickly():
    boxes = [Box((f"layer {i}",), tuple(range(max(0, i - 3), i))) for i in range(200)]
    assert len(Drawing(boxes).arrows) == sum(len(box.sources) for box in boxes)


def test_text_is_not_wider_than_its_estimate():
    pytest.importorskip("matplotlib")
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(family="DejaVu Sans", weight="bold", size=12)  # wider than Helvetica
    for text in (
        "batch_normalization_12: BatchNormalization",
        "(None, 28, 28, 512) · 1,180,160 parameters",
        "WWWWmmmm",
    ):
        assert TextPath((0, 0), text, prop=font).get_extents().width <= 1.16 * text_width(text, bold=True)


@pytest.mark.parametrize(("path", "message"), [("a.jpg", "must end in .svg, .png or .pdf"), (3, "`path` of save")])
def test_files_of_other_kinds_are_refused(path, message):
    with pytest.raises(ValueError, match=message):
        Drawing([Box(("a",))]).save(path)
