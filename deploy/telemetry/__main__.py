"""`python -m deploy.telemetry` writes the dashboards' JSON anew."""

from __future__ import annotations

from deploy.telemetry.written import FOLDER, written

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in written().items():
        (FOLDER / f"{name}.json").write_text(text)
