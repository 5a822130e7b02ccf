"""Which labels count as what, over all programmes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attendance_mcp.digest.context import labels_by_kind
from attendance_mcp.rules.labels import Labels
from attendance_mcp.status import WRITABLE, Kind

PROGRAMMES = st.dictionaries(
    st.sampled_from(["pyp", "myp", "igcse", "dp"]),
    st.lists(
        st.tuples(st.sampled_from(WRITABLE), st.sampled_from(["Late", "Tardy", "Absent", "Trip"]), st.booleans()),
        unique_by=lambda row: row[0],
    ).map(lambda rows: Labels.of(rows, kinds={"tardy": Kind.LATE})),
    min_size=1,
)


@given(PROGRAMMES)
def test_every_enabled_label_stands_once_for_each_programme_under_its_own_kind(programmes):
    found = labels_by_kind(programmes)
    lines = [(kind, line) for kind, own in found.items() for line in own]
    assert len(lines) == len(set(lines))
    for code, labels in programmes.items():
        for status in WRITABLE:
            label = labels[status]
            having = [
                line
                for kind, line in lines
                if kind == label.kind
                and line.startswith(f"{status} {label.text}")
                and (f"{code}" in line or "(" not in line)
            ]
            if label.enabled:
                assert having
