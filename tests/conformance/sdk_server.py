"""An MCP server of the official Python SDK that asks its clients things, reports progress, logs, can be cancelled
and tells of changes:   sdk_server.py stdio | sdk_server.py PORT [legacy-sse]"""

import sys

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
    SamplingMessage,
    TextContent,
)
from pydantic import BaseModel

MODERN = "2026-07-28"
THING = "test://thing"

server = MCPServer("sdk-server")
cancelled = []


class Name(BaseModel):
    name: str


def is_modern(ctx):
    return (ctx.protocol_version or "") >= MODERN


@server.tool()
async def greet(ctx: Context) -> str | InputRequiredResult:
    """Asks the user for a name."""
    if not is_modern(ctx):
        answer = await ctx.elicit(message="Who are you?", schema=Name)
        return f"hello {answer.data.name}"
    if ctx.input_responses:
        return f"hello {ctx.input_responses['name'].content['name']}"
    return InputRequiredResult(input_requests={"name": ElicitRequest(params=ElicitRequestFormParams(
        message="Who are you?", requested_schema=Name.model_json_schema()))})


@server.tool()
async def think(ctx: Context) -> str | InputRequiredResult:
    """Asks the client's model."""
    question = [SamplingMessage(role="user", content=TextContent(type="text", text="What is the answer?"))]
    if not is_modern(ctx):
        answer = await ctx.session.create_message(messages=question, max_tokens=10, related_request_id=ctx.request_id)
        return f"it is {answer.content.text}"
    if ctx.input_responses:
        return f"it is {ctx.input_responses['answer'].content.text}"
    return InputRequiredResult(input_requests={"answer": CreateMessageRequest(
        params=CreateMessageRequestParams(messages=question, max_tokens=10))})


@server.tool()
async def steps(ctx: Context) -> str:
    """Reports its progress."""
    for step in (1, 2, 3):
        await ctx.report_progress(progress=step, total=3, message=f"step {step}")
    return "done"


@server.tool()
async def tell(ctx: Context) -> str:
    """Writes to the client's log."""
    await ctx.info("listen")
    return "told"


@server.tool()
async def wait(name: str) -> str:
    """Answers when it is cancelled, which is never."""
    try:
        await anyio.sleep_forever()
    except anyio.get_cancelled_exc_class():
        cancelled.append(name)
        raise
    return "never"


@server.tool()
def was_cancelled() -> list[str]:
    """Whose waiting was cancelled."""
    return cancelled


@server.resource(THING)
def thing() -> str:
    """A resource that changes."""
    return "thing"


@server.tool()
async def touch(ctx: Context) -> str:
    """Changes the resource."""
    if is_modern(ctx):
        await ctx.notify_resource_updated(THING)
    else:
        await ctx.session.send_resource_updated(THING)
    return "touched"


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        server.run("sse" if "legacy-sse" in sys.argv else "streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
