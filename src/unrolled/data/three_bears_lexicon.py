"""The words that `unrolled.data.three_bears` makes its English and Spanish sentences of."""

__all__ = [
    "ADJECTIVES",
    "CONNECTIVES",
    "FOOD",
    "LOVERS",
    "MINE",
    "PAST",
    "PEOPLE",
    "PLACES",
    "PLURALS",
    "PRESENT",
    "SEEN",
    "SOURCE_VOCABULARY",
    "TARGET_VOCABULARY",
    "THINGS",
]

# English -> Spanish, and its gender.
PEOPLE = {
    "girl": ("niña", "f"), "boy": ("niño", "m"), "woman": ("mujer", "f"), "man": ("hombre", "m"),
    "sister": ("hermana", "f"), "brother": ("hermano", "m"), "doctor": ("médica", "f"),
    "friend": ("amigo", "m"),
}  # fmt: skip
MINE = ("sister", "brother", "doctor", "friend")
THINGS = {
    "sport": {
        "game": ("partido", "m"), "final": ("final", "f"), "cup": ("copa", "f"),
        "title": ("título", "m"), "trophy": ("trofeo", "m"), "league": ("liga", "f"),
    },
    "wild": {
        "honey": ("miel", "f"), "fish": ("pez", "m"), "forest": ("bosque", "m"),
        "river": ("río", "m"), "cave": ("cueva", "f"), "tree": ("árbol", "m"),
    },
    "burden": {
        "pain": ("dolor", "m"), "cold": ("frío", "m"), "heat": ("calor", "m"),
        "noise": ("ruido", "m"), "weight": ("peso", "m"), "silence": ("silencio", "m"),
    },
}  # fmt: skip
PLURALS = {
    "dogs": ("perros", "m"), "cats": ("gatos", "m"), "books": ("libros", "m"), "songs": ("canciones", "f"),
}  # fmt: skip
ADJECTIVES = {
    "big": {"m": "grande", "f": "grande"}, "strange": {"m": "extraño", "f": "extraña"},
    "terrible": {"m": "terrible", "f": "terrible"}, "old": {"m": "viejo", "f": "vieja"},
}  # fmt: skip
PLACES = {
    "park": ("parque", "m"),
    "city": ("ciudad", "f"),
    "school": ("escuela", "f"),
    "house": ("casa", "f"),
}

# English -> Spanish after one and after several, and which things it is done to.
PAST: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "won": ("ganó", "ganaron", ("sport",)),
    "lost": ("perdió", "perdieron", ("sport", "wild")),
    "saw": ("vio", "vieron", ("sport", "wild")),
    "found": ("encontró", "encontraron", ("sport", "wild")),
    "wanted": ("quería", "querían", ("sport", "wild")),
    "left": ("dejó", "dejaron", ("sport", "wild")),
    "defended": ("defendió", "defendieron", ("sport", "wild")),
    "ate": ("comió", "comieron", ("food",)),
}
FOOD = {name: THINGS["wild"][name] for name in ("honey", "fish")}
PRESENT = {"feels": "siente", "hates": "odia", "knows": "conoce"}
SEEN = ("saw", "found", "wanted")
LOVERS = {"i": "me", "we": "nos", "you": "te", "she": "a ella le", "he": "a él le"}
CONNECTIVES = {"and": "y", "but": "pero", "because": "porque", "when": "cuando", "while": "mientras"}

# What the rules themselves say stands beside the words above.
_WITH_GENDER = (PEOPLE, *THINGS.values(), PLURALS, PLACES)
_ENGLISH = "bears the that they my in near love loves"
SOURCE_VOCABULARY = tuple(
    sorted(set(_ENGLISH.split()).union(*_WITH_GENDER, ADJECTIVES, PAST, PRESENT, LOVERS, CONNECTIVES))
)
"""Every word of the English sentences, in alphabetical order."""
_SPANISH = "osos soporta Bears el la los las ella él mi que en cerca de del a al le encanta encantan"
TARGET_VOCABULARY = tuple(
    sorted(
        {
            *_SPANISH.split(),
            *(spanish for words in _WITH_GENDER for spanish, _ in words.values()),
            *(form for forms in ADJECTIVES.values() for form in forms.values()),
            *(form for one, many, _ in PAST.values() for form in (one, many)),
            *PRESENT.values(),
            *(word for words in LOVERS.values() for word in words.split()),
            *CONNECTIVES.values(),
        }
    )
)
"""Every word of the Spanish sentences, in alphabetical order."""
