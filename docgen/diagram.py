"""The architecture diagram, drawn from the resources that the program registers."""

import re
from dataclasses import dataclass
from itertools import groupby

from docgen import PICTURES
from docgen.svg import box, document, path, text
from local.plan import Plan, Registered, plan

ARCHITECTURE = PICTURES / "architecture.svg"

WIDTH, HEIGHT = 1220, 708
TOP, ROW = 76, 46
BROWSER_X, BROWSER_W = 24, 232
API_X, API_W = 376, 184
LAMBDA_X, LAMBDA_W = 610, 284
TABLES_X, TABLES_W = 974, 222
TABLE_HEIGHT = 112
WATCHED = {"alert_email": "you@example.org", "monitoring": "true"}
"""Config that creates all optional resources in the diagram."""

_READS = {"GetItem", "BatchGetItem", "Query", "Scan"}

STYLE = """  .use { fill: none; stroke-width: 1.6; opacity: .8; }
  .reads { stroke-dasharray: 5 4; }
"""


@dataclass(frozen=True)
class Use:
    """A function's access to a table."""

    table: str
    writes: bool


@dataclass(frozen=True)
class Route:
    """A route and its function."""

    key: str
    function: str
    memory_mb: int
    uses: tuple[Use, ...]
    posts: bool


@dataclass(frozen=True)
class Function:
    """A function, and the first and last row of its routes."""

    name: str
    memory_mb: int
    uses: tuple[Use, ...]
    posts: bool
    first: int
    last: int


def make_diagram() -> None:
    """Write docs/pictures/architecture.svg."""
    ARCHITECTURE.write_text(draw(plan(), plan(config=WATCHED)), encoding="utf-8")


def routes(planned: Plan) -> list[Route]:
    """Return the routes in the order in which a connection uses them, grouped by function."""
    found = [_route(planned, route) for route in planned.all("Route")]
    order = ["$connect", "sendmessage", "join", "leave", "history", "typing", "ping", "$disconnect", "$default"]
    return sorted(found, key=lambda one: order.index(one.key) if one.key in order else len(order))


def functions(planned: Plan) -> list[Function]:
    """Return the functions in the order of their routes."""
    found = []
    for _, rows in groupby(enumerate(routes(planned)), key=lambda row: row[1].function):
        numbered = list(rows)
        (first, route), (last, _) = numbered[0], numbered[-1]
        found.append(Function(route.function, route.memory_mb, route.uses, route.posts, first, last))
    return found


def _route(planned: Plan, route: Registered) -> Route:
    integration = route.inputs["target"].removeprefix("integrations/").removesuffix("-id")
    uri = planned.one("Integration", integration).inputs["integrationUri"]
    function = next(one for one in planned.all("Function") if f"/{one.inputs['name']}/invocations" in uri)
    policy = next(one for one in planned.all("RolePolicy") if one.parent == function.parent)
    actions: dict[str, set[str]] = {}
    posts = False
    for statement in policy.json("policy")["Statement"]:
        table = re.search(r":table/([^/]+)", statement["Resource"])
        posts = posts or "execute-api:ManageConnections" in statement["Action"]
        if table:
            actions.setdefault(table.group(1), set()).update(each.partition(":")[2] for each in statement["Action"])
    return Route(
        key=route.inputs["routeKey"],
        function=function.inputs["name"],
        memory_mb=function.inputs["memorySize"],
        uses=tuple(Use(table, writes=not of <= _READS) for table, of in sorted(actions.items())),
        posts=posts,
    )


def draw(planned: Plan, watched: Plan) -> str:
    """Return the SVG of a program; `watched` is the same program under the config WATCHED."""
    parts = [
        *_browser(planned),
        *_api(planned),
        *_functions(planned),
        *_tables(planned),
        *_around(planned, watched),
    ]
    about = (
        "A browser loads the page from S3 and holds a WebSocket to API Gateway. Each route starts a Lambda function, "
        "which reads and writes DynamoDB and posts to the sockets of the room."
    )
    return document((WIDTH, HEIGHT), "Architecture of the chat", about, parts, STYLE)


def _row_y(index: int) -> float:
    return TOP + 56 + index * ROW


def _bottom(planned: Plan) -> float:
    return _row_y(len(planned.all("Route"))) + 62


def _browser(planned: Plan) -> list[str]:
    bottom = _bottom(planned)
    site_top = bottom - 150
    bucket = planned.one("Bucket")
    middle = BROWSER_X + BROWSER_W / 2
    post_y = bottom - 42
    return [
        box((BROWSER_X, TOP), (BROWSER_W, 176)),
        text(middle, TOP + 28, "Browsers", "head", "middle"),
        *[
            part
            for index, name in enumerate(("Tab 1", "Tab 2"))
            for part in (
                box((BROWSER_X + 18, TOP + 46 + index * 44), (BROWSER_W - 36, 34), "card", 7),
                text(middle, TOP + 68 + index * 44, name, "", "middle"),
            )
        ],
        text(middle, TOP + 156, "one WebSocket each", "small", "middle"),
        box((BROWSER_X, site_top), (BROWSER_W, 150)),
        text(middle, site_top + 28, "S3: the page", "head", "middle"),
        text(middle, site_top + 52, "index.html, config.json", "", "middle"),
        text(middle, site_top + 74, "v-…/ with all other files", "small", "middle"),
        text(middle, site_top + 94, f"bucket {bucket.inputs['bucketPrefix']}…", "small", "middle"),
        text(middle, site_top + 122, "or behind CloudFront, by config", "small", "middle"),
        path(f"M{middle - 60:g} {site_top}V{TOP + 179}", "flow"),
        text(middle - 48, (site_top + TOP + 178) / 2 + 4, "loads the page", "small"),
        path(f"M{BROWSER_X + BROWSER_W} {TOP + 70}H{API_X - 3}", "flow"),
        text((BROWSER_X + BROWSER_W + API_X) / 2, TOP + 60, "frames, wss", "small", "middle"),
        path(
            f"M{API_X + 12} {post_y}H{API_X - 30}V{TOP + 130}H{BROWSER_X + BROWSER_W + 3}",
            "flow",
        ),
        text(API_X - 40, TOP + 222, "frames to", "small", "end"),
        text(API_X - 40, TOP + 240, "the room", "small", "end"),
    ]


def _api(planned: Plan) -> list[str]:
    api, stage = planned.one("Api").inputs, planned.one("Stage").inputs
    bottom = _bottom(planned)
    throttle = stage["defaultRouteSettings"]
    parts = [
        text(API_X, TOP - 38, "API Gateway", "head"),
        text(API_X, TOP - 18, f"{api['name']}, stage {stage['name']}", "small"),
        box((API_X, TOP), (API_W, bottom - TOP)),
        text(
            API_X + API_W / 2, TOP + 28, f"route by {api['routeSelectionExpression'].rpartition('.')[2]}", "", "middle"
        ),
        text(
            API_X + API_W / 2,
            TOP + 46,
            f"{throttle['throttlingRateLimit']}/s, burst {throttle['throttlingBurstLimit']}",
            "small",
            "middle",
        ),
    ]
    for index, route in enumerate(routes(planned)):
        y = _row_y(index)
        parts += [
            box((API_X + 12, y), (API_W - 24, 34), "card", 7),
            text(API_X + 24, y + 22, route.key, "mono"),
            path(f"M{API_X + API_W - 12} {y + 17}H{LAMBDA_X + 12}", "link"),
        ]
    y = bottom - 58
    return [
        *parts,
        box((API_X + 12, y), (API_W - 24, 34), "card", 7),
        text(API_X + 24, y + 22, "@connections", "mono"),
    ]


def _functions(planned: Plan) -> list[str]:
    bottom = _bottom(planned)
    one = planned.all("Function")[0].inputs
    shown = functions(planned)
    posting = sum(function.posts for function in shown)
    y = bottom - 41
    parts = [
        text(LAMBDA_X, TOP - 38, "Lambda", "head"),
        text(LAMBDA_X, TOP - 18, f"{one['runtime']}, {one['architectures'][0]}, a role for each", "small"),
        box((LAMBDA_X, TOP), (LAMBDA_W, bottom - TOP)),
        text(LAMBDA_X + LAMBDA_W / 2, TOP + 34, "event → parse → operation → status", "small", "middle"),
        path(f"M{LAMBDA_X + 12} {y}H{API_X + API_W - 9}", "flow"),
        text(LAMBDA_X + 20, y + 5, f"{posting} of them post to sockets (➤)", "small"),
    ]
    for function in shown:
        top, bottom = _row_y(function.first), _row_y(function.last) + 34
        middle = (top + bottom) / 2 + 5
        parts += [
            box((LAMBDA_X + 12, top), (LAMBDA_W - 24, bottom - top), "card", 7),
            text(LAMBDA_X + 24, middle, function.name + (" ➤" if function.posts else "")),
            text(LAMBDA_X + LAMBDA_W - 22, middle, f"{function.memory_mb} MB", "small", "end"),
        ]
    return parts


def _tables(planned: Plan) -> list[str]:
    tables = sorted(planned.all("Table"), key=lambda table: table.inputs["name"])
    parts = [
        text(TABLES_X, TOP - 38, "DynamoDB", "head"),
        text(TABLES_X, TOP - 18, "solid: writes; dashed: only reads", "small"),
    ]
    space = (_bottom(planned) - TOP - TABLE_HEIGHT * len(tables)) / max(1, len(tables) - 1)
    place = {}
    for index, table in enumerate(tables):
        top = TOP + index * (TABLE_HEIGHT + space)
        given = table.inputs
        place[given["name"]] = (index, top)
        keys = ", ".join(key for key in (given["hashKey"], given.get("rangeKey")) if key)
        lines = [f"key {keys}"]
        for one in given.get("globalSecondaryIndexes", []):
            lines.append(f"index {one['name']}")
            lines.append(f"({', '.join(key['attributeName'] for key in one['keySchemas'])})")
        parts += [
            box((TABLES_X, top), (TABLES_W, TABLE_HEIGHT)),
            f'<rect x="{TABLES_X}" y="{top:g}" width="6" height="{TABLE_HEIGHT}" rx="3" fill="var(--t{index})"/>',
            text(TABLES_X + 20, top + 28, given["name"], "head"),
            *[text(TABLES_X + 20, top + 52 + 20 * number, line, "small") for number, line in enumerate(lines)],
        ]
    coming: dict[str, int] = {}
    shown = functions(planned)
    users = {name: sum(use.table == name for function in shown for use in function.uses) for name in place}
    for function in shown:
        for number, use in enumerate(function.uses):
            table_index, top = place[use.table]
            rank = coming[use.table] = coming.get(use.table, 0) + 1
            start_x, start_y = LAMBDA_X + LAMBDA_W - 12, _row_y(function.first) + 9 + 8 * number
            end_y = top + TABLE_HEIGHT * rank / (users[use.table] + 1)
            bend = (TABLES_X - start_x) / 2
            parts.append(
                path(
                    f"M{start_x:g} {start_y:g}C{start_x + bend:g} {start_y:g} {TABLES_X - bend:g} {end_y:g} "
                    f"{TABLES_X} {end_y:g}",
                    "use" if use.writes else "use reads",
                    f' stroke="var(--t{table_index})"',
                ),
            )
    return parts


def _around(planned: Plan, watched: Plan) -> list[str]:
    top = _bottom(planned) + 22
    groups = planned.all("LogGroup")
    days = groups[0].inputs["retentionInDays"]
    notes = [
        ("CloudWatch Logs", f"{len(groups)} groups, {days} days"),
        ("IAM", f"{len(planned.all('Role'))} roles, just what each function does"),
        ("Budgets, with alert_email", f"{len(watched.all('Budget'))} budgets with mails"),
        (
            "Alarms, with monitoring",
            f"{len(watched.all('MetricAlarm'))} alarms, {len(watched.all('Dashboard'))} dashboard",
        ),
    ]
    width = (WIDTH - 2 * BROWSER_X - 3 * 16) / 4
    parts = []
    for index, (head, line) in enumerate(notes):
        x = BROWSER_X + index * (width + 16)
        parts += [
            box((x, top), (width, 58)),
            text(x + 16, top + 25, head, "head"),
            text(x + 16, top + 45, line, "small"),
        ]
    return parts
