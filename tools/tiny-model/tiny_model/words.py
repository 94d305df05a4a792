"""Every word that the model knows as one token, by what it does in a line and its syllables."""

from collections.abc import Mapping
from dataclasses import dataclass

BySyllables = Mapping[int, tuple[str, ...]]


def _by_syllables(one: str = "", two: str = "", three: str = "") -> BySyllables:
    lists = {1: one, 2: two, 3: three}
    return {count: tuple(words.split()) for count, words in lists.items() if words}


@dataclass(frozen=True)
class Scene:
    """What a poem can look at: the nouns and adjectives that go together."""

    nouns: BySyllables
    adjectives: BySyllables


SCENES: Mapping[str, Scene] = {
    "night": Scene(
        _by_syllables(
            "moon star night dark lamp owl dream",
            "shadow window lantern midnight cricket candle silence",
            "nightingale",
        ),
        _by_syllables("pale black dim late still", "silver silent hollow sleeping restless"),
    ),
    "rain": Scene(
        _by_syllables(
            "rain cloud storm roof drop mud leaf", "puddle thunder gutter river willow", "umbrella"
        ),
        _by_syllables("wet grey soft cold warm", "gentle steady heavy sudden early"),
    ),
    "winter": Scene(
        _by_syllables(
            "snow frost ice pine crow breath hearth",
            "winter ember mountain sparrow cedar",
            "december",
        ),
        _by_syllables("white bare hard thin bleak", "frozen bitter lonely distant fading"),
    ),
    "spring": Scene(
        _by_syllables(
            "bud bloom bee grass seed dew dawn", "blossom petal garden robin meadow", "butterfly"
        ),
        _by_syllables("green fresh new bright pink", "tender golden April waking tiny"),
    ),
    "water": Scene(
        _by_syllables(
            "pond frog stone tide wave boat reed", "harbor heron ripple island minnow", "dragonfly"
        ),
        _by_syllables("deep clear slow blue smooth", "ancient drifting quiet salty mossy"),
    ),
    "city": Scene(
        _by_syllables(
            "train street bridge clock bell bus sign",
            "station engine platform alley traffic",
            "passenger",
        ),
        _by_syllables("loud lit lost rushed old", "empty neon crowded rusty weary"),
    ),
}

VERBS: BySyllables = _by_syllables(
    "falls drifts waits sings sleeps turns glows fades hums rests leans sighs",
    "listens rises wanders lingers trembles whispers gathers returns settles shivers",
)
"""What a noun does by itself."""

KEEPING_VERBS: BySyllables = _by_syllables(
    "counts keeps holds marks names writes knows", "carries whispers repeats follows"
)
"""What a noun does to a quoted item."""

PREPOSITIONS: BySyllables = _by_syllables(
    "in on by near through at", "under beside beyond above across"
)
"""Without "past": after a minute it would be half of a phrase that was never asked for."""

TIMEKEEPERS: BySyllables = _by_syllables("clock bell hour watch", "station tower")

FIXED_WORDS = ("and", "no", "the", "then")
"""Words of one syllable that templates name themselves."""

OPENERS_WITH_NOUN = tuple("The One My Each Soft Pale Cold Old Grey Dark Late Still".split())
"""First words of a line that want a noun after them."""

OPENERS_ALONE = tuple("Dawn Dusk Still Late Far Now Low Soft Then Here".split())
"""First words of a line that stand by themselves."""

PROMPT_WORDS = tuple(
    """Write a haiku lines Include this exact English minute phrase Also include nonce verbatim
    Output only the poem about of and with in words please short one two three you are helpful
    assistant word token text contain must use mention say hello""".split()
)
"""Words of prompts, so that a prompt is short in tokens."""

SPARE_WORDS = tuple("past while it again as if until now its alone here".split())
"""Words that prompts may hold and poems do not."""


def known_words() -> tuple[str, ...]:
    """All words that are one token after a blank, sorted."""
    lists = [VERBS, KEEPING_VERBS, PREPOSITIONS, TIMEKEEPERS]
    for scene in SCENES.values():
        lists += [scene.nouns, scene.adjectives]
    known = {*PROMPT_WORDS, *SPARE_WORDS, *FIXED_WORDS}
    for words in lists:
        for group in words.values():
            known.update(group)
    return tuple(sorted(known))


KNOWN_WORDS = known_words()
