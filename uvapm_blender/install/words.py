"""Words about the engine, its installation and its removal."""

from ...engine.protocol.doctor import Health
from ...engine.protocol.install import InstallStep
from ..ui_text import error_text
from .plan import InstallPlan
from .session import Phase, RunStatus
from .state import EngineState, Standing

NO_ENGINE = "The reconstruction engine is not installed yet."
OFFLINE = (
    "The packages would be downloaded, and Blender's online access is off: Preferences, System, "
    "Network. Or install the offline bundle for this machine."
)
CANCELLED_FETCHING = "Cancelled. What was fetched is kept, Install Engine goes on there"
NAME_INDEX = (
    "Paste the command or the address that pytorch.org's install page shows for this system and "
    "Compute Platform CPU, unless pip is set up for it here."
)
NO_DOWNLOAD = "Nothing is downloaded: the packages came with this bundle."
UNINSTALLED = "The engine is uninstalled"
UNINSTALLED_PARTLY = "The engine is uninstalled. Some of its files are left"
UNINSTALL_TITLE = "Uninstall the Engine?"
UNINSTALL_WORDS = "Heads, results and packs stay. To reconstruct again, install it again."
USE_CUDA = (
    "This machine has an NVIDIA card, but these packages compute on the processor. The bundle "
    "with CUDA uses the card."
)
COMPUTES_ON = {
    "cuda": "the NVIDIA graphics card (CUDA)",
    "mps": "Apple graphics (MPS)",
    "cpu": "the processor",
}


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 2**20:.1f} MB" if count < 10 * 2**20 else f"{count / 2**20:.0f} MB"


def step(found: InstallStep) -> str:
    """What the installer does now."""
    text = found.text or "Looking at the engine"
    return f"{text}: {size(found.done)} of {size(found.total)}" if found.total else text


def plan_lines(plan: InstallPlan) -> list[str]:
    """What an installation would do."""
    lines = [
        (
            f"PyTorch and what it needs, {len(plan.wheels)} packages, go into a folder of their "
            f"own: about {4 * plan.size / 2**30:.1f} GB, with Python {plan.python.version} "
            f"({plan.python.path}). Blender's own Python and other add-ons stay as they are."
        )
    ]
    begun = f", {size(plan.fetched)} of them are there already" if plan.fetched else ""
    download = (
        f"Download: {size(plan.download)}{begun}. Each file is checked by its sha256. Nothing is "
        "sent. You can cancel and go on later."
    )
    lines.append(download if plan.download else NO_DOWNLOAD)
    return [*lines, f"Licences: {', '.join(plan.licences)}"]


def unusual(plan: InstallPlan) -> str:
    """That the common package index will not do; "" where it does."""
    names = " and ".join(f"{wheel.name} {wheel.version}" for wheel in plan.unusual)
    return f"{names} is not on the common package index. {NAME_INDEX}" if names else ""


def standing(state: EngineState) -> str:
    """How it stands with the engine, in a line."""
    mark = state.mark
    found = _computes(mark.torch, mark.device) if mark else ""
    return {
        Standing.MISSING: NO_ENGINE,
        Standing.HALF: "An installation of the engine did not end. Install it again.",
        Standing.LOST: "The Python that the engine was made with is gone. Update the engine.",
        Standing.OLD: "The engine's packages are of another version of the extension. It may "
        "still work; update it.",
        Standing.READY: f"The engine is installed: {found}.",
        Standing.OTHER: f"The engine runs with {state.python}.",
    }[state.standing]


def leftovers(state: EngineState) -> str:
    """What lies around of the engine, "" for nothing."""
    if state.undeleted:
        return "Files of an engine that is gone are left: Uninstall or Install Engine deletes them."
    if state.fetched and not state.usable:
        return "A part is fetched already: Install Engine goes on there, Uninstall deletes it."
    return ""


def _computes(torch: str, device: str) -> str:
    return f"PyTorch {torch}, computes on {COMPUTES_ON.get(device, device)}"


def note(status: RunStatus) -> str:
    """How an installation, a removal or the doctor ended."""
    if status.error is not None:
        return error_text(status.error)
    if status.removed:
        return UNINSTALLED_PARTLY if status.phase is Phase.CANCELLED else UNINSTALLED
    if status.phase is Phase.CANCELLED:
        return CANCELLED_FETCHING if status.step.text.startswith("Fetching") else "Cancelled"
    if status.installed is not None:
        found = status.installed
        return f"Engine installed: {_computes(found.torch, found.device)}"
    problems = sum(row.health is Health.PROBLEM for row in status.rows)
    return f"The doctor found {problems or 'no'} problem{'' if problems == 1 else 's'}"
