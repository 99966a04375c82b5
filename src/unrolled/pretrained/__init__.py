"""Other people's weights in our modules: GPT-2, BERT, Llama, ViT. Taught in chapters 10, 11, 15, 16.

`gpt2_config`, `gpt2_state` and their fellows are pure: Hugging Face's names in, ours out. `load_gpt2`,
`load_bert`, `load_llama` and `load_vit` read a folder with ``config.json`` and ``model.safetensors``, or take
a `transformers` model at hand. Every field, every name and every shape is checked: the model that comes out
computes what theirs does, or a `WeightsError` says why it cannot. Nothing is unpickled: a file that could run
code is refused.
"""

from unrolled.pretrained.configs import bert_config, gpt2_config
from unrolled.pretrained.errors import WeightsError
from unrolled.pretrained.llama_config import llama_config
from unrolled.pretrained.load import load_bert, load_gpt2, load_llama, load_vit
from unrolled.pretrained.states import bert_state, gpt2_state, llama_state, vit_state
from unrolled.pretrained.vit_config import vit_config

__all__ = [
    "WeightsError",
    "bert_config",
    "bert_state",
    "gpt2_config",
    "gpt2_state",
    "llama_config",
    "llama_state",
    "load_bert",
    "load_gpt2",
    "load_llama",
    "load_vit",
    "vit_config",
    "vit_state",
]
