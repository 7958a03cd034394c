from portanet.callbacks.table import table


def test_columns_line_up():
    lines = table(["a", "long head"], [["a long cell", 1], ["b", 1000]]).splitlines()
    assert lines[2:] == ["a long cell          1", "b                 1000"]
    assert lines[0].endswith("long head")
    assert lines[1] == "-" * 11 + "  " + "-" * 9
