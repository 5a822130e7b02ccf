"""The names that the conformance suite calls, added to the server that our own factory builds.

Nothing here is of attendance. What is tried is what lies below the tools: the SDK as our composition root sets it up.
Run as `python -m tests.conformance.fixtures PORT`; the settings come from the environment.
"""

# Not postponed: the SDK looks for its context among the annotations of functions made inside functions.
import base64
import json
import sys
import warnings
from typing import Annotated, Any

import anyio
import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp.types import (
    AudioContent,
    CallToolResult,
    Completion,
    CompletionArgument,
    CompletionContext,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    InputRequiredResult,
    ListRootsRequest,
    PromptReference,
    ResourceTemplateReference,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import Field

from attendance_mcp.server import build
from attendance_mcp.settings import Settings

Call = Context[Any, Any]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = base64.b64encode(b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0\x80>\0\0\x02\0\x10\0data\0\0\0\0").decode()
OF_THE_SUITE = "What the conformance suite calls by this name."
PAUSE = 0.05  # what the suite asks for between two messages


def add_fixtures(server: MCPServer[Any]) -> None:
    """Everything that the suite calls by name."""
    for add in (_contents, _messages, _questions, _inputs, _schemas, _resources, _prompts, _older_requests):
        add(server)


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)


def _contents(server: MCPServer[Any]) -> None:
    image = ImageContent(type="image", data=PNG, mime_type="image/png")

    def resource(uri: str, kind: str, text: str) -> EmbeddedResource:
        return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=kind, text=text))

    @server.tool(description=OF_THE_SUITE)
    def test_simple_text() -> CallToolResult:
        return CallToolResult(content=[_text("This is a simple text response for testing.")])

    @server.tool(description=OF_THE_SUITE)
    def test_image_content() -> CallToolResult:
        return CallToolResult(content=[image])

    @server.tool(description=OF_THE_SUITE)
    def test_audio_content() -> CallToolResult:
        return CallToolResult(content=[AudioContent(type="audio", data=WAV, mime_type="audio/wav")])

    @server.tool(description=OF_THE_SUITE)
    def test_embedded_resource() -> CallToolResult:
        text = "This is an embedded resource content."
        return CallToolResult(content=[resource("test://embedded-resource", "text/plain", text)])

    @server.tool(description=OF_THE_SUITE)
    def test_multiple_content_types() -> CallToolResult:
        data = resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
        return CallToolResult(content=[_text("Multiple content types test:"), image, data])

    @server.tool(description=OF_THE_SUITE)
    def test_error_handling() -> CallToolResult:
        return CallToolResult(content=[_text("This tool intentionally returns an error for testing")], is_error=True)


def _messages(server: MCPServer[Any]) -> None:
    async def log(context: Call, *lines: str) -> None:
        for number, line in enumerate(lines):
            if number:
                await anyio.sleep(PAUSE)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", MCPDeprecationWarning)  # of the older era, which still has it
                await context.info(line)

    @server.tool(description=OF_THE_SUITE)
    async def test_tool_with_logging(context: Call) -> str:
        await log(context, "Tool execution started", "Tool processing data", "Tool execution completed")
        return "Three messages were logged."

    @server.tool(description=OF_THE_SUITE)
    async def test_tool_with_progress(context: Call) -> str:
        for number, done in enumerate((0, 50, 100)):
            if number:
                await anyio.sleep(PAUSE)
            await context.report_progress(done, 100)
        return "Three steps were reported."


def _questions(server: MCPServer[Any]) -> None:
    """What the older era asks while a call waits."""

    async def ask(context: Call, message: str, properties: dict[str, Any], required: list[str] | None = None) -> str:
        schema = {"type": "object", "properties": properties, "required": required or []}
        result = await context.session.elicit_form(message, schema, related_request_id=context.request_id)
        return f"action={result.action}, content={json.dumps(result.content or {})}"

    @server.tool(description=OF_THE_SUITE)
    async def test_sampling(prompt: str, context: Call) -> str:
        messages = [SamplingMessage(role="user", content=_text(prompt))]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MCPDeprecationWarning)
            result = await context.session.create_message(
                messages, max_tokens=100, related_request_id=context.request_id
            )
        return f"LLM response: {result.content.text if isinstance(result.content, TextContent) else ''}"

    @server.tool(description=OF_THE_SUITE)
    async def test_elicitation(message: str, context: Call) -> str:
        answers = {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        }
        return f"User response: {await ask(context, message, answers, list(answers))}"

    @server.tool(description=OF_THE_SUITE)
    async def test_elicitation_sep1034_defaults(context: Call) -> str:
        fields = {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
            "verified": {"type": "boolean", "default": True},
        }
        return f"Elicitation completed: {await ask(context, 'Please check these values', fields)}"

    @server.tool(description=OF_THE_SUITE)
    async def test_elicitation_sep1330_enums(context: Call) -> str:
        plain = ["option1", "option2", "option3"]
        titled = [{"const": f"value{n}", "title": f"Option {n}"} for n in (1, 2, 3)]
        fields = {
            "untitledSingle": {"type": "string", "enum": plain},
            "titledSingle": {"type": "string", "oneOf": titled},
            "legacyEnum": {"type": "string", "enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]},
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
            "titledMulti": {"type": "array", "items": {"anyOf": titled}},
        }
        return f"Elicitation completed: {await ask(context, 'Please choose', fields)}"


def _form(message: str, **fields: str) -> ElicitRequest:
    schema = {"type": "object", "properties": {name: {"type": kind} for name, kind in fields.items()}}
    return ElicitRequest(
        params=ElicitRequestFormParams(message=message, requested_schema={**schema, "required": list(fields)})
    )


def _sample(text: str, tokens: int = 100) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=_text(text))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=tokens))


NAME = {"user_name": _form("What is your name?", name="string")}
Answered = CallToolResult | InputRequiredResult


def _inputs(server: MCPServer[Any]) -> None:
    """What the newer era answers with, for the call to come again."""

    def done(text: str) -> CallToolResult:
        return CallToolResult(content=[_text(text)])

    def first(state: str | None = None, **requests: Any) -> InputRequiredResult:
        return InputRequiredResult(input_requests=requests, request_state=state)

    def given(context: Call, *keys: str) -> dict[str, Any] | None:
        responses = context.input_responses or {}
        return {key: responses[key] for key in keys} if all(key in responses for key in keys) else None

    @server.tool(description=OF_THE_SUITE)
    async def test_input_required_result_elicitation(context: Call) -> Answered:
        answers = given(context, "user_name")
        if answers is None or not isinstance(answers["user_name"], ElicitResult):
            return first(**NAME)
        return done(f"Hello, {(answers['user_name'].content or {}).get('name')}!")

    @server.tool(description=OF_THE_SUITE)
    async def test_input_required_result_sampling(context: Call) -> Answered:
        answers = given(context, "capital_question")
        asked = first(capital_question=_sample("What is the capital of France?"))
        return asked if answers is None else done(answers["capital_question"].content.text)

    @server.tool(description=OF_THE_SUITE)
    async def test_input_required_result_list_roots(context: Call) -> Answered:
        answers = given(context, "client_roots")
        if answers is None:
            return first(client_roots=ListRootsRequest())
        return done(", ".join(str(root.uri) for root in answers["client_roots"].roots))

    @server.tool(description=OF_THE_SUITE)
    async def test_input_required_result_request_state(context: Call) -> Answered:
        if given(context, "confirm") is None or context.request_state != "asked to confirm":
            return first("asked to confirm", confirm=_form("Please confirm", ok="boolean"))
        return done("state-ok")

    @server.tool(description=OF_THE_SUITE)
    async def test_input_required_result_multiple_inputs(context: Call) -> Answered:
        if given(context, "user_name", "greeting", "client_roots") is None:
            requests = {**NAME, "greeting": _sample("Generate a greeting", 50), "client_roots": ListRootsRequest()}
            return first("asked for three", **requests)
        return done("All three were given.")

    @server.tool(description=OF_THE_SUITE)
    async def test_input_required_result_multi_round(context: Call) -> Answered:
        if given(context, "step1") is None and given(context, "step2") is None:
            return first("1", step1=_form("Step 1: What is your name?", name="string"))
        if context.request_state == "1":
            return first("2", step2=_form("Step 2: What is your favorite color?", color="string"))
        return done("Both steps were answered.")

    @server.tool(description=OF_THE_SUITE)
    async def test_input_required_result_tampered_state(context: Call) -> Answered:
        if context.request_state is None:
            return first("whole", confirm=_form("Please confirm", ok="boolean"))
        return done("The state came back whole.")

    @server.tool(description=OF_THE_SUITE)
    async def test_input_required_result_capabilities(context: Call) -> Answered:
        declared = context.client_capabilities
        requests: dict[str, Any] = {}
        if declared and declared.sampling is not None:
            requests["capital_question"] = _sample("What is the capital of France?")
        if declared and declared.elicitation is not None:
            requests |= NAME
        return first(**requests) if requests and not context.input_responses else done("Nothing more to ask.")

    @server.tool(description=OF_THE_SUITE)
    async def test_missing_capability(context: Call) -> Answered:
        declared = context.client_capabilities
        if declared is None or declared.sampling is None:
            raise MCPError(
                code=-32021,
                message="Missing required client capability",
                data={"requiredCapabilities": {"sampling": {}}},
            )
        return done("The client can sample.")

    @server.tool(description=OF_THE_SUITE)
    async def test_streaming_elicitation(context: Call) -> Answered:
        return first(**NAME) if given(context, "user_name") is None else done("Thank you.")


JSON_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def _schemas(server: MCPServer[Any]) -> None:
    @server.tool(description=OF_THE_SUITE)
    def json_schema_2020_12_tool() -> str:
        return "The schema is what counts."

    server._tool_manager.get_tool("json_schema_2020_12_tool").parameters = JSON_SCHEMA  # type: ignore[union-attr]

    @server.tool(description=OF_THE_SUITE)
    def test_custom_headers(
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})] = "",
    ) -> str:
        return f"Region {region}."


def _resources(server: MCPServer[Any]) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})

    @server.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:
        return "This one may be watched."


def _prompts(server: MCPServer[Any]) -> None:
    @server.prompt(description=OF_THE_SUITE)
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description=OF_THE_SUITE)
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description=OF_THE_SUITE)
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803 the suite's name
        text = TextResourceContents(
            uri=resourceUri, mime_type="text/plain", text="Embedded resource content for testing."
        )
        return [
            UserMessage(EmbeddedResource(type="resource", resource=text)),
            UserMessage("Please process the embedded resource above."),
        ]

    @server.prompt(description=OF_THE_SUITE)
    def test_prompt_with_image() -> list[UserMessage]:
        image = ImageContent(type="image", data=PNG, mime_type="image/png")
        return [UserMessage(image), UserMessage("Please analyze the image above.")]

    @server.prompt(description=OF_THE_SUITE)
    async def test_input_required_result_prompt(context: Call) -> Any:
        answer = (context.input_responses or {}).get("user_context")
        if not isinstance(answer, ElicitResult):
            form = _form("What context should the prompt use?", context="string")
            return InputRequiredResult(input_requests={"user_context": form})
        return f"The context is {(answer.content or {}).get('context')}."


def _older_requests(server: MCPServer[Any]) -> None:
    """Requests that the SDK's server knows no decorator for."""
    add = server._lowlevel_server.add_request_handler

    async def nothing(_context: Any, _params: Any) -> EmptyResult:
        return EmptyResult()

    add("logging/setLevel", SetLevelRequestParams, nothing)
    add("resources/subscribe", SubscribeRequestParams, nothing)
    add("resources/unsubscribe", UnsubscribeRequestParams, nothing)

    @server.completion()
    async def complete(
        reference: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        return Completion(values=[], total=0, has_more=False)


def main(port: int) -> None:
    """Serves with sessions: without them a client of the older era can't be asked."""
    server = build(Settings(demo=True, writes="confirm"), http=True)
    add_fixtures(server)
    uvicorn.run(server.streamable_http_app(), host="127.0.0.1", port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
