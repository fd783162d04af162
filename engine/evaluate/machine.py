"""What the figures were measured on, printed with every table."""

import os
import platform
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Machine:
    """Processor, cores, Python and torch of a measurement."""

    system: str
    processor: str
    cores: int
    python: str
    torch: str
    threads: int


def _processor_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def this_machine() -> Machine:
    """Describe the running process's machine."""
    import torch

    return Machine(
        platform.system(),
        _processor_name(),
        os.cpu_count() or 1,
        platform.python_version(),
        torch.__version__,
        torch.get_num_threads(),
    )


def describe(machine: Machine) -> str:
    """One line for the head of a table."""
    return ", ".join(f"{key} {value}" for key, value in asdict(machine).items())
