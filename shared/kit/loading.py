"""Imports a program with all it needs, and needs nothing itself."""

from __future__ import annotations

import gc
from importlib import import_module
from types import ModuleType


def load(module: str) -> ModuleType:
    """Import a module with all it needs.

    What an import makes stays to the end: looking for garbage in it again and again took a tenth of the start.
    """
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.enable()
