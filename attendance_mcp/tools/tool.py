"""How a function becomes a tool: strict arguments, a small schema, facts in, a result out.

A tool is `async def name(school: School, …) -> Facts`, or `async def name(errand: Errand, …) -> Facts` where it writes,
or `async def name(viewer: Viewer, …) -> Facts` where it shows a person something.
The SDK's own wrapper drops unknown arguments silently, shows pydantic's URLs and writes tracebacks with values into
the log; so the arguments are checked here and every failure becomes a sentence.
"""

from __future__ import annotations

import inspect
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol, get_type_hints

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import ConfigDict, ValidationError, create_model

from attendance_mcp.answer import NOTHING_WRITTEN, answer, refusal
from attendance_mcp.changes.desk import Errand
from attendance_mcp.digest.facts import Facts
from attendance_mcp.errors import ArgumentError, AttendanceError
from attendance_mcp.outside import holds_outside
from attendance_mcp.school.disclosure import Disclosure
from attendance_mcp.school.school import School
from attendance_mcp.tools.asking import AskFirst
from attendance_mcp.tools.schema import schemas_of
from attendance_mcp.tools.viewing import Viewer

log = logging.getLogger(__name__)
CANT_TELL = "Whether anything was written can't be told: call list_changes, which settles it by reading."


class Office(Protocol):
    """What a tool call needs of the composition root."""

    @property
    def demo(self) -> bool: ...

    @property
    def disclosure(self) -> Disclosure: ...

    def school(self, context: Context[Any, Any]) -> School: ...

    def errand(self, context: Context[Any, Any]) -> Errand: ...

    def viewer(self, context: Context[Any, Any]) -> Viewer: ...

    async def gave_outside(self, context: Context[Any, Any]) -> None:
        """Takes note that text which parents or teachers typed goes out with this answer."""
        ...


class StrictArguments(ArgModelBase):
    """Arguments of which none may be unknown: `confirmtion="…"` must not vanish and the call run."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class AttendanceTool(Tool):
    """A tool over one school."""

    first: str
    """`school`, `errand` or `viewer`: the function's first parameter."""

    facts: type[Facts]
    """What it answers."""

    async def run(
        self,
        arguments: dict[str, Any],
        context: Context[Any, Any],
        convert_result: bool = False,  # noqa: ARG002, FBT001 the SDK's signature
    ) -> CallToolResult | InputRequiredResult:
        office: Office = context.request_context.lifespan_context
        errand: Errand | None = None
        try:
            values = self._values(arguments, office.disclosure)
            if self.first == "errand":
                errand = office.errand(context)
                school, facts = errand.school, await self.fn(errand, **values)
            elif self.first == "viewer":
                viewer = office.viewer(context)
                school, facts = viewer.school, await self.fn(viewer, **values)
            else:
                school = office.school(context)
                facts = await self.fn(school, **values)
            limited = not school.sees_everybody
            result = answer(office.disclosure.facts(facts), demo=office.demo, limited=limited)
        except AskFirst as asked:
            return asked.result
        except AttendanceError as error:
            return refusal(error, wrote=_wrote(errand))
        except Exception as error:  # noqa: BLE001 a crash must neither hide from the caller nor show them its text
            log.error("%s failed: %s", self.name, _where(error))  # noqa: TRY400 a traceback's message may hold names
            return refusal(AttendanceError("This server made a mistake of its own and stopped."), wrote=_wrote(errand))
        else:
            if holds_outside(result.structured_content):
                await office.gave_outside(context)
            return result

    def _values(self, arguments: dict[str, Any], disclosure: Disclosure) -> dict[str, Any]:
        model = self.fn_metadata.arg_model
        unknown = sorted(set(arguments) - set(model.model_fields))
        if unknown:
            known = ", ".join(model.model_fields) or "none"
            named = ", ".join(repr(name[:40]) for name in unknown[:5])
            raise ArgumentError(f"{self.name} knows no argument {named}. Its arguments are: {known}.")
        try:
            return model.model_validate(arguments, context=disclosure).model_dump_one_level()
        except ValidationError as error:
            problems = "; ".join(_problems(error, self.parameters))
            raise ArgumentError(f"{self.name} can't take these arguments: {problems}.") from None


def tool(
    fn: Callable[..., Awaitable[Facts]],
    *,
    title: str,
    writes: bool = False,
    destructive: bool = False,
    idempotent: bool = True,
    open_world: bool = True,
    output: type[Facts] | None = None,
    codes: bool = False,
) -> AttendanceTool:
    """The function as a tool; its docstring is the description, its return type the output schema.

    `output` stands for the return type where a subclass of it may be answered too. With `codes` people go by codes in
    place of ids.
    """
    hints = get_type_hints(fn, include_extras=True)
    first, *parameters = inspect.signature(fn).parameters.values()
    required: Any = ...
    fields = {one.name: (hints[one.name], required if one.default is one.empty else one.default) for one in parameters}
    arguments: type[StrictArguments] = create_model(fn.__name__, __base__=StrictArguments, **fields)  # type: ignore[call-overload]
    input_schema, output_schema = schemas_of(fn.__name__, arguments, output or hints["return"], codes=codes)
    return AttendanceTool(
        fn=fn,
        name=fn.__name__,
        title=title,
        description=inspect.cleandoc(fn.__doc__ or ""),
        parameters=input_schema,
        fn_metadata=FuncMetadata(arg_model=arguments, output_schema=output_schema),
        is_async=True,
        first=first.name,
        facts=output or hints["return"],
        context_kwarg=None,
        annotations=ToolAnnotations(
            title=title,
            read_only_hint=not writes,
            destructive_hint=destructive,
            idempotent_hint=idempotent,
            open_world_hint=open_world,
        ),
    )


# Pydantic speaks to programmers; whoever reads these never wrote a schema.
_WORDS = {
    "missing": "is missing",
    "bool_type": "true or false is expected",
    "int_type": "a whole number is expected",
    "string_type": "a text is expected",
    "list_type": "a list is expected",
    "model_type": "an object is expected",
    "literal_error": "one of {expected} is expected",
    "greater_than_equal": "at least {ge} is expected",
    "less_than_equal": "at most {le} is expected",
    "string_too_short": "it is empty",
    "string_too_long": "at most {max_length} characters are expected",
    "too_short": "the list is empty",
    "too_long": "at most {max_length} are expected at once",
}


def _problems(error: ValidationError, schema: dict[str, Any]) -> Iterable[str]:
    """One short sentence a wrong argument, without its value: that may be a child's."""
    problems = error.errors(include_url=False, include_input=False)
    for problem in problems[:5]:
        place = [part for part in problem["loc"] if not str(part).startswith("function-")]
        where = ".".join(map(str, place)) or "arguments"
        if problem["type"] == "extra_forbidden":
            known = ", ".join(schema["properties"].get(place[0], {}).get("items", {}).get("properties", ()))
            yield f"{'.'.join(map(str, place[:-1]))} knows no {str(place[-1])[:40]!r}, only {known}"
        elif problem["type"] in _WORDS:
            words = _WORDS[problem["type"]].format_map(problem.get("ctx", {}))
            words = words.replace("one of '', ", "one of ")  # that none is given is no choice with a name
            yield f"{where}: {words}"
        else:
            yield f"{where}: {problem['msg'].removeprefix('Value error, ')}"
    if len(problems) > 5:
        yield f"and {len(problems) - 5} more"


def _wrote(errand: Errand | None) -> str:
    return CANT_TELL if errand is not None and errand.sent else NOTHING_WRITTEN


def _where(error: BaseException) -> str:
    """The kind of the error and the line it came from, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "no frame"
    return f"{type(error).__name__} in {place}"
