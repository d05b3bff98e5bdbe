"""Answers as models write them, with every slip that was reported of the family, and what must become of each.

Ids in the names are those of the list of known failures. All cases hold with and without tools, but for the calls.
"""

from engine.protocol.tools import Tool
from tests.response.written import Answer, Typed, Written

TOOLS = (
    Tool(
        "get_weather",
        parameters={
            "type": "object",
            "properties": {"location": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "kelvin"]}},
            "required": ["location"],
        },
    ),
    Tool(
        "set_timer",
        parameters={
            "type": "object",
            "properties": {
                "minutes": {"type": "integer"},
                "loud": {"type": "boolean", "nullable": True},
                "label": {"type": "string"},
                "ratio": {"type": "number"},
            },
            "required": ["minutes"],
        },
    ),
    Tool(
        "write_file",
        parameters={
            "type": "object",
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
            "required": ["path", "content"],
        },
    ),
    Tool(
        "search",
        parameters={
            "type": "object",
            "properties": {
                "tags": {"type": "array", "items": {"type": "string"}},
                "filters": {"type": "object"},
                "sizes": {"type": "array"},
            },
        },
    ),
    Tool("ping"),
    Tool("files.read-all:v2", parameters={"type": "object", "properties": {"a b": {"type": "string"}}}),
)

Q = '<|"|>'


def _thoughts() -> dict[str, tuple[Written, Answer]]:
    return {
        "nothing": ([], Answer()),
        "empty block": (["<|channel>thought\n<channel|>Hi"], Answer("", "Hi")),
        "blank block": (["<|channel>thought\n \n\n <channel|>Hi"], Answer("", "Hi")),
        "reopened in the thought": (
            ["<|channel>thought\nOne. <|channel>thought\nTwo.<channel|>Hi"],
            Answer("One. Two.", "Hi"),
        ),
        "TH-5 reopened after the answer": (
            ["<|channel>thought\nOne.<channel|>Hi<|channel>thought\nTwo.<channel|> you"],
            Answer("One.\n\nTwo.", "Hi you"),
        ),
        "opened twice at once": (["<|channel><|channel>thought\nOne.<channel|>Hi"], Answer("One.", "Hi")),
        "opened again before the name was over": (["<|channel>Yes<|channel>thought\n.<channel|>"], Answer("Yes.")),
        "stray closers": (["<channel|>Hi<channel|><channel|> you<channel|>"], Answer("", "Hi you")),
        "TH-5 spam of closers": (["<|channel>thought\na<channel|>" + "<channel|>" * 50 + "b"], Answer("a", "b")),
        "nothing but closers": (["<channel|>" * 50], Answer()),
        "another name": (["<|channel>analysis\nOne.<channel|>Hi"], Answer("One.", "Hi")),
        "a word and nothing else": (["<|channel>Yes.<channel|>Hi"], Answer("Yes.", "Hi")),
        "no newline after the name": (["<|channel>thought One two.<channel|>Hi"], Answer("One two.", "Hi")),
        "no name": (["<|channel>\nOne two.<channel|>Hi"], Answer("One two.", "Hi")),
        "no name and no newline": (["<|channel>One two three.<channel|>Hi"], Answer("One two three.", "Hi")),
        "no name, no newline and no spaces": (["<|channel>" + "思" * 40 + "<channel|>Hi"], Answer("思" * 40, "Hi")),
        "cut in the name": (["<|channel>thou"], Answer()),
        "cut after the name": (["<|channel>thought\n"], Answer()),
        "cut in the thought": (["<|channel>thought\nOne tw"], Answer("One tw")),
        "turn ends in the thought": (["<|channel>thought\nOne<turn|>lost"], Answer("One")),
        "cut after a newline": (["<|channel>thought\nOne\n"], Answer("One")),
        "lone opener": (["<|channel>"], Answer()),
        "lone closer": (["<channel|>"], Answer()),
        "TH-2 an answer about thoughts": (["thought\nis a word.\n"], Answer("", "thought\nis a word.\n")),
        "TH-1 markers in ordinary characters": (
            [Typed("Write <|channel>thought\n<channel|> and <turn|>.")],
            Answer("", "Write <|channel>thought\n<channel|> and <turn|>."),
        ),
        "TH-13 an answer that ends like a marker": ([Typed("So a <|chan")], Answer("", "So a <|chan")),
        "a stray end of a call in a thought": (
            ["<|channel>thought\na<tool_call|>b<channel|>c"],
            Answer("ab", "c"),
        ),
        "tool markers in a thought": (["<|channel>thought\na<|tool>b<tool|><channel|>"], Answer("ab")),
        "quotes in a thought": ([f"<|channel>thought\na{Q}b{Q}<channel|>c"], Answer("ab", "c")),
    }


def _markers() -> dict[str, tuple[Written, Answer]]:
    return {
        "TH-5 a lone end of a call": (["<tool_call|>"], Answer()),
        "TC-4 an end of a call too many": (
            ["<|tool_call>call:ping{}<tool_call|><tool_call|>Hi"],
            Answer("", "Hi", (("ping", {}),)),
        ),
        "stray tool markers": ([f"a<tool_response|>b{Q}c<|tool>d<tool|>e"], Answer("", "abcde")),
        "switches and padding": (["a<|think|>b<bos><pad>c"], Answer("", "abc")),
        "soft tokens": (["a<|image><|image|><image|><|audio><|audio|><audio|><|video|>b"], Answer("", "ab")),
        "result of a tool": (["Hi<|tool_response>invented"], Answer("", "Hi")),
        "another turn": (["Hi<|turn>user\ninvented"], Answer("", "Hi")),
        "end of everything": (["Hi<eos>lost"], Answer("", "Hi")),
        "an id beyond the vocabulary": (["a", 5000, "b"], Answer("", "ab")),
        "TK-3 a character cut off": (["a", 238 + 0xF0, 238 + 0x9F, 238 + 0x99], Answer("", "a\ufffd")),
        "TK-3 a character around a marker": (["a", 238 + 0xC3, "<tool_call|>", 238 + 0xA9], Answer("", "aé")),
        "TK-3 a thought cut off in a character": (
            ["<|channel>thought\na", 238 + 0xC3, "<channel|>", 238 + 0xA9],
            Answer("a\ufffd", "\ufffd"),
        ),
    }


def _calls() -> dict[str, tuple[Written, Answer]]:
    oslo = (("get_weather", {"location": "Oslo"}),)
    return {
        "a call": ([f"<|tool_call>call:get_weather{{location:{Q}Oslo{Q}}}<tool_call|>"], Answer("", "", oslo)),
        "no arguments": (["<|tool_call>call:ping{}<tool_call|><|tool_response>"], Answer("", "", (("ping", {}),))),
        "TC-9 text before a call": (
            [f"Let me look.<|tool_call>call:get_weather{{location:{Q}Oslo{Q}}}<tool_call|>"],
            Answer("", "Let me look.", oslo),
        ),
        "text after a call": (
            [f"a<|tool_call>call:get_weather{{location:{Q}Oslo{Q}}}<tool_call|>b<turn|>"],
            Answer("", "ab", oslo),
        ),
        "several calls": (
            ["<|tool_call>call:ping{}<tool_call|>" * 2 + "<|tool_call>call:set_timer{minutes:5}<tool_call|>"],
            Answer("", "", (("ping", {}), ("ping", {}), ("set_timer", {"minutes": 5}))),
        ),
        "a call closes a thought": (
            ["<|channel>thought\nI call.\n<|tool_call>call:ping{}<tool_call|>Hi"],
            Answer("I call.", "Hi", (("ping", {}),)),
        ),
        "TC-1 anything in quotes": (
            [f"<|tool_call>call:get_weather{{location:{Q}a \"b\" 'c' {{d}} [e], f:g\n<h> \\n{Q}}}<tool_call|>"],
            Answer("", "", (("get_weather", {"location": "a \"b\" 'c' {d} [e], f:g\n<h> \\n"}),)),
        ),
        "markers spelled out in quotes": (
            [f"<|tool_call>call:get_weather{{location:{Q}", Typed('<|"|><tool_call|>'), f"{Q}}}<tool_call|>"],
            Answer("", "", (("get_weather", {"location": '<|"|><tool_call|>'}),)),
        ),
        "an empty text": (
            [f"<|tool_call>call:get_weather{{location:{Q}{Q}}}<tool_call|>"],
            Answer("", "", (("get_weather", {"location": ""}),)),
        ),
        "TC-2 nested values": (
            [
                f"<|tool_call>call:search{{filters:{{a:{{b:[1,{{c:{Q}d}}{Q}}},[null]]}},t:true}},"
                f"tags:[{Q}x{Q},{Q}y,z{Q}]}}<tool_call|>"
            ],
            Answer(
                "",
                "",
                (("search", {"filters": {"a": {"b": [1, {"c": "d}"}, [None]]}, "t": True}, "tags": ["x", "y,z"]}),),
            ),
        ),
        "TC-3 a name with dots, dashes and colons": (
            [f"<|tool_call>call:files.read-all:v2{{a b:{Q}x{Q}}}<tool_call|>"],
            Answer("", "", (("files.read-all:v2", {"a b": "x"}),)),
        ),
        "a prefix before the name": (
            [f"<|tool_call>call:functions.get_weather{{location:{Q}Oslo{Q}}}<tool_call|>"],
            Answer("", "", oslo),
        ),
        "another prefix": (
            [f"<|tool_call>call:default_api:get_weather{{location:{Q}Oslo{Q}}}<tool_call|>"],
            Answer("", "", oslo),
        ),
        "TC-4 spaces everywhere": (
            [f"<|tool_call> call: get_weather {{ location : {Q}Oslo{Q} ,\n unit:{Q}kelvin{Q} }} \n<tool_call|>"],
            Answer("", "", (("get_weather", {"location": "Oslo", "unit": "kelvin"}),)),
        ),
        "TC-4 bare numbers": (
            ["<|tool_call>call:search{sizes:[0,-0,-3,1.0,1e5,2E-2,123456789012345678901234567890]}<tool_call|>"],
            Answer(
                "",
                "",
                (("search", {"sizes": [0, 0, -3, 1.0, 1e5, 0.02, 123456789012345678901234567890]}),),
            ),
        ),
        "numbers for texts": (
            ["<|tool_call>call:set_timer{minutes:5,label:1.50}<tool_call|>"],
            Answer("", "", (("set_timer", {"minutes": 5, "label": "1.50"}),)),
        ),
        "a truth value for a text": (
            ["<|tool_call>call:set_timer{minutes:5,label:true}<tool_call|>"],
            Answer("", "", (("set_timer", {"minutes": 5, "label": "true"}),)),
        ),
        "texts for numbers and truth values": (
            [f"<|tool_call>call:set_timer{{minutes:{Q}5{Q},loud:{Q}false{Q},ratio:{Q}0.5{Q}}}<tool_call|>"],
            Answer("", "", (("set_timer", {"minutes": 5, "loud": False, "ratio": 0.5}),)),
        ),
        "a whole number with a point": (
            ["<|tool_call>call:set_timer{minutes:5.0,ratio:2,loud:null}<tool_call|>"],
            Answer("", "", (("set_timer", {"minutes": 5, "ratio": 2, "loud": None}),)),
        ),
        "a key twice": (
            ["<|tool_call>call:set_timer{minutes:5,minutes:6}<tool_call|>"],
            Answer("", "", (("set_timer", {"minutes": 6}),)),
        ),
        "TC-5 a missing opening quote": (
            [f"<|tool_call>call:write_file{{path:{Q}a.py{Q},content:import b, c\n\nd = {{e: 1}}{Q}}}<tool_call|>"],
            Answer("", "", (("write_file", {"path": "a.py", "content": "import b, c\n\nd = {e: 1}"}),)),
        ),
        "TC-5 a missing opening quote of the first": (
            [f"<|tool_call>call:write_file{{content:{{x: 1}}, y{Q},path:{Q}a.py{Q}}}<tool_call|>"],
            Answer("", "", (("write_file", {"content": "{x: 1}, y", "path": "a.py"}),)),
        ),
        "TC-5 a missing opening quote before a number": (
            [f"<|tool_call>call:get_weather{{location:12, Main Street{Q}}}<tool_call|>"],
            Answer("", "", (("get_weather", {"location": "12, Main Street"}),)),
        ),
        "TC-5 a missing opening quote with one place that the tool takes": (
            [f"<|tool_call>call:write_file{{path:1,content:b{Q}}}<tool_call|>"],
            Answer("", "", (("write_file", {"path": "1", "content": "b"}),)),
        ),
        "a missing brace": (
            [f"<|tool_call>call:get_weather{{location:{Q}Oslo{Q}<tool_call|>"],
            Answer("", "", oslo),
        ),
        "missing braces": (
            ["<|tool_call>call:search{filters:{a:{b:1<tool_call|>"],
            Answer("", "", (("search", {"filters": {"a": {"b": 1}}}),)),
        ),
        "TC-1 plain quotes": (
            ['<|tool_call>call:get_weather{location:"Os, {lo}"}<tool_call|>'],
            Answer("", "", (("get_weather", {"location": "Os, {lo}"}),)),
        ),
        "TC-1 single quotes": (
            ["<|tool_call>call:search{tags:['a, \"b\"','it\\'s']}<tool_call|>"],
            Answer("", "", (("search", {"tags": ['a, "b"', "it's"]}),)),
        ),
        "plain JSON": (
            ['<|tool_call>call:search{"tags": ["a", "b\\n\\"c\\" \\u00e9"], "filters": {"x": [1, null]}}<tool_call|>'],
            Answer("", "", (("search", {"tags": ["a", 'b\n"c" é'], "filters": {"x": [1, None]}}),)),
        ),
        "quoted keys": (
            [f"<|tool_call>call:get_weather{{{Q}location{Q}:{Q}Oslo{Q}}}<tool_call|>"],
            Answer("", "", oslo),
        ),
        "markers in a call": (
            [f"<|tool_call>call:get_weather{{loc<|image|>ation:{Q}Os<channel|>lo<|channel>{Q}}}<tool_call|>"],
            Answer("", "", oslo),
        ),
        "a character split over tokens in a call": (
            [f"<|tool_call>call:get_weather{{location:{Q}", 238 + 0xC3, 238 + 0x89, f"vian{Q}}}<tool_call|>"],
            Answer("", "", (("get_weather", {"location": "Évian"}),)),
        ),
        "a character cut off in a call": (
            [f"<|tool_call>call:get_weather{{location:{Q}", 238 + 0xC3, f"{Q}}}<tool_call|>"],
            Answer("", "", (("get_weather", {"location": "\ufffd"}),)),
        ),
    }


def _refused_calls() -> dict[str, tuple[Written, Answer]]:
    bodies = {
        "nothing": "",
        "only white space": " \n",
        "no name": "call:{}",
        "no braces": "call:ping",
        "round brackets": 'call:get_weather("Oslo")',
        "no word call": "ping{}",
        "prose": "I would like to call ping.",
        "a tool that is not there": "call:get_wether{}",
        "a prefix that is nobody's": "call:my.ping{}",
        "JSON around the name": '{"name": "ping", "arguments": {}}',
        "a required argument missing": "call:get_weather{}",
        "an unknown argument": f"call:get_weather{{location:{Q}Oslo{Q},day:1}}",
        "an argument for a tool without": "call:ping{a:1}",
        "null for a text": "call:get_weather{location:null}",
        "an array for a text": f"call:get_weather{{location:[{Q}Oslo{Q}]}}",
        "a text for an array": f"call:search{{tags:{Q}a{Q}}}",
        "a text for an object": f"call:search{{filters:{Q}{{}}{Q}}}",
        "half a whole number": "call:set_timer{minutes:5.5}",
        "words for a number": f"call:set_timer{{minutes:{Q}five{Q}}}",
        "a number for a truth value": "call:set_timer{minutes:5,loud:1}",
        "not one of the choices": f"call:get_weather{{location:{Q}Oslo{Q},unit:{Q}rankine{Q}}}",
        "a text without quotes": "call:get_weather{location:Oslo}",
        "Python's words": "call:set_timer{minutes:5,loud:True}",
        "not a number": "call:set_timer{minutes:5,ratio:NaN}",
        "too large a number": "call:set_timer{minutes:5,ratio:1e999}",
        "too long a number": "call:set_timer{minutes:" + "9" * 5000 + "}",
        "no closing quote": f"call:get_weather{{location:{Q}Oslo}}",
        "no closing quote, then another": f"call:write_file{{path:{Q}a,content:{Q}b{Q}}}",
        "text after a text": f"call:get_weather{{location:{Q}Oslo{Q}x}}",
        "a plain quote and a token": f'call:get_weather{{location:"Oslo{Q}}}',
        "plain quotes in plain quotes": 'call:get_weather{location:"say "hi" now"}',
        "an escape that JSON does not have": r'call:write_file{path:"C:\dir",content:"a"}',
        "half a surrogate pair": r'call:get_weather{location:"\ud83d"}',
        "TC-5 a missing quote with two places": f"call:get_weather{{location:1,unit:kelvin{Q}}}",
        "a missing quote and a missing brace": f"call:search{{filters:{{a: x}}{Q}}}",
        "an open bracket": "call:search{sizes:[1,2",
        "a bracket closed by a brace": "call:search{sizes:[1,2}",
        "a brace too many": "call:ping{}}",
        "a comma too many": "call:set_timer{minutes:5,}",
        "two commas": "call:set_timer{minutes:5,,ratio:1}",
        "no comma": "call:set_timer{minutes:5 ratio:1}",
        "no value": "call:set_timer{minutes:}",
        "no key": "call:set_timer{:5}",
        "a key alone": "call:set_timer{minutes}",
        "equal signs": "call:set_timer{minutes=5}",
        "too deep": "call:search{filters:" + "{a:" * 64 + "1" + "}" * 65,
        "two calls in one": "call:ping{} call:ping{}",
    }
    closed: dict[str, tuple[Written, Answer]] = {
        f"refused: {name}": ([f"a<|tool_call>{body}<tool_call|>b"], Answer("", "ab", (), (body.replace(Q, '"'),)))
        for name, body in bodies.items()
    }
    return closed | {
        "a call cut off": ([f"Hi<|tool_call>call:get_weather{{location:{Q}Os"], _cut('call:get_weather{location:"Os')),
        "a whole call without its end": (["Hi<|tool_call>call:ping{}<turn|>"], _cut("call:ping{}")),
        "a call cut off by a result": (["Hi<|tool_call>call:ping{}<|tool_response>x"], _cut("call:ping{}")),
        "a call cut off at once": (["Hi<|tool_call>"], _cut("")),
        "a call cut off in a character": (["Hi<|tool_call>call:", 238 + 0xC3], _cut("call:\ufffd")),
        "a call begun in a call": (
            ["Hi<|tool_call>call:set_timer{minutes:1<|tool_call>call:ping{}<tool_call|>"],
            Answer("", "Hi", (("ping", {}),), ("call:set_timer{minutes:1",)),
        ),
        "a thought begun in a call": (
            ["Hi<|tool_call>call:ping<|channel>thought\nHm.<channel|>{}"],
            _cut("call:pingthought\nHm.{}"),
        ),
    }


def _cut(raw: str) -> Answer:
    return Answer("", "Hi", (), (raw,))


CORPUS = _thoughts() | _markers() | _calls() | _refused_calls()
