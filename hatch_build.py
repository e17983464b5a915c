"""Run whenever the package is built or installed: checks the data, compiles the message catalogues."""

from __future__ import annotations

import ast
import gzip
import hashlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path(__file__).parent / "src" / "pasapas"


class CustomBuildHook(BuildHookInterface[Any]):
    """Named so by hatchling."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the files are gathered."""
        check_mnist()
        compile_catalogues()


def check_mnist() -> None:
    """Raises ValueError unless the MNIST files are those that were published."""
    for name, expected in published_digests().items():
        with gzip.open(PACKAGE / "data" / "mnist" / f"{name}.gz") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        if digest != expected:
            raise ValueError(f"{name}: expected SHA-256 {expected}, got {digest}: the file was changed or damaged")


def published_digests() -> dict[str, str]:
    """SHA256 of `pasapas.data.mnist`, read without importing it: its imports need not be there yet."""
    for node in ast.parse((PACKAGE / "data" / "mnist.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SHA256":
            digests: dict[str, str] = ast.literal_eval(node.value)
            return digests
    raise ValueError("pasapas/data/mnist.py has no SHA256")


def compile_catalogues() -> None:
    """Makes a .mo of each .po, which is what Python's gettext reads."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for path in PACKAGE.glob("locale/*/LC_MESSAGES/*.po"):
        with path.open("rb") as source:
            catalogue = read_po(source, locale=path.parts[-3])
        with path.with_suffix(".mo").open("wb") as target:
            write_mo(target, catalogue)
