"""Replies in Markdown → HTML in which nothing is live but emphasis, lists, tables and the reply's own markers."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

_MARKER = re.compile(r"\[(\d{1,4})\]")
# No links, images, HTML, entities, headings or code: source text that happens to look like them shows as written.
_RULES = ("emphasis", "balance_pairs", "fragments_join", "escape", "newline", "list", "table", "hr")


def render(text: str, markers: Mapping[int, str] | None = None) -> str:
    """Return Markdown as HTML.

    Args:
        markers: By number, the HTML that stands for `[number]`; other brackets stay text.
    """
    return str(_parser().render(text, {"markers": markers or {}}))


def inline(text: str) -> str:
    """Return one paragraph of Markdown as HTML without the paragraph."""
    return str(_parser().renderInline(text, {"markers": {}}))


def escape(text: object) -> str:
    """Return text as HTML, for an element or an attribute; also without what Gradio's templates would read."""
    shown = html.escape(str(text))
    for character in "{}$`":
        shown = shown.replace(character, f"&#{ord(character)};")
    return shown


@functools.cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("zero").enable(list(_RULES))
    parser.inline.ruler.before("escape", "marker", _marker)
    parser.add_render_rule("marker", _marker_html)
    parser.add_render_rule("text", _text_html)
    return parser


def _marker(state: StateInline, silent: bool) -> bool:
    """Read `[n]` where the reply has a citation of that number."""
    found = _MARKER.match(state.src, state.pos)
    if not found or int(found[1]) not in state.env.get("markers", {}):
        return False
    if not silent:
        state.push("marker", "", 0).content = found[1]
    state.pos = found.end()
    return True


def _marker_html(
    renderer: RendererProtocol, tokens: Sequence[Token], at: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    return str(env["markers"][int(tokens[at].content)])


def _text_html(
    renderer: RendererProtocol, tokens: Sequence[Token], at: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    return escape(tokens[at].content)
