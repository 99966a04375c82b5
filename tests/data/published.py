"""Vocabularies in the formats that others publish theirs in, and a hundred awkward texts."""

import json
import random
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from unrolled.data.text import corpus

END = "<|endoftext|>"
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# Not English alone: pieces of other alphabets, and of accents, have to be learned.
TEXTS = [*corpus(20_000).splitlines(), *["Grüße aus Zürich, naïve café! नमस्ते दुनिया 你好世界 über"] * 5]


def save_gpt2(folder: Path) -> Path:
    """Write ``vocab.json``, ``merges.txt`` and ``tokenizer.json``, the end of a text behind all pieces."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=599, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_special_tokens([END])
    tokenizer.model.save(str(folder))
    ids = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    ids[END] = len(ids)
    (folder / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def save_bert(folder: Path, *, lowercase: bool = True) -> Path:
    """Write ``vocab.txt`` and ``tokenizer.json``."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    trainer = trainers.WordPieceTrainer(vocab_size=401, special_tokens=BERT, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.model.save(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


_PARTS = [
    *(
        "",
        " ",
        "  ",
        "\n",
        "\n\n ",
        "\t",
        "\r\n",
        "\x00",
        "\x1c",
        "\x85",
        "\u3000",
        "\ufeff",
        "\u200b",
        "\xad",
    ),
    *("it's", "I'LL", "we've", "'s", "''", "don’t", "O'Brien's", "'re'd", "x's's"),
    *("café", "cafe\u0301", "Ångström", "ﬁne", "İstanbul", "ΌΣΟΣ", "straße", "ñandú", "Zürich"),
    *("你好，世界。", "नमस्ते दुनिया", "مُحَمَّد", "שלום", "สวัสดี", "こんにちは", "한국어", "ไทย😀"),
    *("🐻", "👩\u200d👩\u200d👧", "🇩🇪", "a🐻b", "❤\ufe0f", "\U0001f9f8" * 3),
    *("3.14", "1,000,000", "x²", "½", "٤٢", "Ⅷ", "0xFF", "2026-11-28", "1st"),
    *("<|endoftext|>", "[MASK]", "<eos>", "[CLS] a [SEP]", "<b>&amp;</b>", "{json: 1}", "a_b", "C++", "$%^"),
    *(
        "bear " * 9,
        "a" * 500,
        "ab" * 101,
        "-" * 77,
        "bears,bears;bears",
        "(bear)",
        "...",
        "…",
        "—",
        "“quoted”",
    ),
    *(
        "the   three\t\tbears",
        " leading",
        "trailing ",
        "\n\nlines\n\n",
        "UPPER lower MiXed",
        "ALLCAPS",
        "x" * 101,
        "b" * 100,
    ),
]


def awkward() -> list[str]:
    """Return more than a hundred texts: each of the above, and mixtures of them."""
    rng = random.Random(0)
    mixed = ["".join(rng.choices(_PARTS, k=7)) for _ in range(60)]
    return [*_PARTS, *mixed]
