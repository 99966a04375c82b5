"""The grammar behind `unrolled.data.spanish`: every rule writes both languages at once.

A rule returns two lists of words, English and Spanish. Words that are each other's counterparts share a
number, so that wherever they end up, the alignment is known.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

from unrolled.data.spanish_lexicon import (
    ADJECTIVES,
    ARTICLES,
    COLOURS,
    CONNECTIVES,
    NOUNS,
    PRONOUNS,
    SIZES,
    VERBS,
    Noun,
    Verb,
)

__all__ = ["SHORTEST", "Grammar", "Side", "Token"]

# A word, and the number it shares with its counterpart in the other language if it is a content word.
Token = tuple[str, int | None]
Side = list[Token]
_T = TypeVar("_T")

# The fewest words that can join what stands before: "and i sleep".
SHORTEST = 3

_KINDS = tuple(SIZES)
_NOUNS = {kind: [noun for noun in NOUNS if noun.kind == kind] for kind in _KINDS}
_LIVING = _NOUNS["person"] + _NOUNS["pet"]
_PLACES = {"to": _NOUNS["place"], "in": _NOUNS["place"], "near": _NOUNS["place"] + _NOUNS["thing"]}
_DONE_BY = {kind: [verb for verb in VERBS if kind in verb.subjects] for kind in _KINDS}
_DONE_TO = {kind: [verb for verb in VERBS if kind in verb.objects] for kind in _KINDS}
_COMMANDS = [verb for verb in VERBS if verb.commands]
_AFTER_COMMAND = [name for name in CONNECTIVES if name not in ("when", "while")]
_AFTER_CLAUSE = list(CONNECTIVES)


class Grammar:
    """Draws sentences together with their translation; `sentence` is where it starts."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._links = 0

    def sentence(self, n_words: int) -> tuple[Side, Side]:
        """Return a sentence of exactly `n_words` words, and its translation."""
        while True:
            joined = self._joined(n_words)
            if joined is not None:
                source, target = joined
                return source, _contracted(target)

    def _joined(self, n_words: int) -> tuple[Side, Side] | None:
        """Join clauses, each drawn anew until it fits into what is left; None if none of them does."""
        command = self._chance(0.25)
        source, target = self._command() if command else self._clause(may_join=True)
        for _ in range(50):
            if len(source) >= n_words:
                break
            name = self._pick(_AFTER_COMMAND if command else _AFTER_CLAUSE)
            # "… the boys and the girls and the men read" would leave open who is seen and who reads.
            more_source, more_target = self._clause(may_join=name != "and")
            left = n_words - len(source) - 1 - len(more_source)
            if left == 0 or left >= SHORTEST:
                command = False
                source = [*source, (name, None), *more_source]
                target = [*target, (CONNECTIVES[name], None), *more_target]
        return (source, target) if len(source) == n_words else None

    def _command(self) -> tuple[Side, Side]:
        verb = self._pick(_COMMANDS)
        how = int(self._rng.random() * len(verb.commands))
        link = self._link()
        source: Side = [*(([], [("don't", None)], [("let's", None)])[how]), (verb.source[0], link)]
        target: Side = [*(([], [("no", None)], [])[how]), (verb.commands[how], link)]
        more_source, more_target = self._rest(verb, relative=True, short=self._chance(0.3))
        return source + more_source, target + more_target

    def _clause(self, *, may_join: bool) -> tuple[Side, Side]:
        """Return subject and predicate. `may_join`: whether the subject may be two people joined by "and"."""
        if self._chance(0.2):
            noun = self._pick(NOUNS)
            source, target, plural = self._noun_phrase(noun, relative=True)
            link, name = self._link(), self._pick(_qualities(noun.kind))
            source += [("are" if plural else "is", None), (name, link)]
            return source, [*target, ("son" if plural else "es", None), (_agree(name, noun, plural), link)]
        source, target, form, kind = self._subject(may_join)
        more_source, more_target = self._predicate(form, kind, relative=True)
        return source + more_source, target + more_target

    def _subject(self, may_join: bool) -> tuple[Side, Side, int, str]:
        """Return a subject, the form of the verb it asks for, and its kind."""
        draw = self._rng.random()
        if draw < 0.3:
            return self._pronoun()
        noun = self._pick(_LIVING)
        if may_join and draw < 0.45:
            other = self._pick(_LIVING)
            source, target, _ = self._noun_phrase(noun)
            more_source, more_target, _ = self._noun_phrase(other)
            kind = "person" if noun.kind == other.kind == "person" else "pet"
            return [*source, ("and", None), *more_source], [*target, ("y", None), *more_target], 3, kind
        source, target, plural = self._noun_phrase(noun, relative=True)
        return source, target, 3 if plural else 2, noun.kind

    def _pronoun(self) -> tuple[Side, Side, int, str]:
        name = self._pick(list(PRONOUNS))
        spanish, form = PRONOUNS[name]
        return [(name, None)], [(spanish, None)] if spanish else [], form, "person"

    def _predicate(self, form: int, kind: str, *, relative: bool) -> tuple[Side, Side]:
        verb = self._pick(_DONE_BY[kind])
        source, target = self._finite(verb, form)
        more_source, more_target = self._rest(verb, relative=relative)
        return source + more_source, target + more_target

    def _finite(self, verb: Verb, form: int) -> tuple[Side, Side]:
        """Return the verb, perhaps negated."""
        link = self._link()
        if self._chance(0.2):
            negation = "doesn't" if form == 2 else "don't"
            return [(negation, None), (verb.source[0], link)], [("no", None), (verb.target[form], link)]
        return [(verb.source[form == 2], link)], [(verb.target[form], link)]

    def _rest(self, verb: Verb, *, relative: bool, short: bool = False) -> tuple[Side, Side]:
        """Return what follows the verb: an object, a place."""
        source: Side = []
        target: Side = []
        if verb.source[0] == "go":
            return ([], []) if short else self._place("to", "a")
        if verb.objects and not (verb.alone and (short or self._chance(0.25))):
            noun = self._pick([noun for kind in verb.objects for noun in _NOUNS[kind]])
            source, target, _ = self._noun_phrase(noun, relative=relative)
            if noun.kind in ("person", "pet"):
                target = [("a", None), *target]
        draw = self._rng.random()
        if short or draw < 0.65:
            return source, target
        if draw < 0.75:
            return [*source, ("here", None)], [*target, ("aquí", None)]
        more_source, more_target = self._place("in", "en") if draw < 0.88 else self._place("near", "cerca de")
        return source + more_source, target + more_target

    def _place(self, english: str, spanish: str) -> tuple[Side, Side]:
        source, target, _ = self._noun_phrase(self._pick(_PLACES[english]))
        return [(english, None), *source], [*((word, None) for word in spanish.split()), *target]

    def _noun_phrase(self, noun: Noun, *, relative: bool = False) -> tuple[Side, Side, bool]:
        """Return a noun with what belongs to it, and whether it is plural."""
        plural = len(noun.source) > 1 and self._chance(0.35)
        draw = self._rng.random()
        article = "the" if plural or draw < 0.6 else "a" if draw < 0.8 else "my"
        if plural and draw > 0.8:
            article = "my"
        link = self._link()
        before, after = self._modifiers(noun, plural)
        source: Side = [(article, None), *before, (noun.source[plural], link)]
        target: Side = [(_form(ARTICLES[article], noun, plural), None), (noun.target[plural], link), *after]
        if relative and self._chance(0.2):
            more_source, more_target = self._relative(noun, plural)
            source, target = source + more_source, target + more_target
        return source, target, plural

    def _modifiers(self, noun: Noun, plural: bool) -> tuple[Side, Side]:
        """Return what stands before the noun in English and after it in Spanish."""
        before: Side = []
        after: Side = []
        draw = self._rng.random()
        if draw < 0.4:
            return before, after
        colours = COLOURS[noun.kind]
        if colours and (draw < 0.5 or 0.65 < draw < 0.8):
            name, link = self._pick(colours), self._link()
            before, after = [(name, link)], [(_agree(name, noun, plural), link)]
        if 0.5 < draw < 0.8:
            name, link = self._pick(SIZES[noun.kind]), self._link()
            before, after = [(name, link), *before], [*after, (_agree(name, noun, plural), link)]
        if draw >= 0.8:
            before, after = self._senses(noun)
        return before, after

    def _senses(self, noun: Noun) -> tuple[Side, Side]:
        """Return "delicious looking and smelling" or a part of it. Spanish: of delicious look and smell."""
        name = self._pick(("delicious", "strange")) if noun.kind == "food" else "strange"
        draw = 0.0 if noun.kind == "person" else self._rng.random()
        senses = [("looking", "aspecto")] if draw < 0.7 else []
        senses += [("smelling", "olor")] if draw > 0.35 else []
        quality = self._link()
        before: Side = [(name, quality)]
        after: Side = [("de", None)]
        for i, (english, spanish) in enumerate(senses):
            link = self._link()
            before += [*([("and", None)] if i else []), (english, link)]
            after += [*([("y", None)] if i else []), (spanish, link)]
        return before, [*after, (ADJECTIVES[name][len(senses) > 1], quality)]

    def _relative(self, noun: Noun, plural: bool) -> tuple[Side, Side]:
        """Return "who reads the book", "that is red" or "that the girl buys". There is none within it."""
        if noun.kind in ("person", "pet"):
            source, target = self._predicate(3 if plural else 2, noun.kind, relative=False)
            return [("who" if noun.kind == "person" else "that", None), *source], [("que", None), *target]
        if self._chance(0.4):
            link, name = self._link(), self._pick(_qualities(noun.kind))
            return (
                [("that", None), ("are" if plural else "is", None), (name, link)],
                [("que", None), ("son" if plural else "es", None), (_agree(name, noun, plural), link)],
            )
        if self._chance(0.5):
            source, target, form, _ = self._pronoun()
        else:
            who = self._pick(_NOUNS["person"])
            source, target, many = self._noun_phrase(who)
            form = 3 if many else 2
        verb = self._pick(_DONE_TO[noun.kind])
        more_source, more_target = self._finite(verb, form)
        return [("that", None), *source, *more_source], [("que", None), *target, *more_target]

    def _link(self) -> int:
        self._links += 1
        return self._links

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _pick(self, options: Sequence[_T]) -> _T:
        # random() is the one method whose sequence Python promises to keep, so nothing else is used.
        return options[int(self._rng.random() * len(options))]


def _qualities(kind: str) -> tuple[str, ...]:
    return SIZES[kind] + COLOURS[kind]


def _form(forms: Sequence[str], noun: Noun, plural: bool) -> str:
    return forms[2 * (noun.gender == "f") + plural]


def _agree(adjective: str, noun: Noun, plural: bool) -> str:
    return _form(ADJECTIVES[adjective], noun, plural)


def _contracted(target: Side) -> Side:
    """Write "a el" as "al" and "de el" as "del"."""
    words: Side = []
    for word, link in target:
        if word == "el" and words and words[-1][0] in ("a", "de"):
            words[-1] = (words[-1][0] + "l", None)
        else:
            words.append((word, link))
    return words
