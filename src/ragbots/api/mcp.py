"""MCP at `/mcp` (streamable HTTP): list the bots, search, ask, read an article, each with the caller's rights."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import date
from functools import wraps
from importlib import metadata
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, cast

from mcp.server import MCPServer
from mcp.server.mcpserver import Context as Call
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from typing_extensions import TypedDict

from ragbots.api.desk import Desk, base_url, context_of, let_in, note_refusal, still_let_in
from ragbots.api.problems import problem_of
from ragbots.api.requests import MAX_HITS, Day
from ragbots.api.shapes import PassageJson, passage_json
from ragbots.errors import TooManyRequests
from ragbots.shapes import AnswerJson, SearchJson, answer_json, beside, passage_url, search_json
from ragbots.types import Answer, Context, Question

if TYPE_CHECKING:
    from ragbots.runtime import Run

CHANNEL = "mcp"
_INSTRUCTIONS = (
    "Answers from an organisation's regulations (Korean). `ask` answers a question with checked citations, or says "
    "that the rules do not answer it; quote it with the addresses and links it gives. `search_regulations` and "
    "`get_article` give the regulations' own text."
)
_READING = ToolAnnotations(read_only_hint=True, open_world_hint=False)

P = ParamSpec("P")
Tool = Callable[P, Awaitable[CallToolResult]]

Bot = Annotated[str, Field(description="A bot's id, as list_bots gives it.", max_length=200)]
AsOf = Annotated[Day | None, Field(description="The day whose rules are asked for, YYYY-MM-DD; left out = today.")]


class ListedBotJson(TypedDict):
    id: str
    name: str
    description: str
    released: bool


class ListedBotsJson(TypedDict):
    bots: list[ListedBotJson]


class AskedJson(TypedDict):
    """`links` has for each citation's id the page that shows it in its article."""

    answer: AnswerJson
    links: dict[str, str]


class ArticleJson(TypedDict):
    passage: PassageJson
    url: str


class McpDoor:
    """The MCP server around one desk. It answers while `running()` is entered, once in its life."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        server: MCPServer[Any] = MCPServer(
            "ragbots", version=metadata.version("ragbots"), instructions=_INSTRUCTIONS,
            log_level="WARNING",  # it sets up the logging of the whole process
        )  # fmt: skip
        for tool in (self.list_bots, self.search_regulations, self.ask, self.get_article):
            server.add_tool(self._careful(tool), annotations=_READING)
        # Every request stands alone: none can be sent under a session that another caller began. Whose names this
        # server answers to is decided around the whole application.
        server.streamable_http_app(
            stateless_http=True,
            json_response=True,
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            max_request_body_size=desk.runtime.settings.max_body_bytes,
        )
        self._sessions = server.session_manager

    def running(self) -> AbstractAsyncContextManager[None]:
        return self._sessions.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            scope.setdefault("state", {})["principal"] = await let_in(request, self._desk, CHANNEL)
        except (HTTPException, TooManyRequests) as refused:
            await note_refusal(request, refused)
            await problem_of(refused).response()(scope, receive, send)
            return
        await self._sessions.handle_request(scope, receive, send)

    def _careful(self, tool: Tool[P]) -> Tool[P]:
        """The tool, giving nothing that its caller has lost the right to while it worked, and telling what goes wrong
        in the words for people, and of what is not known a number alone."""

        @wraps(tool)
        async def told(*args: P.args, **kwargs: P.kwargs) -> CallToolResult:
            request = _asking(cast(Call, kwargs["call"]))
            still = still_let_in(request, self._desk, request.state.principal)
            try:
                given = await tool(*args, **kwargs)
                if not await still():
                    raise HTTPException(401)
                return given
            except Exception as error:
                await note_refusal(request, error)
                raise ToolError(problem_of(error).detail) from error

        return told

    async def list_bots(self, call: Call) -> Annotated[CallToolResult, ListedBotsJson]:
        """Lists the bots that may be asked, each with the regulations it is for."""
        runtime = self._desk.runtime
        released = await self._desk.look_up(runtime.released)
        bots = [
            ListedBotJson(id=bot.id, name=bot.name, description=bot.description, released=bot.id in released)
            for bot in runtime.visible_bots(_asking(call).state.principal)
        ]
        lines = [f"- {bot['id']}: {bot['name']}. {bot['description']}".rstrip(" .") for bot in bots]
        return _result("\n".join(lines) or "물어볼 수 있는 챗봇이 없습니다.", ListedBotsJson(bots=bots))

    async def search_regulations(
        self,
        call: Call,
        bot: Bot,
        query: Annotated[str, Field(description="What is looked for, in Korean.")],
        k: Annotated[int, Field(ge=1, le=MAX_HITS, description="How many articles.")] = 5,
        as_of: AsOf = None,
    ) -> Annotated[CallToolResult, SearchJson]:
        """Finds the articles of one bot's regulations that fit best, with their text."""
        context = self._context(call, as_of)
        await self._desk.runtime.count_named(bot, context.principal)
        found = search_json(await self._desk.run_for(_asking(call))(self._desk.runtime.search, bot, query, k, context))
        texts = [f"[{hit['rank']}] {hit['source']} {hit['address']}\n{hit['text']}" for hit in found["hits"]]
        return _result("\n\n".join(texts) or "찾지 못했습니다.", found)

    async def ask(
        self,
        call: Call,
        question: Annotated[str, Field(description="The question, in plain Korean.")],
        bot: Annotated[
            str | None, Field(description="The bot to ask; left out = the fitting one.", max_length=200)
        ] = None,
        as_of: AsOf = None,
        conversation_id: Annotated[
            str | None, Field(description="Of an earlier answer, to go on from there.", max_length=43)
        ] = None,
    ) -> Annotated[CallToolResult, AskedJson]:
        """Answers a question from the regulations with checked citations, or says that they do not answer it."""
        request, runtime = _asking(call), self._desk.runtime
        if conversation_id is not None:
            conversation_id = await self._desk.look_up(runtime.memory.own, conversation_id, request.state.principal)
        asked = Question(question, bot, conversation_id=conversation_id)
        answer = answer_json(await self._answer(asked, self._context(call, as_of), self._desk.run_for(request)))
        base = base_url(request, self._desk)
        cited = [*answer["citations"], *answer["related"]]
        links = {citation["id"]: passage_url(base, citation["id"]) for citation in cited}
        text = "\n\n".join(part for part in (answer["answer"], beside(answer, base)) if part)
        return _result(text, AskedJson(answer=answer, links=links))

    async def get_article(
        self,
        call: Call,
        bot: Bot,
        address: Annotated[
            str, Field(description="Where it stands: `제17조의2 제1항`, `별표 3`, `부칙 제2조`.", max_length=200)
        ],
        document: Annotated[
            str | None,
            Field(description="The document's title or path, where several have such an article.", max_length=500),
        ] = None,
        as_of: AsOf = None,
    ) -> Annotated[CallToolResult, ArticleJson]:
        """Reads an article of a regulation by its address, whole."""
        passage = passage_json(
            await self._desk.look_up(self._desk.runtime.article, bot, address, document, self._context(call, as_of))
        )
        url = passage_url(base_url(_asking(call), self._desk), passage["id"])
        text = "\n".join([" › ".join(passage["breadcrumb"]), *(block["text"] for block in passage["blocks"]), url])
        return _result(text, ArticleJson(passage=passage, url=url))

    async def _answer(self, question: Question, context: Context, run: Run) -> Answer:
        given: Answer | None = None
        async with aclosing(self._desk.runtime.answers(question, context, run)) as parts:
            async for part in parts:
                given = part if isinstance(part, Answer) else given
        assert given is not None
        return given

    def _context(self, call: Call, as_of: date | None) -> Context:
        request = _asking(call)
        return context_of(request, self._desk, request.state.principal, as_of)


def _asking(call: Call) -> Request:
    """The HTTP request that a call came with."""
    request = call.request_context.request
    assert isinstance(request, Request)
    return request


def _result(text: str, structured: Mapping[str, Any]) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=dict(structured))
