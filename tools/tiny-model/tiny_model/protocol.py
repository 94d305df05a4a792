"""The haiku protocol: the prompt that an end-to-end check sends, and what the reply must hold."""

LEAST_LINES = 3


def protocol_prompt(minute_phrase: str, nonce: str) -> str:
    """The prompt, word for word as the project's checks send it."""
    return (
        f'Write a haiku (3 lines). Include this exact English minute phrase: "{minute_phrase}". '
        f'Also include this nonce verbatim: "{nonce}". Output only the poem.'
    )


def lines_of(reply: str) -> list[str]:
    """The lines that are not empty."""
    return [line for line in reply.splitlines() if line.strip()]


def accepts(reply: str, minute_phrase: str, nonce: str) -> bool:
    """True for three lines or more that hold the phrase and the nonce exactly."""
    return len(lines_of(reply)) >= LEAST_LINES and minute_phrase in reply and nonce in reply
