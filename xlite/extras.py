"""What a command says if a library is missing that only an extra brings."""

from importlib.util import find_spec

EXTRAS = {
    "train": (
        *("torch", "torchvision", "timm", "lightning_fabric", "huggingface_hub", "onnx", "onnxscript"),
        *("albumentations", "pytorch_grad_cam", "optuna", "sqlalchemy", "pynvml"),
    ),
    "report": ("plotly", "matplotlib", "sklearn"),
    "app": ("streamlit",),
    "sign-in": ("authlib", "httpx"),
    "share": ("gradio",),
    "dicom": ("pynetdicom", "highdicom", "dicomweb_client"),
    "doubts": ("cleanlab",),
    "federated": ("flwr",),
    "serve": ("fastapi", "uvicorn", "python_multipart", "prometheus_client"),
}
"""The modules that each extra of pyproject.toml brings and the base install lacks."""
_REMEDIES = {
    "federated": "give it an environment of its own, in a checkout by `python3 -m venv fed && fed/bin/pip "
    "install '.[federated]'`"
}
"""What to do about an extra whose pins do not go with those of all others: docs/FEDERATED.md says more."""


def demand(extra: str) -> None:
    """Raises ModuleNotFoundError if a module of an extra is missing.

    For commands that start another process, whose errors they cannot put into a sentence, or write files
    before they come to what is missing.
    """
    for module in EXTRAS[extra]:
        if find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)


def lacking(extra: str, what: str) -> str | None:
    """What `missing` says if a module of an extra is missing, for a page to show in place of a form."""
    try:
        demand(extra)
    except ModuleNotFoundError as error:
        return missing(error, what)
    return None


def missing(error: ModuleNotFoundError, what: str) -> str | None:
    """Which extra a command or a page needs, in one sentence; None if the module is none of EXTRAS."""
    module = (error.name or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if module in modules:
            # pip takes X-Lite itself from what is installed here, so that no package index need have it
            remedy = _REMEDIES.get(extra, f"pip install 'xlite-cxr[{extra}]'")
            return f"{what} needs {module}, which is not installed: {remedy}"
    return None
