"""The words and sentence patterns that `unrolled.data.text` makes stories of.

A slot of a pattern is ``{name}``. ``{hero}``, ``{friend}``, ``{thing}``, ``{place}`` and the pronouns
(``{he}``, ``{his}``, ``{him}`` for the hero, ``{fhe}``, ``{fhis}``, ``{fhim}`` for the friend) stay
the same all through a story; every other slot is drawn anew from `WORDS`, whose entries may hold slots
themselves.
"""

__all__ = ["CAST", "PLACES", "STAGES", "THINGS", "WORDS"]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Names and pronouns.
CAST = tuple(
    (name, *pronouns)
    for names, pronouns in (
        ("Anna Berta Clara Dora Edith Frida Greta Hanna Ida Julia Kate Lena", ("she", "her", "her")),
        ("Adam Bruno Carl David Emil Felix Georg Henry Ivan Jonas Karl Leo", ("he", "his", "him")),
    )
    for name in names.split()
)

PLACES = _words(
    "harbour mill market bridge orchard library station lighthouse workshop bakery castle "
    "meadow school theatre chapel vineyard ferry inn quarry greenhouse"
)

THINGS = _words(
    "lantern compass violin kettle ladder map clock umbrella telescope basket teapot "
    "bicycle wheelbarrow trumpet painting mirror saddle blanket anchor notebook carpet "
    "hammer flute candlestick"
)

WORDS: dict[str, tuple[str, ...]] = {
    "look": _words(
        "old broken heavy tiny golden dusty crooked shiny wooden rusty painted silver "
        "borrowed forgotten beautiful strange precious ordinary blue yellow"
    ),
    "mood": _words(
        "quiet tired cheerful curious nervous proud patient worried hungry sleepy brave "
        "stubborn polite thoughtful restless grateful"
    ),
    "manner": _words(
        "slowly carefully quietly gladly suddenly politely calmly quickly bravely gently proudly thoughtfully"
    ),
    "who": _words(
        "baker sailor teacher gardener miller tailor painter farmer postman carpenter doctor "
        "shepherd fisherman librarian cook smith"
    ),
    "beast": _words("dog cat goat fox owl donkey hedgehog goose raven squirrel horse mouse"),
    "food": (
        "a loaf of bread",
        "a bowl of soup",
        "some cheese",
        "two pears",
        "a slice of {taste} cake",
        "a cup of {taste} tea",
        "a handful of nuts",
        "an apple",
        "a {taste} pie",
        "some {taste} plums",
    ),
    "taste": _words("sweet sour warm fresh bitter delicious"),
    "count": _words("two three four five six seven twelve"),
    "hill": _words("hill river forest valley garden field lake shore gate wall well tower"),
    "water": _words("river lake well sea fountain"),
    "near": (
        "near the {hill}",
        "behind the {hill}",
        "beside the {hill}",
        "by the {hill}",
        "across the {hill}",
    ),
    "when": (
        "One morning",
        "One evening",
        "On a cold day in {month}",
        "In the middle of {month}",
        "Late one night",
        "After a long winter",
        "On the last day of {month}",
        "Early in {month}",
        "Long before breakfast",
        "Not long ago",
    ),
    "month": _words("January March April May June August September October November December"),
    "sky": (
        "the rain had just stopped",
        "snow lay on the {hill}",
        "the sun was going down",
        "a soft wind blew from the {hill}",
        "fog hung over the {hill}",
        "the moon was bright",
        "the sky was grey",
        "it was too warm for {month}",
    ),
    "sound": ("a bell", "a whistle", "footsteps", "a song", "a knock", "laughter", "thunder", "a {beast}"),
    "then": ("Then", "After a while", "Soon", "At last", "A little later", "In the end", "Before long"),
    "why": (
        "because {sky}",
        "because {he} was {mood}",
        "although {he} was {mood}",
        "while {sky}",
        "before anyone could ask why",
        "as {he} had done every {day}",
        "though {sky}",
    ),
    "day": _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "did": (
        "climbed the {hill}",
        "sat down {near}",
        "ate {food}",
        "called the {who}",
        "waited {near}",
        "asked a {mood} {who} for help",
        "followed the {beast}",
        "counted to {count}",
        "opened the door of the {place}",
        "wrote a letter to the {who}",
        "shared {food} with the {beast}",
        "walked round the {place}",
    ),
    "said": ("said", "answered", "whispered", "cried", "replied", "murmured"),
    "offer": (
        "I will give you {food} for it",
        "It belongs to the {who}",
        "I lost it {near}",
        "You may keep it until {day}",
        "I have never seen such a {look} {thing}",
        "Ask the {who} {near}",
        "It is worth more than {count} horses",
        "Take {food} and come back on {day}",
        "We can mend it before {day}",
    ),
    "question": (
        "Where did you find the {thing}",
        "Who left the {thing} at the {place}",
        "Do you know the {who} {near}",
        "Why is the {thing} so {look}",
        "Have you seen a {mood} {beast}",
        "May I carry the {thing} for you",
        "Will it rain on {day}",
    ),
}

# A story takes one pattern of each stage, and sometimes one of "aside" in between.
STAGES: dict[str, tuple[str, ...]] = {
    "opening": (
        "{when} {hero} went to the {place}, {why}.",
        "{when}, when {sky}, {hero} came to the {place}.",
        "{hero} lived {near}, in sight of the {place}, and was always {mood}.",
        "{when} the {who} sent {hero} to the {place} for {food}.",
        "Everyone at the {place} knew {hero}, the {mood} child of the {who}.",
        "{when} {hero} could not sleep, so {he} {did} and went to the {place}.",
    ),
    "finding": (
        "There, {near}, {he} found a {look} {thing}.",
        "{then} {he} saw a {look} {thing} under a {look} bench.",
        "A {mood} {beast} was guarding a {look} {thing}.",
        "On the steps of the {place} stood a {look} {thing}, and nobody knew whose it was.",
        "{he} had come for one reason: the {look} {thing} that the {who} had left behind.",
        "The {who} showed {him} a {thing}, so {look} that {he} forgot {food}.",
    ),
    "trouble": (
        "But the {thing} was too {look}, and {he} {did}.",
        "When {he} touched the {thing}, {he} heard {sound}.",
        "The {beast} did not like it and ran off with the {thing}.",
        '"That {thing} is mine," {said} a {mood} {who}.',
        "{he} wanted to bring it home, but {sky}.",
        "The {thing} fell into the {water}, and {he} {did} {manner}.",
    ),
    "meeting": (
        "{then} {friend} came by, {mood} as ever, and {did}.",
        "{friend}, who had heard {sound}, {manner} {did}.",
        '"{question}?" {said} {friend}.',
        "{he} met {friend} {near}, and together they looked at the {thing}.",
        "{then} {he} asked {friend}, who knew every {thing} in the country.",
    ),
    "talk": (
        '"{question}?" {fhe} {said} {manner}.',
        '"{offer}," {said} {friend}.',
        '"{offer}," {fhe} {said}, "and {sky}."',
        '"{offer}!" {said} {hero} {manner}.',
        '"{question}?" {said} {hero}. "{offer}," {said} {friend}.',
    ),
    "turn": (
        "{then} they {did} and {did}.",
        "{friend} took the {thing} and {did}, {why}.",
        "{hero} {manner} {did}; {friend} {did}.",
        "For {count} hours they {did}, and the {beast} {manner} watched them.",
        "{friend} gave {hero} {food}, and {he} gave {fhim} the {thing}.",
        "The {who} came back, {mood} and {mood}, and {did} with them.",
    ),
    "ending": (
        "{then} {hero} carried the {thing} home.",
        "Since that {day} the {thing} has stood in the {place}.",
        "{hero} never saw the {thing} again, but {friend} stayed {his} friend.",
        "And whenever {sky}, {hero} thinks of {friend} and the {look} {thing}.",
        "They sold the {thing} to the {who} and shared {food}.",
        "{friend} went back to {fhis} {hill}, and {hero} was {mood} for {count} days.",
    ),
    "aside": (
        "By then {sky}.",
        "{sky}, and somewhere there was {sound}.",
        "The {place} was {look}, and a {mood} {who} {did}.",
        "A {beast} {manner} {did}.",
        "{he} was {mood}, and so was the {beast}.",
        "It was {day}, and on every {day} the {who} {did}.",
    ),
}
