"""Weights that other programs use, known by name: a person is told what the folder holds and what to download instead.

Names of quantization methods are those of transformers' `quantization_config`.
"""

from pathlib import Path

from engine.protocol.errors import CheckpointError, quoted

__all__ = ["FOREIGN_SUFFIXES", "foreign_quantization", "refuse_foreign_files"]

_INSTEAD = (
    "Download the model as Google publishes it (google/gemma-4-…) or its MLX conversion "
    "(mlx-community/gemma-4-…-4bit) instead."
)

FOREIGN_SUFFIXES = {
    ".gguf": "a GGUF file, which llama.cpp and Ollama read",
    ".bin": "PyTorch .bin files",
    ".pt": "PyTorch .pt files",
    ".pth": "PyTorch .pth files",
    ".onnx": "an ONNX file",
    ".litertlm": "a LiteRT-LM file for phones",
    ".task": "a MediaPipe file for phones",
    ".tflite": "a LiteRT file for phones",
}

_METHODS = {
    "gemma": "Google's mobile QAT form (2, 4 and 8 bits, quantized activations)",
    "modelopt": "NVIDIA ModelOpt's form (NVFP4 or FP8)",
    "awq": "AWQ form",
    "gptq": "GPTQ form",
    "auto-round": "AutoRound form",
    "bitsandbytes": "bitsandbytes form",
    "compressed-tensors": "a compressed-tensors form other than 4-bit symmetric groups (mobile QAT, FP8, NVFP4 …)",
    "gguf": "GGUF form",
    "fp8": "FP8 form",
    "fbgemm_fp8": "FP8 form",
    "torchao": "torchao form",
    "quark": "AMD Quark form",
    "hqq": "HQQ form",
}


def refuse_foreign_files(folder: Path) -> None:
    """Raise CheckpointError for another program's file, or a folder that holds such and no safetensors.

    NVIDIA's export is refused as well: its safetensors have a form of their own.
    """
    try:
        if folder.is_file() and folder.suffix.lower() in FOREIGN_SUFFIXES:
            raise CheckpointError(
                f"{folder} is {FOREIGN_SUFFIXES[folder.suffix.lower()]}, not a model folder. {_INSTEAD}"
            )
        if not folder.is_dir():
            raise CheckpointError(f"{folder} is not a folder. Choose the folder that holds the model's config.json.")
        files = list(folder.iterdir())
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be read: {error.strerror or error}.") from error
    suffixes = {file.suffix.lower() for file in files}
    if ".safetensors" not in suffixes:
        for suffix, what in FOREIGN_SUFFIXES.items():
            if suffix in suffixes:
                raise CheckpointError(f"{folder} holds {what}, not safetensors. {_INSTEAD}")
    if folder / "hf_quant_config.json" in files:
        raise CheckpointError(f"{folder} holds weights in {_METHODS['modelopt']}, which cannot be read. {_INSTEAD}")


def foreign_quantization(method: object, where: str) -> CheckpointError:
    """The refusal of a `quantization_config` by its `quant_method`."""
    what = _METHODS.get(str(method), f"the form of the method {quoted(method)}")
    return CheckpointError(f"{where}: the weights are in {what}, which cannot be read. {_INSTEAD}")
