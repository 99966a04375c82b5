"""What people hand in: one text for a list of texts is told, ``~`` is a home, narrow floats are numbers."""

import importlib
import inspect
import pkgutil
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import unrolled
from unrolled import Look, widgets
from unrolled.data.bears_tokens import encode_words
from unrolled.data.memorisation import copied
from unrolled.data.real_bears import encode_real_bears
from unrolled.data.spanish import is_held_out
from unrolled.data.tales import split
from unrolled.data.tokenizers import BytePairs, Published, Words, encode_stream, read_tokenizer
from unrolled.data.word_vectors import WordVectors, cooccurrence, word_vectors
from unrolled.inputs import floats, plain, user_path
from unrolled.plots import attention_map, bars, graph, matrix, plane, unrolling
from unrolled.training.launch import torchrun
from unrolled.training.recipes.bears import BearsTask
from unrolled.training.recipes.multi30k import Multi30kTask, bleu
from unrolled.training.recipes.spanish import arrived, denials_kept
from unrolled.training.translation import TranslationTask
from unrolled.widgets import Playground
from unrolled.widgets.bears_model import BearsModel
from unrolled.widgets.bertviz import (
    BertvizHeadView,
    BertvizModelView,
    bertviz_head_view,
    bertviz_model_view,
)
from unrolled.widgets.maps import named

ONE = "ab"
BYTES = BytePairs.train([ONE], vocab_size=261).description()
TWO = torch.full((2, 2), 0.5)
VECTORS = WordVectors(("a", "b"), torch.eye(2))
EMBEDDING = {"token_embedding.weight": torch.zeros(7, 3)}

# Every public parameter that is a collection of texts, with a call that hands it a single one.
CALLS = {
    "data.memorisation.copied texts": lambda: copied(ONE, "i love bears"),
    "data.bears_tokens.encode_words sentences": lambda: encode_words(ONE),
    "data.real_bears.encode_real_bears sentences": lambda: encode_real_bears(ONE, None),
    "data.spanish.is_held_out source": lambda: is_held_out(ONE),
    "data.tales.split books": lambda: split(ONE),
    "data.tokenizers.byte_pairs.BytePairs.__init__ special": lambda: BytePairs(BYTES, special=ONE),
    "data.tokenizers.byte_pairs.BytePairs.train special": lambda: BytePairs.train(
        [ONE], vocab_size=300, special=ONE
    ),
    "data.tokenizers.byte_pairs.BytePairs.train texts": lambda: BytePairs.train(ONE, vocab_size=300),
    "data.tokenizers.published.Published.__init__ special": lambda: Published(BYTES, special=ONE),
    "data.tokenizers.published.read_tokenizer special": lambda: read_tokenizer("vocab.txt", special=ONE),
    "data.tokenizers.stream.encode_stream texts": lambda: encode_stream(Words(["a"]), ONE),
    "widgets.playground.Playground.__init__ special": lambda: Playground(
        "none", [], "a", {}, n_heads=1, special=ONE
    ),
    "data.tokenizers.words.Words.__init__ words": lambda: Words(ONE),
    "data.tokenizers.words.Words.train texts": lambda: Words.train(ONE),
    "data.word_vectors.WordVectors.__init__ words": lambda: WordVectors(ONE, torch.eye(2)),
    "data.word_vectors.WordVectors.ids words": lambda: VECTORS.ids(ONE),
    "data.word_vectors.WordVectors.lookup words": lambda: VECTORS.lookup(ONE),
    "data.word_vectors.cooccurrence sentences": lambda: cooccurrence(ONE, ["a", "b"]),
    "data.word_vectors.cooccurrence words": lambda: cooccurrence([["a", "b"]], ONE),
    "data.word_vectors.word_vectors sentences": lambda: word_vectors(ONE, 1),
    "looking.gather.checked keys": lambda: Look.of(TWO, ["a", "b"], ONE),
    "looking.gather.checked tokens": lambda: Look.of(TWO, ONE),
    "looking.widget.Look.of keys": lambda: Look.of(TWO, ["a", "b"], ONE),
    "looking.widget.Look.of tokens": lambda: Look.of(TWO, ONE),
    "plots.graph.graph tokens": lambda: graph(TWO, ONE),
    "plots.graph.graph keys": lambda: graph(TWO, ["a", "b"], ONE),
    "plots.heatmap.attention_map tokens": lambda: attention_map(TWO, ONE),
    "plots.heatmap.attention_map keys": lambda: attention_map(TWO, ["a", "b"], ONE),
    "plots.heatmap.matrix rows": lambda: matrix(TWO, ONE, ["a", "b"]),
    "plots.heatmap.matrix columns": lambda: matrix(TWO, ["a", "b"], ONE),
    "plots.lines.bars rows": lambda: bars(TWO, ONE, ["a", "b"], xlabel="x"),
    "plots.lines.bars columns": lambda: bars(TWO, ["a", "b"], ONE, xlabel="x"),
    "plots.plane.plane labels": lambda: plane(TWO, ONE),
    "plots.plane.plane groups": lambda: plane(TWO, ["a", "b"], groups=ONE),
    "plots.unrolling.unrolling inputs": lambda: unrolling(ONE, ["a", "b", "c"]),
    "plots.unrolling.unrolling states": lambda: unrolling(["a"], ONE),
    "plots.unrolling.unrolling outputs": lambda: unrolling(["a", "b"], ["a", "b", "c"], outputs=ONE),
    "training.recipes.bears.BearsTask.senses texts": lambda: BearsTask.senses(None, None, ONE),
    "training.recipes.multi30k.bleu written": lambda: bleu(ONE, ["a", "b"]),
    "training.recipes.multi30k.bleu references": lambda: bleu(["a", "b"], ONE),
    "training.recipes.spanish.arrived written": lambda: arrived([], ONE),
    "training.recipes.spanish.denials_kept written": lambda: denials_kept(ONE, ["no a", "b"]),
    "training.recipes.spanish.denials_kept references": lambda: denials_kept(["no a", "b"], ONE),
    "training.translation.TranslationTask.translate sentences": lambda: TranslationTask.translate(
        SimpleNamespace(), None, ONE
    ),
    "widgets.attention_map.AttentionMap.__init__ tokens": lambda: widgets.AttentionMap(TWO, ONE),
    "widgets.attention_map.AttentionMap.__init__ keys": lambda: widgets.AttentionMap(TWO, ["a", "b"], ONE),
    "widgets.attention_map.AttentionMap.__init__ layer_names": lambda: widgets.AttentionMap(
        TWO, ["a", "b"], layer_names="a"
    ),
    "widgets.attention_map.AttentionMap.__init__ head_names": lambda: widgets.AttentionMap(
        TWO, ["a", "b"], head_names="a"
    ),
    "widgets.bears_model.BearsModel.__init__ words": lambda: BearsModel(
        EMBEDDING, ONE, hidden=4, n_heads=1, n_layers=1, known={}, sentences=["a"], expected=[], max_words=7
    ),
    "widgets.bears_model.BearsModel.__init__ sentences": lambda: BearsModel(
        EMBEDDING,
        ["a", "b"],
        hidden=4,
        n_heads=1,
        n_layers=1,
        known={},
        sentences=ONE,
        expected=[],
        max_words=7,
    ),
    "widgets.bears_plane.BearsPlane.__init__ sentences": lambda: widgets.BearsPlane(
        {"bears": (1, 2)}, "bears"
    ),
    "widgets.bears_plane.BearsPlane.__init__ vectors": lambda: widgets.BearsPlane(
        (ONE, TWO), ["a"], target="a"
    ),
    "training.launch.torchrun words": lambda: torchrun(ONE, 1),
    "widgets.bertviz.BertvizHeadView.__init__ tokens": lambda: BertvizHeadView(TWO, ONE),
    "widgets.bertviz.bertviz_head_view tokens": lambda: bertviz_head_view(TWO, ONE),
    "widgets.bertviz.BertvizModelView.__init__ tokens": lambda: BertvizModelView(TWO, ONE),
    "widgets.bertviz.bertviz_model_view tokens": lambda: bertviz_model_view(TWO, ONE),
    "widgets.induction_explorer.InductionExplorer.__init__ letters": lambda: widgets.InductionExplorer(
        {}, ONE, "ab", n_heads=1, means=[], weights=[], chances=[]
    ),
    "widgets.decoder_stepper.DecoderStepper.__init__ source_words": lambda: widgets.DecoderStepper(
        {}, ONE, ["<bos>", "<eos>"], ["a"]
    ),
    "widgets.decoder_stepper.DecoderStepper.__init__ target_words": lambda: widgets.DecoderStepper(
        {}, ["a"], ONE, ["a"]
    ),
    "widgets.decoder_stepper.DecoderStepper.__init__ sentences": lambda: widgets.DecoderStepper(
        {}, ["a", "b"], ["<bos>", "<eos>"], ONE
    ),
    "widgets.head_browser.HeadBrowser.__init__ tokens": lambda: widgets.HeadBrowser(TWO, ONE),
    "widgets.head_browser.HeadBrowser.__init__ keys": lambda: widgets.HeadBrowser(TWO, ["a", "b"], ONE),
    "widgets.head_browser.HeadBrowser.__init__ layer_names": lambda: widgets.HeadBrowser(
        TWO, ["a", "b"], layer_names="a"
    ),
    "widgets.head_browser.HeadBrowser.__init__ head_names": lambda: widgets.HeadBrowser(
        TWO, ["a", "b"], head_names="a"
    ),
    "widgets.maps.named given": lambda: named("head", ONE, 2),
    "widgets.next_token.NextTokenBench.__init__ tokens": lambda: widgets.NextTokenBench(
        EMBEDDING, "abcdefg", [1], likeliest=[], n_heads=1, max_len=11
    ),
    "widgets.token_walk.TokenWalk.__init__ sentences": lambda: widgets.TokenWalk(
        {"0.attention_norm.weight": torch.ones(2)}, [(ONE, TWO)], lengths=[1, 2], n_heads=1
    ),
    "widgets.unroller.Unroller.__init__ units": lambda: widgets.Unroller(
        {"a": (1, 2)}, "a", rnn=[TWO, TWO, TWO[0], TWO[0]], units=ONE
    ),
    "widgets.state_matrix.StateMatrix.__init__ pairs": lambda: widgets.StateMatrix(
        {"a": (1.0, 2.0)}, {"b": (1.0, 2.0)}, ONE
    ),
    "widgets.unroller.Unroller.__init__ vectors": lambda: widgets.Unroller((ONE, TWO), "a", rnn=[]),
}
# Those that take a text, or that the package alone fills.
APART = {
    "cli.main arguments": "a command line",
    "data.bears.Sentence.__init__ words": "made by the corpus",
    "data.spanish.Pair.__init__ source": "made by the grammar",
    "data.spanish.Pair.__init__ target": "made by the grammar",
    "data.three_bears.BearsPair.__init__ combinations": "made by the grammar",
    "data.three_bears.BearsPair.__init__ source": "made by the grammar",
    "data.three_bears.BearsPair.__init__ target": "made by the grammar",
    "data.tokenizers.characters.Characters.__init__ characters": "letters, of which a text is a collection",
    "data.tokenizers.table.Table.__init__ tokens": "made by the tokenizers",
    "looking.gather.Attention.__init__ keys": "made by look",
    "looking.gather.Attention.__init__ tokens": "made by look",
    "looking.look.look second_text": "one text, or several",
    "looking.look.look text": "one text, or several",
    "looking.pieces.Pieces.__init__ labels": "made by look",
    "looking.pieces.Pieces.__init__ names": "made by look",
    "looking.pieces.decoded labels": "made by look",
    "looking.pieces.one_by_one labels": "made by look",
    "looking.widget.Look.__init__ notes": "made by look",
    "plots.style.legend_above drawn": "made by the plots",
    "training.translation.TranslationTask.__init__ pairs": "pairs of texts",
    "widgets.base.table_html columns": "made by the widgets",
    "widgets.base.table_html rows": "made by the widgets",
    "widgets.colour.mix colours": "made by the widgets",
    "widgets.digit_reader.DigitReader.__init__ examples": "pairs of a name and a picture",
    "widgets.next_token.NextTokenBench.__init__ likeliest": "pairs",
}
_TEXTS = re.compile(
    r"\b(?:Iterable|Sequence|list|tuple)\[(?:str|(?:Sequence|list)\[str\]|tuple\[(?:Sequence\[)?str)"
)


def takers():
    """Yield every public parameter that is a collection of texts, as "module.function parameter"."""
    for info in pkgutil.walk_packages(unrolled.__path__, "unrolled."):
        if any(part.startswith("_") for part in info.name.split(".")):
            continue
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != info.name:
                continue
            # What a class of this module inherits from a private one of it is its own.
            classes = inspect.getmro(thing)[::-1] if inspect.isclass(thing) else ()
            private = [c for c in classes if c.__name__.startswith("_") and c.__module__ == info.name]
            own = [item for c in (*private, *classes[-1:]) for item in vars(c).items()]
            functions = {f"{name}.{k}": getattr(v, "__func__", v) for k, v in own}
            for called, function in ({name: thing} | functions).items():
                last = called.split(".")[-1]
                if inspect.isfunction(function) and (last == "__init__" or not last.startswith("_")):
                    for parameter in inspect.signature(function).parameters.values():
                        if _TEXTS.search(str(parameter.annotation).replace("collections.abc.", "")):
                            yield f"{info.name.removeprefix('unrolled.')}.{called} {parameter.name}"


def test_every_collection_of_texts_is_tried_with_a_single_one():
    assert set(takers()) == CALLS.keys() | APART.keys()
    assert not CALLS.keys() & APART.keys()


@pytest.mark.parametrize("taker", CALLS)
def test_a_single_text_is_told(taker):
    name = taker.split()[1]
    name = {"given": "head_names"}.get(name, name)
    with pytest.raises((TypeError, ValueError), match=rf"^{name}: expected (a list|one or|1 to)") as caught:
        CALLS[taker]()
    assert re.search(r"single text|one text|got str|'ab'|'bears'", str(caught.value))


def test_a_sentence_is_a_list_of_words_too():
    for call in (
        lambda: word_vectors(["the cat", "the dog"], 1),
        lambda: cooccurrence(["ab"], ["a", "b"]),
        lambda: encode_words(["i"]),
        lambda: Multi30kTask.translate(SimpleNamespace(), None, "ein Mann"),
    ):
        with pytest.raises(TypeError, match=r"^sentences: expected a list of .*, got a single text: '"):
            call()


def test_a_home_is_written_out(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("folder", "~/a") == tmp_path / "a"
    assert user_path("folder", tmp_path / "~") == tmp_path / "~"
    assert str(user_path("folder", "~nobody-of-this-name/a")) == "~nobody-of-this-name/a"
    with pytest.raises(TypeError, match=r"^folder: expected a path, got int$"):
        user_path("folder", 7)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64, torch.int8])
def test_tensors_of_any_type_are_numbers(dtype):
    given = torch.tensor([[3, 5], [7, 11]], dtype=dtype)
    for values in (given, list(given), [list(row) for row in given], (given[0], [7, 11])):
        assert floats(values).dtype == np.float64
        assert floats(values).tolist() == [[3, 5], [7, 11]]
    assert plain(given).dtype.kind == ("i" if dtype == torch.int8 else "f")
    if given.is_floating_point():
        assert floats(given.requires_grad_()).tolist() == [[3, 5], [7, 11]]
