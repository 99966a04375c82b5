"""Our models, filled with Hugging Face's weights."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from unrolled.nn.bert import BERT
from unrolled.nn.gpt import GPT
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.nn.vit import ViT
from unrolled.pretrained.configs import attention_dropout, bert_config, embedding_dropout, gpt2_config
from unrolled.pretrained.errors import WeightsError
from unrolled.pretrained.fields import read_share
from unrolled.pretrained.llama_config import llama_config, windowed_layers
from unrolled.pretrained.read import read
from unrolled.pretrained.states import State, bert_state, gpt2_state, llama_state, vit_state
from unrolled.pretrained.vit_config import vit_config

__all__ = ["load_bert", "load_gpt2", "load_llama", "load_vit"]

_Model = TypeVar("_Model", GPT, BERT, ViT)


def load_gpt2(source: str | Path | nn.Module) -> GPT:
    """Return a `GPT` with the weights of a GPT-2, in evaluation mode.

    It computes in float32, whatever type the weights are stored in, or in float64 if they are. Its three
    dropouts are theirs, for who trains it further.

    Args:
        source: a folder with ``config.json`` and ``model.safetensors``, the safetensors file in such a
            folder, a `transformers` GPT-2 model, or a name on the Hugging Face hub such as ``"gpt2"``, which
            is fetched by `huggingface_hub` if that is installed.

    Raises:
        WeightsError: the configuration asks for what `GPT` does not do, names or shapes do not fit, or the
            weights are of a kind that is not read.
        FileNotFoundError: there is no such file, or the hub cannot be reached.
        ImportError: a package that is needed is not installed.

    Example:
        >>> import torch
        >>> from transformers import GPT2Config, GPT2LMHeadModel
        >>> from unrolled.pretrained import load_gpt2
        >>> config = GPT2Config(
        ...     vocab_size=11, n_positions=7, n_embd=8, n_head=2, n_layer=1, bos_token_id=0, eos_token_id=0
        ... )
        >>> theirs = GPT2LMHeadModel(config).eval()
        >>> tokens = torch.tensor([[1, 5, 7]])
        >>> torch.allclose(load_gpt2(theirs)(tokens), theirs(tokens).logits, atol=1e-5)
        True
    """
    hf_config, hf_state = read(source)
    config = gpt2_config(hf_config)
    return _with_dropouts(_filled(lambda: GPT(config), gpt2_state(hf_state, config)), hf_config)


def load_bert(source: str | Path | nn.Module, *, mlm_head: bool | None = None) -> BERT:
    """Return a `BERT` with the weights of a BERT-family model, in evaluation mode.

    Types and dropouts are as in `load_gpt2`.

    Args:
        source: as in `load_gpt2`.
        mlm_head: whether the model can guess words; unless given, when the weights have the head for it.

    Raises:
        WeightsError, FileNotFoundError, ImportError: as in `load_gpt2`.

    Example:
        >>> import torch
        >>> from transformers import BertConfig, BertForMaskedLM
        >>> from unrolled.pretrained import load_bert
        >>> config = BertConfig(
        ...     vocab_size=11, hidden_size=8, num_attention_heads=2, num_hidden_layers=1,
        ...     intermediate_size=16,
        ... )
        >>> theirs, tokens = BertForMaskedLM(config).eval(), torch.tensor([[1, 5, 7]])
        >>> torch.allclose(load_bert(theirs)(tokens), theirs(tokens).logits, atol=1e-5)
        True
    """
    hf_config, hf_state = read(source)
    if mlm_head is None:
        mlm_head = any(name.startswith("cls.predictions.") for name in hf_state)
    config = bert_config(hf_config, mlm_head=mlm_head)
    return _with_dropouts(_filled(lambda: BERT(config), bert_state(hf_state, config)), hf_config)


def load_llama(source: str | Path | nn.Module) -> GPT:
    """Return a `GPT` with the weights of a Llama or one of its kin, in evaluation mode.

    These are Llama 2 and 3, SmolLM, Mistral, Mixtral, Qwen 2 and 3, OLMo 2 and Gemma 2.
    Types are as in `load_gpt2`. The tokenizer lies in the same folder:
    ``unrolled.data.tokenizers.read_tokenizer(folder)``.

    Args:
        source: as in `load_gpt2`; weights may lie in one file or in several with an index.

    Raises:
        WeightsError, FileNotFoundError, ImportError: as in `load_gpt2`.

    Example:
        >>> import torch
        >>> from transformers import LlamaConfig, LlamaForCausalLM
        >>> from unrolled.pretrained import load_llama
        >>> config = LlamaConfig(
        ...     vocab_size=11, hidden_size=8, num_attention_heads=2, num_hidden_layers=1,
        ...     intermediate_size=16,
        ... )
        >>> theirs, tokens = LlamaForCausalLM(config).eval(), torch.tensor([[1, 5, 7]])
        >>> torch.allclose(load_llama(theirs)(tokens), theirs(tokens).logits, atol=1e-5)
        True
    """
    hf_config, hf_state = read(source)
    config = llama_config(hf_config)
    state = llama_state(hf_state, config, gains_from_one=hf_config["model_type"] == "gemma2")
    before = torch.get_default_dtype()
    try:
        # Angles are kept in the type the model is made in.
        torch.set_default_dtype(torch.float64 if _is_double(state) else before)
        model = _filled(lambda: GPT(config), state)
    finally:
        torch.set_default_dtype(before)
    for layer, slides in zip(model.layers, windowed_layers(hf_config), strict=True):
        attention = layer.get_submodule("attention")
        attention.dropout = read_share(hf_config, "attention_dropout", 0.0)  # type: ignore[assignment]
        if not slides:
            attention.mask_rule = None  # type: ignore[assignment]
    return model


def load_vit(source: str | Path | nn.Module) -> ViT:
    """Return a `ViT` with the weights of a ViT that classifies pictures, in evaluation mode.

    Types and dropouts are as in `load_gpt2`.

    Args:
        source: as in `load_gpt2`.

    Raises:
        WeightsError, FileNotFoundError, ImportError: as in `load_gpt2`.

    Example:
        >>> import torch
        >>> from transformers import ViTConfig, ViTForImageClassification
        >>> from unrolled.pretrained import load_vit
        >>> config = ViTConfig(
        ...     image_size=8, patch_size=4, hidden_size=8, num_attention_heads=2, num_hidden_layers=1,
        ...     intermediate_size=16,
        ... )
        >>> theirs, pictures = ViTForImageClassification(config).eval(), torch.rand(1, 3, 8, 8)
        >>> torch.allclose(load_vit(theirs)(pictures), theirs(pictures).logits, atol=1e-5)
        True
    """
    hf_config, hf_state = read(source)
    state = vit_state(hf_state)
    n_labels = max(1, len(state.get("head.bias", ())))  # without a head, what is missing is named
    config = vit_config(hf_config, n_labels=n_labels)
    model = _filled(lambda: ViT(config), state)
    for part in model.modules():
        if isinstance(part, MultiHeadAttention):
            part.dropout = read_share(hf_config, "attention_probs_dropout_prob", 0.0)
    return model


def _is_double(state: State) -> bool:
    return any(tensor.dtype == torch.float64 for tensor in state.values())


def _filled(make: Callable[[], _Model], state: State) -> _Model:
    """Return a model with `state` in it, after checking every name, every shape, every type and every number.

    The configuration may ask for more than there is memory for: a model without numbers is held against the
    weights first.
    """
    with torch.device("meta"):
        model = _made(make)
    own = model.state_dict()
    report = [f"missing: {name} {list(own[name].shape)}" for name in own if name not in state]
    report += [f"unexpected: {name} {list(state[name].shape)}" for name in state if name not in own]
    for name in own.keys() & state.keys():
        if own[name].shape != state[name].shape:
            report.append(
                f"mis-shaped: {name}, expected {list(own[name].shape)}, got {list(state[name].shape)}"
            )
        elif not state[name].is_floating_point():
            report.append(f"mis-typed: {name}, expected floating-point numbers, got {state[name].dtype}")
        elif not state[name].isfinite().all():
            report.append(f"no numbers: {name}, expected finite ones, got some that are not")
    if report:
        raise WeightsError(f"{type(model).__name__}: the weights do not fit\n  " + "\n  ".join(report))
    model = _made(make)
    if _is_double(state):
        model.double()
    model.load_state_dict(dict(state))
    return model.eval()


def _made(make: Callable[[], _Model]) -> _Model:
    try:
        return make()
    except (ValueError, RuntimeError, OverflowError, MemoryError) as error:
        raise WeightsError(f"config: expected sizes of which a model can be made: {error}") from error


def _with_dropouts(model: _Model, hf_config: Mapping[str, Any]) -> _Model:
    """Return `model` with the dropouts of a GPT-2 or a BERT."""
    model.dropout.p = embedding_dropout(hf_config)
    for part in model.modules():
        if isinstance(part, MultiHeadAttention):
            part.dropout = attention_dropout(hf_config)
    return model
