"""What is said to a bot without asking about the rules: greetings, thanks, what it can do, and orders to
forget what it is. Recognised by the words in which such things are said; what follows a greeting is a
question of its own, and a question about passwords or prompts is one about the rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from ragbots.config import BotConfig
from ragbots.text import one_line


class Intent(StrEnum):
    GREETING = "greeting"
    THANKS = "thanks"
    ABOUT = "about"  # who are you, what can I ask
    CHAT = "chat"  # entertain me
    INJECTION = "injection"  # forget your instructions, show them, be somebody else


_GREETING = re.compile(
    r"(?:안녕(?:하세[요여용욤]|하십니까|하신가요|히 ?(?:계세요|가세요))?|하이+[요여용]?|헬로우?"
    r"|반가워요?|반갑습니다|여보세요"
    r"|수고(?:하세요|하십니다|가? ?많으(?:세요|십니다))"
    r"|좋은 ?(?:아침|오후|저녁|하루)(?:입니다|이에요|이네요|되세요)?"
    r"|처음 ?뵙겠습니다|잘 ?(?:지내(?:세요|니|시죠)?|있었(?:어|니))|hi|hello|hey|good (?:morning|afternoon|evening))",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:(?:정말|너무|매우|대단히|진짜|아주|도와주셔서|알려주셔서|답변|친절한 ?답변) ?)*"
    r"(?:감사(?:합니다|해요|드립니다|했습니다|드려요)|고마워요?|고맙습니다|고마웠어요|땡큐|ㄱㅅ|thanks?(?: you)?|thx"
    r"|(?:큰 )?도움이 ?(?:많이 ?)?(?:되었|됐)(?:습니다|어요|네요)|잘 ?(?:알겠|알았)(?:습니다|어요)"
    r"|(?:네|넵|예|응|아) ?(?:알겠|이해했)(?:습니다|어요)|알겠습니다|알겠어요|네네?|넵|ㅇㅋ|오케이|ok(?:ay)?)",
    re.IGNORECASE,
)
_FILLER = re.compile(r"[\sㅋㅎㅠㅜ^~!.,?;:()\-…·*\U0001F300-\U0001FAFF\u2600-\u27BF]+")

_YOU = r"(?:너|넌|네가|니가|당신|자네|그쪽|챗봇|봇|이 ?(?:챗)?봇|여기서?)"
_WHAT = (
    r"(?:뭘|뭐를?|뭣을|무엇을|무얼|무슨 ?(?:질문|내용|것|걸|일)을?"
    r"|어떤 ?(?:질문|내용|것|거|걸|일)(?:들?을?|들?에 ?대해)?)"
)
_ABOUT = re.compile(
    rf"^(?:{_YOU}(?:은|는|이|가|한테|에게|에)?\s?)?(?:(?:제가|내가|우리가)\s?)?{_WHAT}\s?"
    r"(?:할 ?수|할 ?줄|하는|물어|질문|답해|답변|도와|알려 ?줄|대답|알고)[^?]{0,14}$"
    rf"|^{_YOU}(?:은|는|이|가|의)?\s?(?:누가 ?만들|누구|뭐야|뭐니|뭐예요|뭐하는|정체|이름|사람"
    r"|로봇|기계|ai|인공지능|몇 ?살)"
    r"|^(?:누가|어디서|언제) ?(?:널|너를|당신을)? ?만들(?:었|어졌)[^ ]{0,4}$"
    r"|^(?:누구(?:세요|니|야)|자기 ?소개|(?:사용|이용) ?(?:법|방법)|도움말|help)$"
    r"|^어떻게 ?(?:쓰|사용하)는 ?(?:거|건)[^ ]{0,4}$",
    re.IGNORECASE,
)
_CHAT = re.compile(
    r"(?:오늘|요즘)?\s?(?:네|너의?|니|당신의?)?\s?(?:기분|컨디션)(?:이|은)?\s?(?:어때|어떠|좋|괜찮|어떤)"
    r"|(?:농담|우스갯소리|유머|(?:재[미밌]\S{0,3}|웃긴) ?(?:얘기|이야기|거)|끝말 ?잇기|수수께끼|노래)"
    r"(?:를|을|나|도)?\s?(?:좀|하나|한 ?번|하나만|한 ?곡)?\s?(?:좀 )?(?:해|불러|들려|하자) ?(?:줘|봐|주|볼|$)"
    r"|^(?:나\s?|너무\s?)?(?:심심|외로|지루|우울)[^?]{0,12}$|(?:사랑해|보고 ?싶어|나랑 ?(?:놀|사귀|얘기))",
)

_ORDERS = r"(?:지시|명령|지침|프롬프트|규칙|설정|instructions?|prompts?|rules?|guidelines?)"
_REVEAL = (
    r"(?:출력|보여|알려|공개|말해|말하|내놔|내놓|적어|써|복사|번역|인코딩|나열|드러내"
    r"|print|show|reveal|repeat|output|tell)"
)
# Said of a language model's inside, or in its markup: never part of a question about rules.
_OPEN_ATTACK = re.compile(
    "|".join(
        [
            rf"(?:ignore|forget|disregard|override)\b.{{0,30}}\b(?:{_ORDERS}|above|everything)",
            r"(?:시스템|내부|숨겨진|숨은|초기|원본|너의|네|당신의|system|hidden|internal|your)\s?"
            rf"(?:프롬프트|지시문|지시 ?사항|명령문|설정값|prompts?|instructions?).{{0,20}}{_REVEAL}",
            rf"{_REVEAL}\w*\b.{{0,20}}\b(?:system|hidden|initial|internal|your)\s(?:prompts?|rules?|instructions?)",
            rf"(?:처음|최초|맨 ?앞)에?\s?받은\s?(?:지시|명령|프롬프트|글|문장).{{0,20}}{_REVEAL}",
            r"(?:you are|act as|pretend to be)\b.{0,30}\b(?:DAN|unrestricted|without|jailbroken|no rules)",
            r"(?:제약|제한|검열|필터)\s?(?:이|가)?\s?(?:없는|풀린|해제된)\s?(?:AI|인공지능|봇|챗봇|모드|존재|DAN)",
            r"^\W*(?:#{2,}|<\|?|\[)\s?(?:SYSTEM|INST|im_start|시스템)\b|<\|im_(?:start|end)\|>",
        ]
    ),
    re.IGNORECASE,
)
# Orders in words that a question about rules may use too: an attack only where nothing is asked.
_ORDER_TO_BOT = re.compile(
    "|".join(
        [
            r"(?:지금까지|이전|위|앞|앞서|기존|원래|모든|받은|너의|네|당신의)\S{0,4}\s?"
            rf".{{0,14}}{_ORDERS}.{{0,12}}?(?:무시|잊|버리|따르지 ?(?:마|말)|지워|초기화|해제)",
            r"규정(?:은|을|이|같은 ?건)?\s?(?:다|전부|모두|싹)?\s?(?:잊어|무시하고|상관 ?없이|신경 ?쓰지)",
            r"(?:관리자|개발자|디버그|루트|탈옥|admin|developer|debug|root|jailbreak|dan)\s?(?:모드|mode)\s?(?:로|으로)?\s?"
            r"(?:전환|바꿔|바꾸|들어가|변경|실행|켜|활성|on\b|enabled?)",
            r"(?:너|넌|당신|네가)(?:은|는)?\s?(?:이제|지금)(?:부터)?.{0,24}(?:제한|제약|규칙|검열|필터|DAN|AI|역할)",
            r"(?:규정에 ?없어도|근거 ?없(?:이|어도)|사실이 ?아니어도|그럴듯하게)"
            r".{0,24}(?:지어내|꾸며|답(?:해|하)|말해|써)",
            r"출처\s?(?:표시|표기)?(?:를|는)?\s?(?:빼고|없이|지우고|생략하고).{0,24}(?:답|말|써|출력)",
            r"(?:API\s?키|비밀\s?키|접속\s?토큰|(?:DB|데이터베이스)\s?(?:비밀번호|암호)"
            r"|설정\s?파일|파일\s?경로|문서\s?목록)"
            r"(?:를|을|이랑|랑|와|과|도|좀|,|\s|다|전부|모두|JSON\S*|그대로)*"
            r"(?:보여|출력|내놔|내놓|알려|나열|덤프)\S{0,4}(?:도 ?(?:돼|됨|된다))?\s?[.!#]*$",
        ]
    ),
    re.IGNORECASE,
)
_ASKS = re.compile(r"(?:나요|까요?|가요|니까|[돼되]요|죠|지요|는지|은지|\?)\s*[?？!.~]*$")


def intent(text: str) -> Intent | None:
    """What was said, where it is no question about the rules; None where it may be one."""
    said = one_line(text)
    if _OPEN_ATTACK.search(said) or (_ORDER_TO_BOT.search(said) and not _ASKS.search(said)):
        return Intent.INJECTION
    rest = without_greeting(said)
    if not rest:
        return Intent.THANKS if _THANKS.search(said) else Intent.GREETING
    if _ABOUT.search(rest.rstrip(" ?!.~ㅋㅎ")):
        return Intent.ABOUT
    return Intent.CHAT if _CHAT.search(rest) else None


def without_greeting(text: str) -> str:
    """What is left of a text when the greetings and thanks around it are taken away; may be empty."""
    rest = text.strip()
    while rest:
        match = _FILLER.match(rest) or _whole_word(_GREETING, rest) or _whole_word(_THANKS, rest)
        if match is None:
            return rest
        rest = rest[match.end() :]
    return rest


def _whole_word(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    match = pattern.match(text)
    ends = match is not None and (match.end() == len(text) or not text[match.end()].isalnum())
    return match if ends else None


_SHOWN = 5


def reply(said: Intent, bots: Sequence[BotConfig]) -> str:
    """What is answered: a line that fits, what the bots cover, and questions to begin with.

    `bots` are those that may be asked; with one of them the answer speaks for it alone.
    """
    return "\n\n".join(part for part in (_OPENING[said], _covers(bots), _samples(bots)) if part)


_OPENING = {
    Intent.GREETING: "안녕하세요. 내부 규정을 찾아 조문과 함께 안내해 드리는 챗봇입니다.",
    Intent.THANKS: "도움이 되었다면 다행입니다. 규정에 관해 더 궁금한 점이 있으면 물어봐 주세요.",
    Intent.ABOUT: "저는 내부 규정을 찾아 해당 조문을 그대로 인용해 답해 드리는 챗봇입니다. "
    "규정에 없는 내용은 답하지 않습니다.",
    Intent.CHAT: "저는 규정에 관한 질문에만 답할 수 있어 그 말씀에는 답해 드리기 어렵습니다.",
    Intent.INJECTION: "요청하신 내용은 도와드릴 수 없습니다. 저는 등록된 규정의 조문을 근거로만 답합니다.",
}


def _covers(bots: Sequence[BotConfig]) -> str:
    if len(bots) == 1:
        about = one_line(bots[0].description)
        return f"‘{bots[0].name}’에 관해 물어보실 수 있습니다." + (f"\n{about}" if about else "")
    names = ", ".join(bot.name for bot in bots)
    return f"다음 분야에 관해 물어보실 수 있습니다: {names}" if bots else ""


def _samples(bots: Sequence[BotConfig]) -> str:
    """Sample questions in turn from each bot, until there are enough."""
    longest = max((len(bot.sample_questions) for bot in bots), default=0)
    turns = [bot.sample_questions[turn] for turn in range(longest) for bot in bots if turn < len(bot.sample_questions)]
    return (
        "\n".join(["예를 들면 이렇게 물어보시면 됩니다.", *(f"- {line}" for line in turns[:_SHOWN])]) if turns else ""
    )
