"""Text to token ids and back, equal to what engines make of the same vocabulary."""

from collections.abc import Iterable

from tiny_model.vocabulary import BLANK, FIRST_BYTE_ID, IDS, TOKENS, TokenType


def encode(text: str) -> list[int]:
    """Token ids of a text, without a begin token. No blank is put in front."""
    marked = text.replace(" ", BLANK)
    ids: list[int] = []
    at = 0
    while at < len(marked):
        end = at + 1
        if marked[at] == BLANK:
            while end < len(marked) and marked[at : end + 1] in IDS:
                end += 1
        piece = marked[at:end]
        if piece in IDS:
            ids.append(IDS[piece])
        else:
            ids += [FIRST_BYTE_ID + byte for byte in piece.encode()]
        at = end
    return ids


def encode_quoted(text: str) -> list[int]:
    """Token ids that a text has where a quotation mark stands before it."""
    return encode('"' + text)[1:]


def decode(ids: Iterable[int]) -> str:
    """The text of token ids. Special tokens have none; bytes that are no UTF-8 become U+FFFD."""
    raw = bytearray()
    for number in ids:
        token = TOKENS[number]
        if token.kind is TokenType.BYTE:
            raw.append(number - FIRST_BYTE_ID)
        elif token.kind is TokenType.NORMAL:
            raw += token.text.replace(BLANK, " ").encode()
    return raw.decode(errors="replace")
