"""The words and the clause patterns that `unrolled.data.bears` turns into sentences.

A pattern is a line of words. ``<name>`` is drawn from the lexicon of the clause's sense, or from the
neutral phrases when the sense has no such entry; a trailing ``?`` makes it optional. Commas are not tokens,
so a connective is all that marks where one clause ends. Used in chapter 11.
"""

__all__ = ["BEARS", "CONNECTIVES", "GAPPED", "LEXICON", "OTHER", "PHRASES"]

# Cue words: sense -> slot -> (the half met beside "bears" in training, the half held out for the tests).
# The two halves of a slot may be swapped in any sentence without making it less English.
LEXICON: dict[str, dict[str, tuple[str, str]]] = {
    "animal": {
        "kin": ("foxes rabbits owls", "otters squirrels hedgehogs"),
        "like": ("love feed", "adore tickle"),
        "liked": ("loved fed", "adored tickled"),
        "eat": ("eat find steal sniff", "gather munch nibble lick"),
        "food": ("honey berries fish apples", "nuts mushrooms acorns raspberries"),
        "sleep": ("sleep swim snore", "nap splash yawn"),
        "where": ("forest river cave", "woods pond den"),
        "kind": ("hungry furry", "sleepy fluffy"),
    },
    "endure": {
        "endures": ("endures suffers", "tolerates shoulders"),
        "endured": ("endured suffered", "tolerated shouldered"),
        "burden": (
            "pain grief burden cost blame loss shame sorrow",
            "guilt toothache hardship heartache insult noise debt boredom",
        ),
        "manner": ("bravely patiently calmly", "stoically nobly gracefully"),
        "who": ("nurse patient widow", "hermit pilgrim servant"),
        "where": ("hospital clinic", "convent chapel"),
        "kind": ("heavy bitter terrible", "dreadful crushing unbearable"),
    },
    "team": {
        "kin": ("rockets pirates giants", "comets royals knights"),
        "cheer": ("cheer praise", "applaud boo"),
        "cheered": ("cheered praised", "applauded booed"),
        "won": ("won lost played opened", "clinched dominated finished forfeited"),
        "contest": ("game match cup title final", "derby trophy league championship playoff"),
        "who": ("coach fans captain", "referee goalkeeper commentator"),
        "where": ("stadium arena", "ballpark gym"),
        "kind": ("unbeaten professional", "undefeated victorious"),
    },
}

# Neutral phrases: they stand in clauses of every sense alike, so they tell nothing about "bears".
# <when> has two words or more and <how> three: with one on either side of "bears", a window of two
# words to the left and two to the right sees nothing else.
PHRASES: dict[str, tuple[str, ...]] = {
    "many": ("i", "we", "you", "they"),
    "one": ("she", "he", "my aunt", "my uncle"),
    "when": (
        "even today",
        "once again",
        "day after day",
        "after all these years",
        "to this day",
        "every single morning",
        "more than ever",
    ),
    "how": (
        "with a smile",
        "with a plan",
        "without a word",
        "without a map",
        "in the rain",
        "in a blue hat",
        "from the north",
        "near the old town",
        "at the bus stop",
        "under the moon",
        "on a monday",
    ),
    "in": ("in", "near"),
}

CONNECTIVES = ("while", "because", "although", "and", "but", "when", "so")
"""What joins two clauses."""

# "bears" with a cue at most two words away. <the> is nothing or "the" at the start of a sentence and always
# "the" after a connective, so that the last word of the first clause stays out of a two-word window.
BEARS: dict[str, tuple[str, ...]] = {
    "animal": (
        "<many> <like> bears <place>?",
        "<one> <liked> bears <how>?",
        "<one> <liked> bears <place>?",
        "<the> <kind>? bears <eat> <food> <place>?",
        "<the> <kind>? bears <sleep> <place>",
        "<when> bears <eat> <food>",
    ),
    "endure": (
        "<one> bears the <burden> <place>?",
        "<one> <manner> bears the <burden>",
        "<one> <when> bears the <burden> <manner>?",
        "the <who> bears the <kind>? <burden> <how>?",
        "the <who> <manner> bears the <burden>",
        "the <who> bears the <burden> <place>?",
    ),
    "team": (
        "<the> bears <won> the <contest> <place>?",
        "<the> <kind>? bears <won> the <contest> <how>?",
        "<when> bears <won> the <contest>",
        "the <who> <cheered> bears <how>?",
        "<one> <cheered> bears <place>?",
        "<many> <cheer> bears <how>?",
    ),
}

# "bears" between neutral phrases, its cues further away.
GAPPED: dict[str, tuple[str, ...]] = {
    "animal": (
        "<when> bears <how> <eat> <food> <place>?",
        "<when> bears <how> <how>? <eat> <food>",
        "<when> bears <how> <sleep> <place>",
        "<one> <liked> <when> bears <how>",
    ),
    "endure": (
        "<one> <when> bears <how> the <kind>? <burden>",
        "<one> <when> bears <how> <how>? the <burden>",
        "the <who> <when> bears <how> the <burden> <manner>",
        "the <who> <when> bears <how> the <burden>",
    ),
    "team": (
        "<when> bears <how> <won> the <contest> <place>?",
        "<when> bears <how> <how>? <won> the <contest>",
        "<when> bears <how> <won> the <contest>",
        "<one> <cheered> <when> bears <how>",
    ),
}

# Clauses without "bears". Behind a connective each starts with a neutral word, to keep cues out of the
# window. Other words stand here in the very places where "bears" stands above, pattern for pattern: a model
# that has to guess a hidden word there has to find out the sense of the clause, near or far. A place in which
# "bears" alone stands would teach nothing about the held-out cues around it.
OTHER: dict[str, tuple[str, ...]] = {
    "animal": (
        "<the> <kind>? <kin> <eat> <food> <place>?",
        "<the> <kind>? <kin> <sleep> <place>",
        "<many> <like> <kin> <place>?",
        "<one> <liked> the <kind> <kin>",
        "<one> <liked> <kin> <how>?",
        "<one> <liked> <kin> <place>?",
        "<when> <kin> <eat> <food>",
        "<when> <kin> <how> <eat> <food> <place>?",
        "<when> <kin> <how> <how>? <eat> <food>",
        "<when> <kin> <how> <sleep> <place>",
        "<one> <liked> <when> <kin> <how>",
        "<many> <like> <when> <kin> <how>",
    ),
    "endure": (
        "<one> <endures> the <kind>? <burden> <manner>?",
        "<many> <endured> the <kind> <burden> <place>?",
        "<one> <manner> <endured> the <burden>",
        "the <who> <endures> the <burden> <place>?",
        "the <who> <manner> <endures> the <burden>",
        "<one> <when> <endures> the <burden> <manner>?",
        "<one> <when> <endures> <how> the <kind>? <burden>",
        "<one> <when> <endures> <how> <how>? the <burden>",
        "the <who> <when> <endures> <how> the <burden>",
        "the <who> <when> <endures> <how> the <burden> <manner>",
    ),
    "team": (
        "<the> <kind>? <kin> <won> the <contest> <place>?",
        "<many> <cheer> <kin> <place>?",
        "<many> <cheer> <kin> <how>?",
        "the <who> <cheered> the <kin>",
        "the <who> <cheered> <kin> <how>?",
        "<one> <cheered> the <kind> <kin>",
        "<one> <cheered> <kin> <place>?",
        "<when> <kin> <won> the <contest>",
        "<when> <kin> <how> <how>? <won> the <contest>",
        "<when> <kin> <how> <won> the <contest> <place>?",
        "<one> <cheered> <when> <kin> <how>",
        "<many> <cheer> <when> <kin> <how>",
        "the <who> <cheered> <when> <kin> <how>",
    ),
}
