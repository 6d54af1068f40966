# SPDX-License-Identifier: Apache-2.0
"""bench.py PROGRAM FOLDER ROUNDS - measure on the logs that bench.sh made.

All commands of one comparison take turns, so that what else the machine does meets all of
them; the fastest turn of each counts, and only ratios are worth comparing.

A virtual processor shares a core with others' work, which slows most code down by half for
seconds at a time, and SHA-256, which waits for itself, hardly. So a fixed loop is timed on
each processor before and after a turn, and a turn is taken again (TRIES times at most)
unless both were near the fastest that was seen.
"""
import multiprocessing
import os
import shutil
import subprocess
import sys
import time

PROGRAM, FOLDER, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
REPORT = os.path.join(FOLDER, "report")


PROCESSORS = sorted(os.sched_getaffinity(0))[:8]
TRIES, WAITS, NEAR = 3, 10, 1.15
fastest = {}


def loop_of(processor):
    """Seconds of a fixed loop on that processor, the best of three."""
    os.sched_setaffinity(0, {processor})
    best = 1.0
    for _ in range(3):
        start, n = time.perf_counter(), 0
        for i in range(60000):
            n = n * 3 + i & 0xffff
        best = min(best, time.perf_counter() - start)
    return best


def all_are_fast(pool):
    seen = pool.map(loop_of, PROCESSORS, 1)
    for processor, seconds in zip(PROCESSORS, seen):
        fastest[processor] = min(seconds, fastest.get(processor, seconds))
    return all(s <= NEAR * fastest[p] for p, s in zip(PROCESSORS, seen))


def undisturbed(pool, command):
    """A turn between two moments in which nobody else was felt; else the last one."""
    for _ in range(TRIES):
        for _ in range(WAITS):
            if all_are_fast(pool):
                break
        seen = measure(command)
        if all_are_fast(pool):
            break
    return seen


def log(mebibytes):
    return os.path.join(FOLDER, f"{mebibytes}.evtx")


def measure(command):
    """Wall seconds, processor seconds, peak MiB of one run."""
    shutil.rmtree(REPORT, ignore_errors=True)
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 3):  # 3: some source chunk has a fault of its own
        sys.exit(f"{' '.join(command)}: exit status {child.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(commands):
    """The best of each command's turns: {name: (wall, processor, MiB)}."""
    best = {}
    with multiprocessing.Pool(len(PROCESSORS)) as pool:
        for _ in range(40):
            all_are_fast(pool)
        for _ in range(ROUNDS):
            for name, command in commands.items():
                seen = undisturbed(pool, command)
                best[name] = tuple(map(min, seen, best.get(name, seen)))
    return best


def report(mebibytes, *options):
    return [PROGRAM, "report", log(mebibytes), "-o", REPORT, "-q", *options]


def table(title, best, base):
    print(f"\n{title}\n  {'':44} {'wall':>8} {'ratio':>7} {'cpu':>8} {'ratio':>7}")
    for name, (wall, cpu, _) in best.items():
        print(f"  {name:44} {wall:7.3f}s {wall / best[base][0]:6.2f}x {cpu:7.3f}s "
              f"{cpu / best[base][1]:6.2f}x")


def has_option(option):
    text = subprocess.run([PROGRAM, "report", "--help"], capture_output=True, text=True)
    return option in text.stdout


def main():
    native = ["--reader=native"]
    none = native + (["--verify=none"] if has_option("--verify=") else [])
    hashing = ["openssl", "dgst", "-sha256", log(512)]
    best = compare({"openssl dgst -sha256": hashing,
                    "report, everything, 2 jobs": report(512, "-j2", *native),
                    "report, everything, 1 job": report(512, "-j1", *native)})
    table("Report of 512 MiB (target: 1.5x in wall time with two processors)", best,
          "openssl dgst -sha256")

    findings = report(512, "-j1", "--findings-only", *none)
    scan = [PROGRAM, "scan", "-q", "-j1", log(512)]
    dump = shutil.which("evtx_dump")
    others = {"evtx_dump -t 1 -o jsonl": [dump, "-t", "1", "-o", "jsonl", log(512)]}
    best = compare({"scan, 1 job": scan, "report --findings-only, 1 job": findings,
                    "openssl dgst -sha256": hashing, **(others if dump else {})})
    table("Scanning alone (target: a third of evtx_dump's time)", best, "scan, 1 job")
    seconds = best["scan, 1 job"][0]
    print(f"  {os.path.getsize(log(512)) / 1e9 / seconds:.2f} GB/s"
          + ("" if dump else "; evtx_dump is not installed (cargo install evtx)"))

    records = [PROGRAM, "records", "-q", "-j1", log(512)]
    best = compare({"records --format=jsonl, 1 job": records, **(others if dump else {})})
    table("Records as JSON lines (target: evtx_dump's time)", best,
          "records --format=jsonl, 1 job")

    sizes = (64, 128, 256, 512)
    best = compare({str(size): report(size, "-j2", *native) for size in sizes})
    print(f"\nTime and memory\n  {'MiB':>5} {'wall':>9} {'s/GiB':>7} {'peak MiB':>9}")
    for size in sizes:
        wall, _, peak = best[str(size)]
        print(f"  {size:5} {wall:8.3f}s {wall * 1024 / size:7.3f} {peak:9.1f}")

    evtxexport = shutil.which("evtxexport")
    commands = {"--reader=libevtx, 2 jobs": report(16, "-j2", "--reader=libevtx")}
    if evtxexport:
        commands["evtxexport"] = [evtxexport, log(16)]
    best = compare(commands)
    table("libevtx on 16 MiB (target: half of evtxexport's time)", best,
          list(commands)[-1])


main()
