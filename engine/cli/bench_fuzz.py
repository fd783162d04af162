"""`python -m engine bench fuzz`: readers of strangers' bytes under a coverage-guided search."""

import argparse
import os
import platform
import tempfile
from pathlib import Path


def register(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-command to `bench`."""
    fuzz = what.add_parser(
        "fuzz",
        help="spoiled messages, packs, results and models",
        description="Spoils small whole files of each kind, keeps what reaches new lines of the "
        "reader, and goes on from there. A reader may take a file or refuse it in words; any other "
        "exception or warning, seconds or much memory for a small file is a defect. Files that "
        "show one are kept.",
    )
    fuzz.add_argument("--seconds", type=float, default=60.0, help="for all readers (default 60)")
    fuzz.add_argument("--seed", type=int, default=0, help="of the search (default 0)")
    fuzz.add_argument("--only", help="the readers whose names have this text")
    fuzz.add_argument("--out", type=Path, help="folder for files that show a defect")
    fuzz.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run and print. Returns the exit code: 0 when there is no defect."""
    from ..hostile.fuzz import fuzz
    from ..hostile.fuzz_readers import readers
    from ..hostile.small_result import small_contents
    from ..result.write import write_result

    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{args.seconds:g} seconds, seed {args.seed}")
    print(f"{'reader':<24}   runs refused  edges inputs slowest s peak MB defects", flush=True)
    defects = 0
    with tempfile.TemporaryDirectory(prefix="uvapm-fuzz-") as scratch:
        template = write_result(Path(scratch) / "template", small_contents())
        chosen = [r for r in readers(Path(scratch), template) if (args.only or "") in r.name]
        for reader in chosen:
            found = fuzz(reader, args.seconds / len(chosen), args.seed)
            print(
                f"{found.name:<24} {found.runs:>6} {found.refused:>7} {found.edges:>6} "
                f"{found.inputs:>6} {found.slowest:>9.3f} {found.largest / 2**20:>7.1f} "
                f"{len(found.defects):>7}",
                flush=True,
            )
            defects += len(found.defects)
            for number, (words, data) in enumerate(found.defects.items()):
                print(f"    {words}\n        {data[:100]!r}")
                if args.out:
                    args.out.mkdir(parents=True, exist_ok=True)
                    (args.out / f"{found.name.replace(' ', '-')}-{number}").write_bytes(data)
    return 0 if not defects else 1
