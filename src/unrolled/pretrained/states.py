"""Hugging Face's names of GPT-2's and BERT's weights, and ours."""

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from unrolled.nn.bert import BertConfig
from unrolled.nn.gpt import GPTConfig
from unrolled.nn.llama import LlamaConfig
from unrolled.pretrained.errors import WeightsError

__all__ = ["State", "bert_state", "gpt2_state", "llama_state", "vit_state"]

State = Mapping[str, Tensor]

_GPT2 = (
    (r"^wte\.", "token_embedding."),
    (r"^wpe\.", "positions.table."),
    (r"^ln_f\.", "final_norm."),
    (r"^h\.(\d+)\.", r"layers.\1."),
    (r"\.ln_1\.", ".attention_norm."),
    (r"\.ln_2\.", ".feedforward_norm."),
    (r"\.attn\.c_attn\.", ".attention.qkv_proj."),
    (r"\.attn\.c_proj\.", ".attention.out_proj."),
    (r"\.mlp\.c_fc\.", ".feedforward.up_proj."),
    (r"\.mlp\.c_proj\.", ".feedforward.down_proj."),
)
_BERT = (
    (r"gamma$", "weight"),
    (r"beta$", "bias"),
    (r"^embeddings\.word_embeddings\.", "token_embedding."),
    (r"^embeddings\.position_embeddings\.", "positions.table."),
    (r"^embeddings\.token_type_embeddings\.", "type_embedding."),
    (r"^embeddings\.LayerNorm\.", "embedding_norm."),
    (r"^encoder\.layer\.", "encoder.layers."),
    (r"\.attention\.self\.(query|key|value)\.", r".attention.\1."),
    (r"\.attention\.output\.dense\.", ".attention.out_proj."),
    (r"\.attention\.output\.LayerNorm\.", ".attention_norm."),
    (r"\.intermediate\.dense\.", ".feedforward.up_proj."),
    (r"(layers\.\d+)\.output\.dense\.", r"\1.feedforward.down_proj."),
    (r"(layers\.\d+)\.output\.LayerNorm\.", r"\1.feedforward_norm."),
    (r"^cls\.predictions\.transform\.dense\.", "head.dense."),
    (r"^cls\.predictions\.transform\.LayerNorm\.", "head.norm."),
    (r"^cls\.predictions\.decoder\.", "head.decoder."),
    (r"^cls\.predictions\.bias$", "head.decoder.bias"),
)
_LLAMA = (
    (r"^embed_tokens\.", "token_embedding."),
    (r"^norm\.", "final_norm."),
    (r"\.self_attn\.o_proj\.", ".attention.out_proj."),
    (r"\.self_attn\.q_norm\.", ".attention.query_norm."),
    (r"\.self_attn\.k_norm\.", ".attention.key_norm."),
    (r"\.self_attn\.", ".attention."),
    (r"\.mlp\.", ".feedforward."),
)
_PRE = (
    (r"\.input_layernorm\.", ".attention_norm."),
    (r"\.post_attention_layernorm\.", ".feedforward_norm."),
)
_OUTPUT = (
    (r"\.post_attention_layernorm\.", ".attention_norm."),
    (r"\.post_feedforward_layernorm\.", ".feedforward_norm."),
)
_BOTH = (
    (r"\.input_layernorm\.", ".attention_norm."),
    (r"\.post_attention_layernorm\.", ".attention_after."),
    (r"\.pre_feedforward_layernorm\.", ".feedforward_norm."),
    (r"\.post_feedforward_layernorm\.", ".feedforward_after."),
)
_ORDERS = {"pre": _PRE, "output": _OUTPUT, "both": _BOTH}
# Their files have kept the first names; their modules have others since transformers 5.
_MIXTURE = (
    (r"\.block_sparse_moe\.", ".feedforward."),
    (r"\.feedforward\.gate\.", ".feedforward.router_proj."),
    (r"\.experts\.(\d+)\.w1\.", r".experts.\1.gate_proj."),
    (r"\.experts\.(\d+)\.w2\.", r".experts.\1.down_proj."),
    (r"\.experts\.(\d+)\.w3\.", r".experts.\1.up_proj."),
)
_ACROSS = ((r"\.(query|key)_norm\.", r".\1_norm.norm."),)

# Their files have kept the first names; their modules have others since transformers 5.
_VIT = (
    (r"^embeddings\.cls_token$", "class_token"),
    (r"^embeddings\.position_embeddings$", "positions"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_proj."),
    (r"^encoder\.layer\.", "layers."),
    (r"^layers\.", "encoder.layers."),
    (r"^layernorm\.", "encoder.final_norm."),
    (r"^classifier\.", "head."),
    (r"\.layernorm_before\.", ".attention_norm."),
    (r"\.layernorm_after\.", ".feedforward_norm."),
    (r"\.attention\.attention\.", ".attention."),
    (r"\.attention\.query\.", ".attention.q_proj."),
    (r"\.attention\.key\.", ".attention.k_proj."),
    (r"\.attention\.value\.", ".attention.v_proj."),
    (r"\.attention\.(output\.dense|o_proj)\.", ".attention.out_proj."),
    (r"\.(intermediate\.dense|mlp\.fc1)\.", ".feedforward.up_proj."),
    (r"(layers\.\d+)\.(output\.dense|mlp\.fc2)\.", r"\1.feedforward.down_proj."),
)


def gpt2_state(hf_state: State, config: GPTConfig) -> dict[str, Tensor]:
    """Return the weights of a GPT-2 under the names, and in the shapes, of our `GPT`.

    Hugging Face keeps these matrices as [in, out], so they are transposed.

    Raises:
        WeightsError: two tensors for one weight differ, or the output layer's differs from the embedding's
            in a model whose configuration ties them.

    Example:
        >>> import torch
        >>> from unrolled.nn import GPTConfig
        >>> from unrolled.pretrained import gpt2_state
        >>> sorted(gpt2_state({"transformer.wte.weight": torch.zeros(11, 8)}, GPTConfig()))
        ['lm_head.weight', 'token_embedding.weight']
    """
    # The causal mask, which some files carry along, is not one of the weights.
    weights = (
        (full, tensor)
        for full, tensor in hf_state.items()
        if not re.fullmatch(r"(transformer\.)?h\.\d+\.attn\.(bias|masked_bias)", full)
    )
    state = _renamed(weights, "transformer.", _GPT2)
    for name, tensor in state.items():
        if "_proj.weight" in name and tensor.dim() == 2:
            state[name] = tensor.t()
    if config.tied:
        _tie(state, "lm_head.weight")
    return state


def bert_state(hf_state: State, config: BertConfig) -> dict[str, Tensor]:
    """Return the weights of a BERT under the names of our `BERT`.

    The pooler and the next-sentence head, which `BERT` has not, are left out; so is the masked-LM head for a
    `config` without one.

    Raises:
        WeightsError: two tensors for one weight differ, or the masked-LM head's differs from the embedding's.

    Example:
        >>> import torch
        >>> from unrolled.nn import BertConfig
        >>> from unrolled.pretrained import bert_state
        >>> theirs = {"bert.embeddings.word_embeddings.weight": torch.zeros(11, 8)}
        >>> sorted(bert_state(theirs, BertConfig(mlm_head=False)))
        ['token_embedding.weight']
    """
    left_out = ["pooler.", "cls.seq_relationship.", "embeddings.position_ids"]
    left_out += [] if config.mlm_head else ["cls."]
    weights = (
        (full, tensor)
        for full, tensor in hf_state.items()
        if not full.removeprefix("bert.").startswith(tuple(left_out))
    )
    state = _renamed(weights, "bert.", _BERT)
    _pack_queries_keys_values(state, ("query", "key", "value"))
    if config.mlm_head:
        _tie(state, "head.decoder.weight")
    return state


def llama_state(hf_state: State, config: LlamaConfig, *, gains_from_one: bool = False) -> dict[str, Tensor]:
    """Return the weights of a Llama, Mistral, Mixtral, Qwen, OLMo 2 or Gemma 2 under the names of our `GPT`.

    Args:
        hf_state: theirs.
        config: of our model.
        gains_from_one: whether norms' gains are kept as what they differ from one by, as Gemma's are.

    Raises:
        WeightsError: two tensors for one weight differ, or the output layer's differs from the embedding's in
            a model whose configuration ties them.

    Example:
        >>> from unrolled.nn import LlamaConfig
        >>> from unrolled.pretrained import llama_state
        >>> sorted(llama_state({"model.norm.weight": torch.ones(8)}, LlamaConfig(tied=False)))
        ['final_norm.weight']
    """
    # Frequencies, which older files carry along, follow from the configuration.
    weights = (
        (full, tensor) for full, tensor in hf_state.items() if not full.endswith("rotary_emb.inv_freq")
    )
    rules = _LLAMA + _ORDERS[config.norm_order] + (_ACROSS if config.head_norm == "across" else ())
    state = _renamed(weights, "model.", rules + (() if config.n_experts is None else _MIXTURE))
    if gains_from_one:
        for name, gain in state.items():
            if re.search(r"_(norm|after)\.weight$", name) and gain.is_floating_point():
                state[name] = 1 + gain.to(torch.promote_types(gain.dtype, torch.float32))
    if config.n_experts is not None:
        _take_experts_apart(state, config.n_experts)
    _pack_queries_keys_values(state, ("q_proj", "k_proj", "v_proj"), config)
    if config.tied:
        _tie(state, "lm_head.weight")
    return state


def _take_experts_apart(state: dict[str, Tensor], n_experts: int) -> None:
    """Give each expert its own weights, where all of them stand in one tensor, gate and up together.

    One of another shape keeps its name and is then reported.
    """
    for name in [name for name in state if name.endswith((".experts.gate_up_proj", ".experts.down_proj"))]:
        front, _, kind = name.rpartition(".")
        if state[name].dim() != 3 or len(state[name]) != n_experts:
            continue
        for e, stacked in enumerate(state.pop(name)):
            parts = {kind: stacked}
            if kind == "gate_up_proj":
                half = (len(stacked) + 1) // 2
                parts = {"gate_proj": stacked[:half], "up_proj": stacked[half:]}
            state |= {f"{front}.{e}.{part}.weight": weight for part, weight in parts.items()}


def vit_state(hf_state: State) -> dict[str, Tensor]:
    """Return the weights of a ViT under the names, and in the shapes, of our `ViT`.

    Theirs cuts and projects patches in one convolution ``[D, C, y, x]``; ours has a matrix of the same
    numbers. The pooler, which classification does not have, is left out.

    Raises:
        WeightsError: two tensors for one weight differ.

    Example:
        >>> sorted(vit_state({"vit.layernorm.weight": torch.ones(8)}))
        ['encoder.final_norm.weight']
    """
    weights = (
        (full, tensor)
        for full, tensor in hf_state.items()
        if not full.removeprefix("vit.").startswith("pooler.")
    )
    state = _renamed(weights, "vit.", _VIT)
    _pack_queries_keys_values(state, ("q_proj", "k_proj", "v_proj"))
    for name, kept in (("class_token", 2), ("positions", 1)):
        if name in state and state[name].shape[:kept] == (1,) * kept:
            state[name] = state[name].flatten(0, kept)
    if "patch_proj.weight" in state and state["patch_proj.weight"].dim() == 4:
        state["patch_proj.weight"] = state["patch_proj.weight"].flatten(1)
    return state


def _renamed(
    weights: Iterable[tuple[str, Tensor]], prefix: str, rules: tuple[tuple[str, str], ...]
) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    origin: dict[str, str] = {}
    for full, tensor in weights:
        name = full.removeprefix(prefix)
        for pattern, ours in rules:
            name = re.sub(pattern, ours, name)
        if name in state and not torch.equal(state[name], tensor):
            raise WeightsError(
                f"expected one tensor for {name}, got two that differ: {origin[name]} and {full}"
            )
        state[name], origin[name] = tensor, full
    return state


def _tie(state: dict[str, Tensor], output: str) -> None:
    """Give the output layer the embedding's weights, unless it has others of its own."""
    embedding = state.get("token_embedding.weight")
    if embedding is None:
        return
    if not torch.equal(state.setdefault(output, embedding), embedding):
        raise WeightsError(
            f"config: tie_word_embeddings says that {output} is token_embedding.weight, and the weights hold "
            "another"
        )


def _pack_queries_keys_values(
    state: dict[str, Tensor], names: tuple[str, str, str], grouped: LlamaConfig | None = None
) -> None:
    """Put the three matrices (or biases) of each layer into one, as `MultiHeadAttention` keeps them.

    One that lacks its companions, or has other rows than its heads, keeps its name and is then reported.
    """
    first = names[0]
    for name in [name for name in state if f".attention.{first}." in name]:
        three = [name.replace(f".{first}.", f".{part}.") for part in names]
        if all(
            part in state and _belongs(state[part], state[name], i, grouped) for i, part in enumerate(three)
        ):
            packed = torch.cat([state.pop(part) for part in three])
            state[name.replace(f".{first}.", ".qkv_proj.")] = packed


def _belongs(part: Tensor, query: Tensor, which: int, grouped: LlamaConfig | None) -> bool:
    if not part.is_floating_point():  # beside numbers of another kind it would become one of those
        return False
    if grouped is None:
        return part.shape == query.shape != ()
    n_heads = grouped.n_heads if which == 0 or grouped.n_kv_heads is None else grouped.n_kv_heads
    d_head = grouped.d_model // grouped.n_heads if grouped.d_head is None else grouped.d_head
    return part.dim() > 0 and part.shape == (n_heads * d_head, *query.shape[1:])
