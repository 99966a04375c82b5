"""From text to numbers and back: characters, words, or pieces of words (byte-pair encoding).

`Characters`, `Words` and `BytePairs` number the special tokens as `SPECIAL` does; `read_tokenizer` reads what
others have published: GPT-2's vocabulary, BERT's, or any ``tokenizer.json``. All speak one protocol,
`Tokenizer`. They are saved as JSON, and `load` gives back the one that was saved. Nothing a reader types
becomes a special token: ``<eos>`` in a text is five characters. `encode_stream` reads a text that is longer
than memory. Taught in the interlude, and in chapters 9 and 10.
"""

from unrolled.data.tokenizers.byte_pairs import BytePairs, Merge, byte_alphabet
from unrolled.data.tokenizers.characters import Characters
from unrolled.data.tokenizers.files import load
from unrolled.data.tokenizers.gpt2_words import gpt2_words
from unrolled.data.tokenizers.protocol import Tokenizer
from unrolled.data.tokenizers.published import Published, read_tokenizer
from unrolled.data.tokenizers.stream import encode_stream
from unrolled.data.tokenizers.words import Words

__all__ = [
    "BytePairs",
    "Characters",
    "Merge",
    "Published",
    "Tokenizer",
    "Words",
    "byte_alphabet",
    "encode_stream",
    "gpt2_words",
    "load",
    "read_tokenizer",
]
