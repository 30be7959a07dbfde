"""HyperQueue on this machine: `with_hyperqueue.py WORKERS COUNT COMMAND...` prints the seconds of COUNT tasks on WORKERS
workers of one core each, from the submission to the end of the last one, once all workers are there and warm.

Its wait looks once a second, so the end is the time of a file that a task makes which depends on all others."""

import os
import sys
import tempfile
import time

from hyperqueue import Job
from hyperqueue.cluster import LocalCluster, WorkerConfig


def run(client, count, command, marker):
    job = Job(max_fails=0)
    tasks = [job.program(command, stdout=None, stderr=None) for _ in range(count)]
    job.program(["touch", marker], stdout=None, stderr=None, deps=tasks)
    started = time.time()
    client.wait_for_jobs([client.submit(job)])
    return os.stat(marker).st_mtime - started


def main():
    workers, count, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    with LocalCluster() as cluster, tempfile.TemporaryDirectory() as directory:
        for _ in range(workers):
            cluster.start_worker(WorkerConfig(cores=1))
        client = cluster.client()
        run(client, workers, ["true"], os.path.join(directory, "warm"))
        print(run(client, count, command, os.path.join(directory, "end")))


main()
