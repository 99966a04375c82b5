"""Other people's weights in our modules: GPT-2 and the BERT family. Taught in chapters 10 and 11.

`gpt2_state` and `bert_state` are pure: Hugging Face's names in, ours out. `load_gpt2` and `load_bert` read a
folder with ``config.json`` and ``model.safetensors``, or take a `transformers` model at hand. Every name and
every shape is checked. Nothing is unpickled: a file that could run code is refused.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.nn.bert import BERT, BertConfig
from unrolled.nn.feedforward import Activation
from unrolled.nn.gpt import GPT, GPTConfig

__all__ = [
    "WeightsError",
    "bert_config",
    "bert_state",
    "gpt2_config",
    "gpt2_state",
    "load_bert",
    "load_gpt2",
]

State = Mapping[str, Tensor]
_PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}
_ACTIVATIONS: dict[str, Activation] = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
}


class WeightsError(ValueError):
    """Weights that do not fit the model; the message lists what is missing, unexpected or mis-shaped."""


def gpt2_config(hf: Mapping[str, Any]) -> GPTConfig:
    """Return our configuration for a GPT-2's; `WeightsError` if it asks for what `GPT` does not do."""
    _check_kind(hf, "gpt2")
    for name, usual in (("scale_attn_weights", True), ("scale_attn_by_inverse_layer_idx", False)):
        if hf.get(name, usual) != usual:
            raise WeightsError(f"config: expected {name}={usual}, got {hf[name]}")
    return GPTConfig(
        vocab_size=hf["vocab_size"],
        max_len=hf["n_positions"],
        d_model=hf["n_embd"],
        n_heads=hf["n_head"],
        n_layers=hf["n_layer"],
        d_ff=hf.get("n_inner"),
        dropout=hf.get("resid_pdrop", 0.1),
        activation=_activation(hf.get("activation_function", "gelu_new")),
        norm_eps=hf.get("layer_norm_epsilon", 1e-5),
        tied=hf.get("tie_word_embeddings", True),
    )


def bert_config(hf: Mapping[str, Any], *, mlm_head: bool = True) -> BertConfig:
    """Return our configuration for a BERT's; `WeightsError` if it asks for what `BERT` does not do."""
    _check_kind(hf, "bert")
    if hf.get("position_embedding_type", "absolute") != "absolute":
        raise WeightsError(f"config: expected absolute positions, got {hf['position_embedding_type']!r}")
    return BertConfig(
        vocab_size=hf["vocab_size"],
        max_len=hf["max_position_embeddings"],
        d_model=hf["hidden_size"],
        n_heads=hf["num_attention_heads"],
        n_layers=hf["num_hidden_layers"],
        d_ff=hf["intermediate_size"],
        n_token_types=hf.get("type_vocab_size", 2),
        dropout=hf.get("hidden_dropout_prob", 0.1),
        activation=_activation(hf.get("hidden_act", "gelu")),
        norm_eps=hf.get("layer_norm_eps", 1e-12),
        mlm_head=mlm_head,
    )


def gpt2_state(hf_state: State, config: GPTConfig) -> dict[str, Tensor]:
    """Return the weights of a GPT-2 under the names, and in the shapes, of our `GPT`.

    Hugging Face keeps these matrices as [in, out], so they are transposed.
    """
    state: dict[str, Tensor] = {}
    for full, tensor in hf_state.items():
        name = full.removeprefix("transformer.")
        if re.fullmatch(r"h\.\d+\.attn\.(bias|masked_bias)", name):
            continue  # The causal mask, which some files carry along.
        name = _rename(
            name,
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
        state[name] = tensor.t() if "_proj.weight" in name else tensor
    if config.tied and "token_embedding.weight" in state:
        state.setdefault("lm_head.weight", state["token_embedding.weight"])
    return state


def bert_state(hf_state: State, config: BertConfig) -> dict[str, Tensor]:
    """Return the weights of a BERT under the names of our `BERT`.

    The pooler and the next-sentence head, which `BERT` has not, are left out; so is the masked-LM head for a
    `config` without one.
    """
    state: dict[str, Tensor] = {}
    for full, tensor in hf_state.items():
        name = full.removeprefix("bert.")
        if name.startswith(("pooler.", "cls.seq_relationship.")) or name == "embeddings.position_ids":
            continue
        if name.startswith("cls.") and not config.mlm_head:
            continue
        name = _rename(
            name,
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
        state[name] = tensor
    _pack_queries_keys_values(state)
    if config.mlm_head and "token_embedding.weight" in state:
        state.setdefault("head.decoder.weight", state["token_embedding.weight"])
    return state


def load_gpt2(source: str | Path | nn.Module) -> GPT:
    """Return a `GPT` with the weights of a GPT-2, in evaluation mode.

    Args:
        source: a folder with ``config.json`` and ``model.safetensors``, the safetensors file in such a
            folder, a `transformers` GPT-2 model, or a name on the Hugging Face hub such as ``"gpt2"``, which
            is fetched by `huggingface_hub` if that is installed.

    Raises:
        WeightsError: names or shapes do not fit, or the weights are of a kind that is not read.
        FileNotFoundError: there is no such file, or the hub cannot be reached.
        ImportError: a package that is needed is not installed.
    """
    hf_config, hf_state = _read(source)
    config = gpt2_config(hf_config)
    model = GPT(config)
    _fill(model, gpt2_state(hf_state, config))
    return model.eval()


def load_bert(source: str | Path | nn.Module, *, mlm_head: bool | None = None) -> BERT:
    """Return a `BERT` with the weights of a BERT-family model, in evaluation mode.

    Args:
        source: as in `load_gpt2`.
        mlm_head: whether the model can guess words; unless given, when the weights have the head for it.

    Raises:
        WeightsError, FileNotFoundError, ImportError: as in `load_gpt2`.
    """
    hf_config, hf_state = _read(source)
    if mlm_head is None:
        mlm_head = any(name.startswith("cls.predictions.") for name in hf_state)
    config = bert_config(hf_config, mlm_head=mlm_head)
    model = BERT(config)
    _fill(model, bert_state(hf_state, config))
    return model.eval()


def _rename(name: str, *rules: tuple[str, str]) -> str:
    for pattern, ours in rules:
        name = re.sub(pattern, ours, name)
    return name


def _pack_queries_keys_values(state: dict[str, Tensor]) -> None:
    """Put the three matrices (or biases) of each layer into one, as `MultiHeadAttention` keeps them.

    One that lacks its companions, or differs from them in shape, keeps its name, for `_fill` to report.
    """
    for name in [name for name in state if ".attention.query." in name]:
        three = [name.replace(".query.", f".{part}.") for part in ("query", "key", "value")]
        if all(part in state and state[part].shape == state[name].shape for part in three):
            packed = torch.cat([state.pop(part) for part in three])
            state[name.replace(".query.", ".qkv_proj.")] = packed


def _fill(model: nn.Module, state: State) -> None:
    """Copy `state` into the model after checking every name and every shape."""
    own = model.state_dict()
    report = [f"missing: {name} {list(own[name].shape)}" for name in own if name not in state]
    report += [f"unexpected: {name} {list(state[name].shape)}" for name in state if name not in own]
    report += [
        f"mis-shaped: {name}, expected {list(own[name].shape)}, got {list(state[name].shape)}"
        for name in own
        if name in state and own[name].shape != state[name].shape
    ]
    if report:
        raise WeightsError(f"{type(model).__name__}: the weights do not fit\n  " + "\n  ".join(report))
    model.load_state_dict(dict(state))


def _read(source: str | Path | nn.Module) -> tuple[Mapping[str, Any], State]:
    """Return Hugging Face's configuration and weights, from wherever they are."""
    if isinstance(source, nn.Module):
        config: Any = getattr(source, "config", None)
        if not hasattr(config, "to_dict"):
            raise WeightsError(f"expected a transformers model, got {type(source).__name__}")
        return config.to_dict(), source.state_dict()
    path = Path(source)
    if path.suffix in _PICKLES:
        raise WeightsError(
            f"{path.name}: expected safetensors; a pickle can run code when opened, so it is refused"
        )
    if not path.exists() and isinstance(source, str) and re.fullmatch(r"\w[\w.-]*(/[\w.-]+)?", source):
        path = _fetch(source)
    folder = path if path.is_dir() else path.parent
    files = _weight_files(folder) if path.is_dir() else [path]
    for needed in (folder / "config.json", *files):
        if not needed.is_file():
            raise FileNotFoundError(f"{needed}: no such file; expected config.json beside model.safetensors")
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ImportError("reading weights needs safetensors: pip install safetensors") from error
    state: dict[str, Tensor] = {}
    for file in files:
        state |= load_file(file)
    return json.loads((folder / "config.json").read_text(encoding="utf-8")), state


def _weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a folder: one, or the several an index lists."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        return [folder / Path(name).name for name in sorted(names)]
    pickles = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLES)
    if pickles and not (folder / "model.safetensors").is_file():
        raise WeightsError(
            f"{folder}: expected model.safetensors, found {', '.join(pickles)}; a pickle can run code when "
            "opened, so it is refused"
        )
    return [folder / "model.safetensors"]


def _fetch(name: str) -> Path:
    """Bring a model from the hub into its cache, or say why that is not possible."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise FileNotFoundError(
            f"{name}: no such file or folder; to fetch it from the hub, pip install huggingface_hub"
        ) from error
    try:
        return Path(snapshot_download(name, allow_patterns=["config.json", "model*.safetensors*"]))
    except Exception as error:  # The hub's client raises a dozen kinds, none of which says what to do.
        raise FileNotFoundError(
            f"{name}: no such file or folder, and the hub could not give it ({type(error).__name__}). "
            "Offline? Copy config.json and model.safetensors into a folder and name that folder"
        ) from error


def _check_kind(hf: Mapping[str, Any], kind: str) -> None:
    if hf.get("model_type") != kind:
        raise WeightsError(f"config: expected model_type {kind!r}, got {hf.get('model_type')!r}")


def _activation(name: str) -> Activation:
    if name not in _ACTIVATIONS:
        raise WeightsError(f"config: expected an activation of {', '.join(_ACTIVATIONS)}, got {name!r}")
    return _ACTIVATIONS[name]
