"""The words that `unrolled.data.spanish` makes its English and Spanish sentences of."""

from typing import NamedTuple

__all__ = [
    "ADJECTIVES",
    "ARTICLES",
    "COLOURS",
    "CONNECTIVES",
    "NOUNS",
    "PRONOUNS",
    "SIZES",
    "VERBS",
    "Noun",
    "Verb",
]


class Noun(NamedTuple):
    """A noun in both languages, singular and plural; a noun of one form has no plural here."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    gender: str
    kind: str


class Verb(NamedTuple):
    """A verb: English base and third person singular; Spanish yo, nosotros, third singular, third plural.

    Attributes:
        source: base form and third person singular.
        target: the four forms of the Spanish present.
        commands: do it, don't do it, let's do it; empty where the grammar has none.
        objects: kinds of noun it takes; empty where it takes none.
        alone: whether it may stand without an object.
        subjects: kinds of noun that do it.
    """

    source: tuple[str, str]
    target: tuple[str, str, str, str]
    commands: tuple[str, ...]
    objects: tuple[str, ...]
    alone: bool
    subjects: tuple[str, ...]


NOUNS = (
    Noun(("boy", "boys"), ("niño", "niños"), "m", "person"),
    Noun(("girl", "girls"), ("niña", "niñas"), "f", "person"),
    Noun(("man", "men"), ("hombre", "hombres"), "m", "person"),
    Noun(("woman", "women"), ("mujer", "mujeres"), "f", "person"),
    Noun(("dog", "dogs"), ("perro", "perros"), "m", "pet"),
    Noun(("cat", "cats"), ("gato", "gatos"), "m", "pet"),
    Noun(("house", "houses"), ("casa", "casas"), "f", "place"),
    Noun(("garden", "gardens"), ("jardín", "jardines"), "m", "place"),
    Noun(("car", "cars"), ("coche", "coches"), "m", "thing"),
    Noun(("book", "books"), ("libro", "libros"), "m", "text"),
    Noun(("letter", "letters"), ("carta", "cartas"), "f", "text"),
    Noun(("pizza", "pizzas"), ("pizza", "pizzas"), "f", "food"),
    Noun(("soup",), ("sopa",), "f", "food"),
    Noun(("cake", "cakes"), ("pastel", "pasteles"), "m", "food"),
)

# English -> masculine singular and plural, feminine singular and plural.
ADJECTIVES = {
    "red": ("rojo", "rojos", "roja", "rojas"),
    "white": ("blanco", "blancos", "blanca", "blancas"),
    "green": ("verde", "verdes", "verde", "verdes"),
    "big": ("grande", "grandes", "grande", "grandes"),
    "small": ("pequeño", "pequeños", "pequeña", "pequeñas"),
    "strange": ("extraño", "extraños", "extraña", "extrañas"),
    "delicious": ("delicioso", "deliciosos", "deliciosa", "deliciosas"),
}
# What may be said of which kind of noun. A colour stands nearer to the noun, in both languages.
SIZES = {
    "person": ("big", "small", "strange"),
    "pet": ("big", "small", "strange"),
    "place": ("big", "small", "strange"),
    "thing": ("big", "small", "strange"),
    "text": ("big", "small", "strange"),
    "food": ("big", "small", "delicious"),
}
COLOURS = {
    "person": (),
    "pet": ("white",),
    "place": ("red", "white", "green"),
    "thing": ("red", "white", "green"),
    "text": ("red", "white", "green"),
    "food": ("red", "white", "green"),
}

ARTICLES = {
    "the": ("el", "los", "la", "las"),
    "a": ("un", "", "una", ""),
    "my": ("mi", "mis", "mi", "mis"),
}

# English -> Spanish, which leaves out what the ending of the verb says; and which form of the verb.
PRONOUNS = {"i": ("", 0), "we": ("", 1), "she": ("ella", 2), "they": ("", 3)}

VERBS = (
    Verb(
        ("see", "sees"),
        ("veo", "vemos", "ve", "ven"),
        (),
        ("person", "pet", "place", "thing", "text", "food"),
        False,
        ("person", "pet"),
    ),
    Verb(
        ("eat", "eats"),
        ("como", "comemos", "come", "comen"),
        ("come", "comas", "comamos"),
        ("food",),
        True,
        ("person", "pet"),
    ),
    Verb(
        ("read", "reads"),
        ("leo", "leemos", "lee", "leen"),
        ("lee", "leas", "leamos"),
        ("text",),
        True,
        ("person",),
    ),
    Verb(
        ("buy", "buys"),
        ("compro", "compramos", "compra", "compran"),
        ("compra", "compres", "compremos"),
        ("place", "thing", "text", "food"),
        False,
        ("person",),
    ),
    Verb(
        ("sleep", "sleeps"),
        ("duermo", "dormimos", "duerme", "duermen"),
        (),
        (),
        True,
        ("person", "pet"),
    ),
    Verb(
        ("go", "goes"), ("voy", "vamos", "va", "van"), ("ve", "vayas", "vamos"), (), True, ("person", "pet")
    ),
)

# Any of them may follow a statement. After a command "when" and "while" would ask for another Spanish mood.
CONNECTIVES = {"and": "y", "but": "pero", "because": "porque", "when": "cuando", "while": "mientras"}
