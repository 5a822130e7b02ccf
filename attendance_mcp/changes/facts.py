"""The facts of a plan and of its outcome, and how they are said."""

from __future__ import annotations

from collections.abc import Iterable

from attendance_mcp.digest.facts import Facts, Row, counted, listed

_NAMES_A_LINE = 40
_MANY = 10_000  # characters of rows: beyond, an answer may be cut at its end, and there nothing else may stand

_WHERE = {"client": "whom the client asked", "window": "in the window", "terminal": "at the terminal"}


class ChangeGroup(Row):
    """Changes that are alike but for the student."""

    record: str
    was: str
    becomes: str
    students: list[str]
    outcome: str = ""
    reason: str = ""

    def lines(self) -> Iterable[str]:
        """One line, and where the students are many, lines of them below it."""
        outcome = f"{self.outcome}: " if self.outcome else ""
        number = f" ({len(self.students)})" if len(self.students) > 1 else ""
        reason = f" — {self.reason}" if self.reason else ""
        told = f"- {outcome}{self.record}: {self.was} → {self.becomes}{number}"
        if len(self.students) <= _NAMES_A_LINE:
            yield f"{told}: {listed(self.students)}{reason}"
            return
        yield f"{told}{reason}:"
        for start in range(0, len(self.students), _NAMES_A_LINE):
            yield f"  {listed(self.students[start : start + _NAMES_A_LINE])}"


class WriteFacts(Facts):
    """A plan that waits, or what became of it."""

    summary: str
    confirmation: str = ""
    expires: str = ""
    changes: list[ChangeGroup] = []
    already_so: int = 0
    warnings: list[str] = []
    fingerprint: str = ""
    state: str = ""
    approval: str = ""
    way: str = ""
    carried_out: str = ""
    read_back: bool = False
    repeated: bool = False
    outcomes: dict[str, int] = {}

    def lines(self) -> Iterable[str]:
        if self.state == "applying":
            yield (
                f"This plan is being carried out right now by another call: {self.summary} "
                "This call wrote nothing; repeat it in a minute for the outcome."
            )
        elif self.state:
            yield from self._outcome_lines()
        elif not self.confirmation:
            yield f"Nothing to change: {self.summary} Nothing was written."
        else:
            yield from self._plan_lines()

    def _plan_lines(self) -> Iterable[str]:
        yield f"Plan, nothing is written yet: {self.summary}"
        after = [f"Left out: {counted(self.already_so, 'record')} already so."] if self.already_so else []
        after += [f"Warning: {warning}" for warning in self.warnings]
        after += [f"Fingerprint of these changes: {self.fingerprint}"] if self.fingerprint else []
        after.append(
            f"If the person agrees, call apply_changes with confirmation {self.confirmation} and this summary, "
            f"word for word. It waits until {self.expires}."
        )
        yield from self._rows_and(after)

    def _outcome_lines(self) -> Iterable[str]:
        tally = ", ".join(f"{number} {outcome}" for outcome, number in self.outcomes.items())
        if self.repeated:
            yield f"Already carried out at {self.carried_out}: {tally}. This call wrote nothing more."
        else:
            where = f" {_WHERE[self.way]}" if self.way else ""
            by = "by its confirmation alone" if self.approval == "token" else f"by a person{where}"
            yield f"Carried out at {self.carried_out}, agreed {by}: {tally}.{self._how_it_is_known()}"
        after = [f"Warning: {warning}" for warning in self.warnings]
        if self.outcomes.get("unknown"):
            after += ["Unknown: no answer could be relied on. Read these records before anything is sent again."]
        if self.outcomes.get("not sent"):
            after += ["Not sent: plan these again to go on."]
        if not self.repeated and not self.outcomes.keys() & {"done", "unknown"}:
            # A refused row did leave, so that only the school's system can have kept it from being written.
            after += ["The school's system took none of it." if "refused" in self.outcomes else "Nothing was written."]
        yield from self._rows_and(after)

    def _rows_and(self, after: list[str]) -> Iterable[str]:
        rows = [line for group in self.changes for line in group.lines()]
        yield from (*rows, *after) if sum(map(len, rows)) <= _MANY else (*after, *rows)

    def _how_it_is_known(self) -> str:
        if self.read_back:
            return " The records were read back."
        if "unknown" not in self.outcomes:
            return ""
        return f" {'Not every record could' if 'done' in self.outcomes else 'The records could not'} be read back."
