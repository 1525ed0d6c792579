"""Virtual environments of the programs that run beside ours, made on first use and kept outside the repository."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs

__all__ = ["Unavailable", "cache_folder", "python_with"]


class Unavailable(Exception):
    """An environment cannot be made here; the text says why."""


def cache_folder() -> Path:
    """Return the folder that BENCH_CACHE names, or the platform's for caches."""
    chosen = os.environ.get("BENCH_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("linnworks-connector-benchmarks", appauthor=False)


def python_with(name: str, *requirements: str) -> str:
    """Return the interpreter of an environment with these packages. Raises Unavailable with the installer's words."""
    wanted = hashlib.sha256(repr((sys.version, requirements)).encode()).hexdigest()[:12]
    folder = cache_folder() / f"{name}-{wanted}"
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.is_file():
        print(f"Installing {', '.join(requirements)} into {folder} (once) ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)
        done.touch()
    return str(python)


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        words = (ended.stderr or ended.stdout).strip().splitlines()
        raise Unavailable(words[-1] if words else f"{command[0]} ended with {ended.returncode}")
