"""A model folder's own chat template: the prompt that transformers makes of it, and nothing that it must not do."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.engine import Engine
from engine.prompt.builder import build_prompt
from engine.prompt.own_template import read_own_template, render_own
from engine.prompt.prompt import Prompt
from engine.prompt.template import render
from engine.protocol.errors import PromptError
from engine.protocol.messages import Message, Picture, Role, Sound, Text, ToolCall, ToolResult, Video, user
from engine.protocol.options import Options
from engine.protocol.tools import Tool
from engine.tokens.special_tokens import SPECIAL_TEXTS, Special
from engine.tokens.tokenizer import Tokenizer
from tests.prompt.golden import CANONICAL, DECLARED, ROUNDS, media_input, ours, tools_of
from tests.small_tokenizer import IDS, MARKERS, write_tokenizer

# As the April 2026 release differs: `<|think|>` without newline, blank lines around pictures and videos. With whole
# lines of blocks, which trim_blocks and lstrip_blocks take away, and a block that only trainers read.
OLDER = """\
{{ bos_token }}
{%- if enable_thinking or messages[0]['role'] == 'system' %}
{{ '<|turn>system\\n' }}
    {%- if enable_thinking %}
{{ '<|think|>' }}
    {%- endif %}
    {%- if messages[0]['role'] == 'system' %}
        {%- set content = messages[0]['content'] %}
{{ content if content is string else content | map(attribute='text') | join }}
        {%- set messages = messages[1:] %}
    {%- endif %}
<turn|>
{% endif %}
{% for message in messages %}
    {% if not message['content'] %}
        {% continue %}
    {% endif %}
<|turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}
    {% generation %}
    {% if message['content'] is string %}
{{ message['content'] -}}
    {% else %}
        {% for item in message['content'] %}
            {%- if item['type'] == 'text' %}
{{- item['text'] }}
            {%- elif item['type'] == 'audio' %}
{{- '<|audio|>' }}
            {%- else %}
{{- '\\n\\n<|' ~ item['type'] ~ '|>\\n\\n' }}
            {%- endif %}
        {% endfor %}
    {% endif %}
    {% endgeneration %}
<turn|>
{% endfor %}
<|turn>model
{% if not enable_thinking %}
<|channel>thought
<channel|>
{%- endif %}
"""

# Says no where a role is missing, and names the day.
STRICT = """\
{{- bos_token -}}
{%- for message in messages -%}
    {%- if message.role == 'system' -%}{{- raise_exception('System messages are not\\nsupported.') -}}{%- endif -%}
    {{- '<|turn>' ~ message.role ~ '\\n' ~ message.content ~ '<turn|>\\n' -}}
{%- endfor -%}
{{- strftime_now('%Y')[:1] ~ '<|turn>model\\n<|channel>thought\\n' -}}
"""

SIGN, CAT, VOICE, CLIP = Picture("sign.png"), Picture("cat.png"), Sound("voice.wav"), Video("clip.mp4")
CONVERSATIONS = {
    "one question": [user("  What is the  picture?\n")],
    "a system text and a history": [
        Message("system", (Text(" Be brief. "),)),
        user("Hi"),
        Message("assistant", (Text("Hello 🙂"),)),
        Message("assistant", (Text("again"),)),
        user("thought\n\nuser"),
    ],
    "media of every kind": [
        Message("system", (Text("Look"), Text("and listen"))),
        user("", SIGN),
        Message("assistant", (Text("A sign."),)),
        Message("user", (Text("Compare"), CAT, Text("with"), CLIP, VOICE, Text("<pic>"))),
    ],
}


def build(tokenizer: Tokenizer, source: str, messages: Sequence[Message], *, thinking: bool = False) -> Prompt:
    media = [media_input(part) for message in messages for part in message.media]
    return build_prompt(render_own(messages, source, tokenizer, thinking=thinking), media, tokenizer, IDS)


def test_the_canonical_rules_as_a_template_give_the_canonical_prompt(tokenizer: Tokenizer) -> None:
    messages = CONVERSATIONS["media of every kind"]
    media = [media_input(part) for message in messages for part in message.media]
    canonical = build_prompt(render(messages, thinking=True, compact=True), media, tokenizer, IDS)
    assert build(tokenizer, CANONICAL, messages, thinking=True).token_ids == canonical.token_ids


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_TK_4_markers_in_any_message_stay_text(tokenizer: Tokenizer, role: Role) -> None:
    def control_ids(text: str) -> list[int]:
        prompt = build(tokenizer, OLDER, [Message(role, (Text(text),)), Message("user", (Text("tu"), SIGN))])
        return [token for token in prompt.token_ids if token in MARKERS.values()]

    assert control_ids(" so ".join(SPECIAL_TEXTS)) == control_ids("so")
    assert control_ids("\U000f0000 \U000f0001 <|tu\x00rn> {{ bos_token }}") == control_ids("so")


def test_TK_4_a_marker_that_begins_in_the_template_and_ends_in_a_text_stays_text(tokenizer: Tokenizer) -> None:
    prompt = build(tokenizer, "<|tu{{ messages[0].content }}", [user("rn>")])
    assert list(prompt.token_ids) == [Special.BOS, *tokenizer.encode("<|turn>")]


def test_what_else_the_tokenizer_calls_special_is_a_token_only_where_the_template_wrote_it(tmp_path: Path) -> None:
    path = write_tokenizer(tmp_path / "tokenizer.json")
    content = json.loads(path.read_text())
    content["added_tokens"].append({**content["added_tokens"][-1], "id": 300, "content": "<unused300>"})
    content["model"]["vocab"]["<unused300>"] = 300
    path.write_text(json.dumps(content))
    prompt = build(Tokenizer(path), "<unused300>{{ messages[0].content }}", [user("<unused300>")])
    assert prompt.token_ids[:2] == (Special.BOS, 300)
    assert prompt.token_ids.count(300) == 1


def test_TM_2_a_thought_is_never_sent_back(tokenizer: Tokenizer) -> None:
    answer = "<|channel>thought\na secret sum<channel|>2"
    history = [user("1+1?"), Message("assistant", (Text(answer),), thought="a secret sum"), user("Sure?")]
    assert "secret" not in tokenizer.decode(build(tokenizer, CANONICAL, history).token_ids)


def test_TH_3_the_prompt_says_whether_a_thought_is_open(tokenizer: Tokenizer) -> None:
    opened = "<|turn>model\n<|channel>thought\n"
    for ending, starts in ((opened, True), (opened + "<channel|>", False), (opened + "<turn|>\n<|turn>model\n", False)):
        assert build(tokenizer, "{{ messages[0].content }}" + ending, [user("Hi")]).starts_in_thought is starts


@pytest.mark.parametrize("begin", ["", "<bos>", "{{ bos_token }}<bos>", "\n<bos>"])
def test_TM_3_there_is_one_bos_and_it_comes_first(tokenizer: Tokenizer, begin: str) -> None:
    ids = build(tokenizer, begin + "{{ messages[0].content }}", [user("<bos>Hi")]).token_ids
    assert ids[0] == Special.BOS
    assert ids.count(Special.BOS) == 1


def test_a_template_may_say_no_in_its_own_words(tokenizer: Tokenizer) -> None:
    assert build(tokenizer, STRICT, [user("Hi")]).starts_in_thought
    with pytest.raises(PromptError, match=r"failed: System messages are not supported\. Use the built-in template"):
        build(tokenizer, STRICT, [Message("system", (Text("Be brief"),)), user("Hi")])


SAID = "{% for m in messages %}{% for i in m.content %}{{ i.text or '<|' + i.type + '|>' }}{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (SAID.replace("'<|' + i.type + '|>'", "''"), "leaves out a picture"),
        (SAID + "<|image|>", r"writes <\|image\|> where"),
        ("<|audio|>" + SAID, r"writes <\|audio\|> where"),
        (SAID.replace("in messages", "in messages[:1]") + "<|image|>", "leaves out a part of what was said"),
        (SAID.replace("in messages", "in messages|reverse"), "changes the order"),
    ],
)
def test_MI_1_a_template_that_drops_adds_or_moves_something_is_refused(
    tokenizer: Tokenizer, source: str, words: str
) -> None:
    messages = [Message("user", (SIGN, Text("one"))), Message("user", (Text("two"), CAT))]
    assert len(build(tokenizer, SAID, messages).spans) == 2
    with pytest.raises(PromptError, match=words):
        build(tokenizer, source, messages)


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="no other system enforces a limit on memory")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("\n{% if %}", "line 2: "),
        ("{{ messages[9].content }}", "no element 9"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ messages.append(1) }}", "unsafe"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ namespace(__call__=1) }}", "namespace cannot hold"),
        ("{{ range(10 ** 9) }}", "too big"),
        ("{% for i in range(99999) %}more and more{% endfor %}", "more than 1,000,000 characters"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "recursion"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "not come to an end"),
        ("{{ 7 ** (7 ** 12) }}", "not come to an end"),
        pytest.param("{{ 'a' * 10 ** 10 }}", "too much memory", marks=linux_only),
        ("{{ raise_exception('bad ' * 1000) }}", "failed: bad bad .{,250}$"),
        ("{{ raise_exception(messages[0].content) }}", r"failed: \. Use"),
    ],
)
def test_a_broken_or_hostile_template_is_one_sentence(tokenizer: Tokenizer, source: str, words: str) -> None:
    with pytest.raises(PromptError, match=words) as caught:
        build(tokenizer, source, [user("Hi")])
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_half_a_character_from_a_template_is_a_question_mark(tokenizer: Tokenizer) -> None:
    ids = build(tokenizer, "{{ '\\ud83d' }}{{ messages[0].content }}", [user("Hi")]).token_ids
    assert tokenizer.decode(ids) == "?Hi"


def test_the_bundled_program_renders_too() -> None:
    request = json.dumps({"template": "{{ bos_token }}é", "variables": {"bos_token": "<bos>"}}).encode()
    command = [sys.executable, "-m", "app", "--template"]
    assert json.loads(subprocess.run(command, input=request, capture_output=True, check=True).stdout) == "<bos>é"


# --- tools

TOOLS = tools_of({"tools": DECLARED})


@pytest.mark.parametrize(("length", "thinking"), [(3, False), (9, True), (11, False)])
def test_a_tool_loop_in_the_canonical_rules_gives_the_canonical_prompt(
    tokenizer: Tokenizer, length: int, thinking: bool
) -> None:
    messages = ours(ROUNDS[:length])
    own = render_own(messages, CANONICAL, tokenizer, thinking=thinking, tools=TOOLS)
    canonical = render(messages, thinking=thinking, compact=True, tools=TOOLS)
    ids = [build_prompt(pieces, [], tokenizer, IDS).token_ids for pieces in (own, canonical)]
    assert ids[0] == ids[1]


def called(text: str) -> list[Message]:
    """A tool loop that says one text wherever it can."""
    call = ToolCall("look", {text: {text: [text, 1.5, None]}}, text)
    results = (ToolResult({text: text}, text), SIGN, ToolResult(text, "no call", "other"), CAT)
    return [user(text), Message("assistant", (Text(text), call), text), Message("tool", results)]


def test_TK_4_no_text_of_a_tool_makes_a_control_token_in_another_template(tokenizer: Tokenizer) -> None:
    def control_ids(text: str) -> list[int]:
        schema = {"type": "object", "properties": {text: {"enum": [text], "description": text}}, "required": [text]}
        tool = Tool("look", text, schema, {"description": text})
        pieces = render_own(called(text), CANONICAL, tokenizer, thinking=True, tools=[tool])
        prompt = build_prompt(pieces, [media_input(SIGN), media_input(CAT)], tokenizer, IDS)
        assert prompt.starts_in_thought
        return [token for token in prompt.token_ids if token in MARKERS.values()]

    assert control_ids(" so ".join(SPECIAL_TEXTS) + "\x00\U000f0000{}") == control_ids("so")


LISTED = (
    "{{ tools | tojson }}{% for m in messages %}"
    "{{ m.role }}{{ m.reasoning }}{{ (m.tool_calls or 0) | tojson }}{{ m.name }}"
    "{% for i in m.content %}{{ i.text or '<|' + i.type + '|>' if i is mapping else i }}{% endfor %}{% endfor %}"
)


def test_a_template_that_writes_json_gets_the_texts_as_they_are(tokenizer: Tokenizer) -> None:
    pieces = render_own(called("é"), LISTED, tokenizer, thinking=True, tools=[Tool("look", "Lööks.")])
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    assert '{"name": "look", "description": "Lööks."}' in text
    assert '"arguments": {"é": {"é": ["é", 1.5, null]}}' in text


@pytest.mark.parametrize(
    "left_out", ["{{ tools | tojson }}", "{{ m.reasoning }}", "{{ (m.tool_calls or 0) | tojson }}", "{{ m.name }}"]
)
def test_MI_1_a_template_that_leaves_out_something_of_a_tool_is_refused(tokenizer: Tokenizer, left_out: str) -> None:
    with pytest.raises(PromptError, match="leaves out a part of what was said"):
        render_own(called("a"), LISTED.replace(left_out, ""), tokenizer, thinking=True, tools=[Tool("look")])


def test_a_tool_that_cannot_be_written_is_refused_here_too(tokenizer: Tokenizer) -> None:
    for call in (ToolCall("a b", {}), ToolCall("f", {"a": b"x"})):
        with pytest.raises(PromptError, match=r"A tool cannot be called|is no JSON"):
            render_own([user("a"), Message("assistant", (call,))], LISTED, tokenizer, thinking=False)


# --- going on with an answer


@pytest.mark.parametrize("source", [CANONICAL, OLDER], ids=["canonical", "older"])
def test_a_half_finished_answer_is_the_end_of_the_prompt(tokenizer: Tokenizer, source: str) -> None:
    turns = [user("Go"), Message("assistant", (Text(" One.\n"),))]
    pieces = render_own(turns, source, tokenizer, thinking=False, continues=True)
    prompt = build_prompt(pieces, [], tokenizer, IDS)
    assert prompt.token_ids[-len(tokenizer.encode("model\nOne.\n")) :] == tuple(tokenizer.encode("model\nOne.\n"))
    assert not prompt.starts_in_thought


def test_TH_3_an_unfinished_thought_goes_on_inside_its_channel(tokenizer: Tokenizer) -> None:
    turns = [user("Go"), Message("assistant", (), "Let me thi")]
    own = render_own(turns, CANONICAL, tokenizer, thinking=True, continues=True)
    canonical = render(turns, thinking=True, compact=True, continues=True)
    assert build_prompt(own, [], tokenizer, IDS) == build_prompt(canonical, [], tokenizer, IDS)


# --- files


def write(folder: Path, name: str, content: Any) -> None:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


FILES: list[tuple[str, Any]] = [
    ("chat_template.json", {"chat_template": "from chat_template.json"}),
    ("tokenizer_config.json", {"chat_template": "from tokenizer_config.json"}),
    ("chat_template.jinja", "from chat_template.jinja"),
]


def test_the_template_is_found_in_each_of_its_places_the_latest_form_first(tmp_path: Path) -> None:
    for name, content in FILES:
        write(tmp_path, name, content)
        assert read_own_template(tmp_path) == f"from {name}"


def test_of_several_named_templates_the_default_is_taken(tmp_path: Path) -> None:
    named = [{"name": name, "template": f"the {name} one"} for name in ("tool_use", "default")]
    write(tmp_path, "tokenizer_config.json", {"chat_template": named})
    assert read_own_template(tmp_path) == "the default one"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, "no chat template of its own"),
        ({}, "no chat template of its own"),
        ({"chat_template": None}, "no chat template of its own"),
        ({"chat_template": ["x", {"name": "tool_use", "template": "y"}]}, "no chat template of its own"),
        ([], "no chat template of its own"),
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_folder_without_a_template_that_can_be_read_says_so(tmp_path: Path, config: Any, words: str) -> None:
    if config is not None:
        write(tmp_path, "tokenizer_config.json", config)
    with pytest.raises(PromptError, match=words):
        read_own_template(tmp_path)


def test_a_template_that_is_not_text_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_bytes(b"\xff\xfe")
    with pytest.raises(PromptError, match="cannot be read"):
        read_own_template(tmp_path)


# --- in the engine


def test_TM_4_only_who_asks_for_it_gets_the_folders_own_template(tiny_checkpoint: Path, tmp_path: Path) -> None:
    for file in tiny_checkpoint.iterdir():
        (tmp_path / file.name).symlink_to(file)
    engine, asked = Engine.load(tmp_path), Options(own_template=True)
    with pytest.raises(PromptError, match="no chat template of its own"):
        engine.prepare([user("Hi")], asked)
    canonical = engine.prepare([user("Hi")]).token_ids
    write(tmp_path, "chat_template.jinja", "{{ messages[0].content }}<|channel>thought\n")
    assert engine.prepare([user("Hi")]).token_ids == canonical
    own = engine.prepare([user("Hi")], asked)
    assert own.token_ids != canonical
    assert own.starts_in_thought


def test_a_text_that_is_said_without_end_is_too_much(tokenizer: Tokenizer) -> None:
    """One character of the template's output, and a thousand once it is filled in."""
    repeating = "{% for number in range(90000) %}{{ messages[0].content }}{% endfor %}"
    with pytest.raises(PromptError, match="writes too much"):
        build(tokenizer, repeating, [user("x" * 1000)])


def test_a_template_that_is_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "chat_template.jinja")
    with pytest.raises(PromptError, match="not an ordinary file"):
        read_own_template(tmp_path)
