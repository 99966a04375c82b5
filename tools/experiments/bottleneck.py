"""The bottleneck: one context vector, four scores and a transformer, by the length of the sentence."""

from tools.experiments.trial import Trial
from unrolled.training.recipes.spanish import Spanish
from unrolled.training.recipes.spanish_one_way import SpanishOneWay

_UNLEARNED = (
    "Learned from sentences of 1 to 45 words: lengths 41-50 are learned in part, 51-74 not at all. Tested on "
    "200 sentences of each range, none of them learned. A negation is kept when the same verb is denied."
)

TRIALS = [
    Trial(
        "spanish-none",
        Spanish(score=None, steps=3200),
        notes=_UNLEARNED
        + " Trained for twice the steps of the models with attention, since it learns slower.",
        store="spanish-none",
    ),
    Trial(
        "spanish-none-narrow",
        Spanish(score=None, steps=3200, d_hidden=32),
        notes=_UNLEARNED + " As 'spanish-none', with states, and so a context vector, of a quarter.",
    ),
    Trial(
        "spanish-none-wide",
        Spanish(score=None, steps=3200, d_hidden=512),
        seeds=(0,),
        notes=_UNLEARNED + " As 'spanish-none', with states four times as large.",
    ),
    Trial(
        "spanish-none-forward",
        SpanishOneWay(),
        seeds=(0, 1),
        notes=_UNLEARNED + " As 'spanish-none', with one LSTM that reads from the first word to the last.",
    ),
    Trial(
        "spanish-none-backward",
        SpanishOneWay(reads="backward"),
        seeds=(0, 1),
        notes=_UNLEARNED + " As 'spanish-none-forward', with the words of each source sentence reversed.",
    ),
    Trial("spanish-dot", Spanish(), notes=_UNLEARNED, store="spanish-dot"),
    Trial(
        "spanish-dot-long",
        Spanish(steps=3200),
        notes=_UNLEARNED + " As many steps as the one context vector had.",
    ),
    Trial(
        "spanish-additive-long",
        Spanish(score="additive", steps=3200, dropout=0.2),
        notes=_UNLEARNED
        + " Tried for sentences beyond those lengths. With the dropout and 1600 steps, seed 0 got 0.47 of "
        "them right, and with the dot score 0.695.",
    ),
    Trial(
        "spanish-small",
        Spanish(d_model=16, d_hidden=32, longest=12, steps=2400, lr=8e-3),
        notes="Learned from sentences of 1 to 12 words: small enough to run in a page of chapter 3.",
        store="spanish-small",
    ),
    Trial("spanish-general", Spanish(score="general"), notes=_UNLEARNED),
    Trial("spanish-additive", Spanish(score="additive"), notes=_UNLEARNED),
    Trial("spanish-scaled-dot", Spanish(score="scaled_dot"), notes=_UNLEARNED),
    Trial(
        "spanish-transformer",
        Spanish(architecture="transformer", d_model=64, n_layers=2),
        notes=_UNLEARNED + " Its attention map is the mean over the heads of the decoder's last layer.",
        store="spanish-transformer",
    ),
]
