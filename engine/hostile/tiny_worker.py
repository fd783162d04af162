"""The real worker's loop around work that takes milliseconds, for campaigns.

`python -m engine.hostile.tiny_worker FOLDER`; nothing is written outside FOLDER. A job copies the
result directory that its first photo names to its output, in one piece and with its own seed, as
many times as its texture size has hundreds of texels: so a kill often comes while something is
replaced. Everything but the fit is the engine's own.
"""

import json
import shutil
import sys
import time
from pathlib import Path

from ..config import WorkerSettings
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.job import FitJob
from ..protocol.messages import DecodeRequest, Hello
from ..protocol.result_schema import MANIFEST_NAME
from ..protocol.version import PROTOCOL_VERSION
from ..protocol.work import Job
from ..reporter import Reporter
from ..result.folder import replaced_folder
from ..worker.channel import claim_pipes
from ..worker.serve import Work, serve

FOLDER = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path()
SETTINGS = WorkerSettings(idle_seconds=120.0, parent_poll_seconds=0.05, exit_grace_seconds=1.0)
"""Short, so that a campaign needs no hours."""


def run_job(job: Job, reporter: Reporter) -> Path:
    """Write the job's output again and again."""
    if not isinstance(job, FitJob):
        raise EngineError(ErrorCode.BAD_SETTINGS, "This worker knows fits only.")
    output, times = _inside(job.output), max(job.texture_size // 100, 1)
    for number in range(times):
        reporter.stage("write", number, times)
        for step in range(4):
            reporter.progress(step, 4)
            time.sleep(0.001)
        write(Path(job.photos[0]), output, job.seed)
    return output


def _inside(output: str) -> Path:
    """The path, when it lies in the campaign's folder: a spoiled job may name any."""
    path = Path(output).resolve()
    if not path.is_relative_to(FOLDER):
        raise EngineError(ErrorCode.BAD_OUTPUT, "This worker writes in its folder only.")
    return path


def write(template: Path, output: Path, seed: int) -> None:
    """A copy of the result `template` at `output`, with another seed."""
    with replaced_folder(output) as draft:
        shutil.copytree(template, draft, dirs_exist_ok=True)
        manifest = json.loads((draft / MANIFEST_NAME).read_bytes())
        (draft / MANIFEST_NAME).write_text(json.dumps({**manifest, "seed": seed}))


def run_decode(request: DecodeRequest) -> Path:
    """No file; the path alone is looked at."""
    return Path(request.pack or request.result or "")


if __name__ == "__main__":
    pipes = claim_pipes()
    hello = Hello(PROTOCOL_VERSION, "0", "cpu", ("default",))
    serve(pipes, Work(run_job, run_decode), hello, SETTINGS)
