"""Counts of all bad calls: `python -m tests.bad_calls [PATTERN]` lists those that are not refused well."""

from __future__ import annotations

import collections
import sys

from tests.bad_calls.judging import complaints, in_a_folder
from tests.bad_calls.targets import all_targets

totals: collections.Counter[str] = collections.Counter()
for target in all_targets():
    if sys.argv[1:] and sys.argv[1] not in target.name:
        continue
    with in_a_folder():
        for call, verdict in complaints(target, totals):
            print(f"{call}: {verdict}")
print(dict(totals), totals.total())
