"""A program for test_cluster.py: train through a local cluster of two processes.

A program of its own, because a cluster's threads and sockets outlive it by moments.
Usage: run_on_cluster.py MAPS OUT
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))


def main() -> int:
    from distributed import LocalCluster

    from engine.cli import main as engine

    maps, out = sys.argv[1:]
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        command = ["train", "albedo", "--maps", maps, "--out", out, "--size", "64"]
        command += ["--components", "8", "--any-layout", "--exact-limit", "0"]
        return engine([*command, "--scheduler", cluster.scheduler_address])


if __name__ == "__main__":
    sys.exit(main())
