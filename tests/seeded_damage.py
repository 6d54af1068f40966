# SPDX-License-Identifier: Apache-2.0
"""seeded_damage.py FOREBEAR SAMPLES FOLDER ROUNDS SECONDS [FIRST_SEED [KIND]]

Damages the samples in ROUNDS seeded ways (fewer where SECONDS for a kind of sample are over
before), lets the program write a report on each, and
holds it to what it promises on any bytes. One TAP line for each kind of damage. A failure
names its seed; ROUNDS 1 and that FIRST_SEED repeat it, and FOLDER keeps the evidence.

The promises: it ends with 0 or 3, in time, and no sanitizer speaks; each output is there,
the CSV files parse, the page is well-formed, SHA256SUMS and the manifest agree with what
lies there; a log's row has the SHA-256 of the damaged file; what stands in chunks that were
not touched is reported; with status 0 no record is missing; --jobs changes nothing.
"""

import csv
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time
import zlib
from xml.parsers import expat

HEADER, CHUNK, RECORDS = 4096, 65536, 512
SECONDS = 30
READERS = ["libevtx", "native"]
OUTPUTS = {
    "corroboration.csv", "coverage.csv", "evidence.csv", "findings.csv", "hosts.csv", "near_misses.csv",
    "problems.csv", "processes.csv", "timeline.csv", "iocs.csv", "elsewhere.csv", "report.html", "run.log",
    "manifest.json", "SHA256SUMS",
}


# ---- the checksums of a log, made right again, so that a lie is believed


def fix_log_header(log):
    if len(log) >= HEADER:
        struct.pack_into("<I", log, 124, zlib.crc32(log[:120]))


def fix_chunk(log, at):
    if at + CHUNK > len(log):
        return
    free = struct.unpack_from("<I", log, at + 48)[0]
    if RECORDS <= free <= CHUNK:
        struct.pack_into("<I", log, at + 52, zlib.crc32(log[at + RECORDS : at + free]))
    crc = zlib.crc32(log[at : at + 120])
    struct.pack_into("<I", log, at + 124, zlib.crc32(log[at + 128 : at + RECORDS], crc))


def chunks_of(log):
    return [at for at in range(HEADER, len(log) - CHUNK + 1, CHUNK)
            if log[at : at + 8] == b"ElfChnk\0"]


def frames_of(log, at):
    """Offset and size of each record of the chunk at `at`."""
    end = at + min(CHUNK, struct.unpack_from("<I", log, at + 48)[0])
    frame = at + RECORDS
    while frame + 24 <= end and log[frame : frame + 4] == b"**\0\0":
        size = struct.unpack_from("<I", log, frame + 4)[0]
        if size < 28:
            return
        yield frame, size
        frame += size


LIES = [0, 1, 0x7F, 0x80, 0xFF, 0x1FF, 0x200, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x10001,
        0x7FFFFFFF, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF]


def lie(r, width):
    value = r.choice(LIES + [r.getrandbits(8 * width), r.getrandbits(16)])
    return (value & ((1 << (8 * width)) - 1)).to_bytes(width, "little")


# ---- kinds of damage: each takes the generator, the bytes and those of another sample


def flip_bits(r, data, other):
    for _ in range(r.choice([1, 1, 2, 5, 20, 200])):
        data[r.randrange(len(data))] ^= 1 << r.randrange(8)


def zero_page(r, data, other):
    size = r.choice([1, 8, 512, 4096, 16384, 65536])
    at = r.randrange(len(data)) // size * size
    data[at : at + size] = bytes(len(data[at : at + size]))


def foreign_page(r, data, other):
    size = r.choice([16, 512, 4096, 65536])
    at = r.randrange(len(data)) // size * size
    source = r.choice([data, other])
    start = r.randrange(max(1, len(source) - size))
    page = r.choice([bytes(source[start : start + size]), r.randbytes(size)])
    data[at : at + size] = page[: len(data) - at]


def truncate(r, data, other):
    keep = r.randrange(len(data) + 1)
    if r.random() < 0.3:
        keep = keep // 4096 * 4096
    del data[keep:]


def insert_bytes(r, data, other):
    at = r.randrange(len(data) + 1)
    size = r.choice([1, 7, 8, 512, 4096, 65536, 70001])
    data[at:at] = r.choice([bytes(size), r.randbytes(size)])


def remove_bytes(r, data, other):
    at = r.randrange(len(data))
    del data[at : at + r.choice([1, 7, 8, 512, 4096, 65536])]


def move_chunks(r, data, other):
    chunks = chunks_of(data)
    if not chunks:
        return
    a, b = r.choice(chunks), r.choice(chunks)
    one, two = bytes(data[a : a + CHUNK]), bytes(data[b : b + CHUNK])
    how = r.randrange(3)
    if how == 0:
        data[a : a + CHUNK], data[b : b + CHUNK] = two, one
    elif how == 1:
        data[a:a] = two
    else:
        strangers = chunks_of(other)
        if strangers:
            c = r.choice(strangers)
            data[a:a] = other[c : c + CHUNK]


def lying_headers(r, data, other):
    for _ in range(r.choice([1, 1, 2, 4])):
        chunks = chunks_of(data)
        if r.random() < 0.2 or not chunks:
            at, width = r.choice([(8, 8), (16, 8), (24, 8), (32, 4), (36, 2), (38, 2),
                                  (40, 2), (42, 2), (120, 4)])
            data[at : at + width] = lie(r, width)
            fix_log_header(data)
            continue
        chunk = r.choice(chunks)
        at, width = r.choice([(8, 8), (16, 8), (24, 8), (32, 8), (40, 4), (44, 4), (48, 4),
                              (120, 4), (128 + 4 * r.randrange(96), 4)])
        data[chunk + at : chunk + at + width] = lie(r, width)
        fix_chunk(data, chunk)


def lying_records(r, data, other):
    for _ in range(r.choice([1, 1, 3])):
        chunks = chunks_of(data)
        if not chunks:
            return
        chunk = r.choice(chunks)
        frames = list(frames_of(data, chunk))
        if not frames:
            return
        at, size = r.choice(frames)
        field, width = r.choice([(4, 4), (8, 8), (16, 8), (size - 4, 4)])
        data[at + field : at + field + width] = lie(r, width)
        if field == 4 and r.random() < 0.5:  # with its copy
            told = struct.unpack_from("<I", data, at + 4)[0]
            if 28 <= told <= CHUNK and at + told <= len(data):
                struct.pack_into("<I", data, at + told - 4, told)
        fix_chunk(data, chunk)


def lying_binxml(r, data, other):
    """Bytes inside records: tokens, name and template offsets, counts, types, sizes."""
    for _ in range(r.choice([1, 1, 2, 8, 40])):
        chunks = chunks_of(data)
        if not chunks:
            return
        chunk = r.choice(chunks)
        frames = list(frames_of(data, chunk))
        if not frames:
            return
        at, size = r.choice(frames[: r.choice([1, 3, len(frames)])])
        if size <= 32:
            continue
        where = at + 24 + r.randrange(min(size - 28, r.choice([32, 128, 2048])))
        width = r.choice([1, 1, 2, 4])
        data[where : where + width] = lie(r, width)
        fix_chunk(data, chunk)


def metadata_of_disk(r, data, other):
    """Where the structures lie: partition table, boot sector, MFT, indexes."""
    places = [(0, 512), (1 << 20, 512), (1 << 20, 65536)]
    at = data.find(b"FILE0")
    while at >= 0 and len(places) < 200:
        places.append((at, 1024))
        at = data.find(b"FILE0", at + 1024)
    at = data.find(b"INDX")
    while at >= 0 and len(places) < 260:
        places.append((at, 4096))
        at = data.find(b"INDX", at + 4096)
    for _ in range(r.choice([1, 3, 10, 50])):
        start, size = r.choice(places)
        where = start + r.randrange(size)
        width = r.choice([1, 1, 2, 4, 8])
        if where + width <= len(data):
            data[where : where + width] = lie(r, width)


def lying_sections(r, data, other):
    """An E01's section descriptors, with their Adler-32 made right again."""
    sections, at = [], 13
    while at + 76 <= len(data) and len(sections) < 64:
        sections.append(at)
        following = struct.unpack_from("<Q", data, at + 16)[0]
        if following <= at:
            break
        at = following
    for _ in range(r.choice([1, 1, 3])):
        at = r.choice(sections)
        where, width = r.choice([(16, 8), (24, 8), (76, 4), (80, 4), (84, 4), (88, 4),
                                 (r.randrange(16), 1), (76 + r.randrange(200), 4)])
        if at + where + width > len(data):
            continue
        data[at + where : at + where + width] = lie(r, width)
        struct.pack_into("<I", data, at + 72, zlib.adler32(data[at : at + 72], 1))


BYTES = [flip_bits, zero_page, foreign_page, truncate, insert_bytes, remove_bytes]
LOG = BYTES + [move_chunks, lying_headers, lying_records, lying_binxml, lying_binxml]
DISK = BYTES + [metadata_of_disk, metadata_of_disk]
KINDS = {
    "log": LOG,
    "disk.raw": DISK,
    "volume.raw": DISK,
    "E01": BYTES + [lying_sections, lying_sections],
}


# ---- one report


class Broken(Exception):
    pass


def hold(condition, what):
    if not condition:
        raise Broken(what)


def table(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    hold(rows, name + " has no header")
    for number, row in enumerate(rows):
        hold(len(row) == len(rows[0]), f"{name} row {number} has {len(row)} cells")
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def check_sums(folder, status):
    with open(os.path.join(folder, "SHA256SUMS"), encoding="utf-8") as file:
        sums = dict(reversed(line.rstrip("\n").split("  ", 1)) for line in file)
    hold(set(sums) == OUTPUTS - {"SHA256SUMS"}, "SHA256SUMS names " + " ".join(sums))
    for name, told in sums.items():
        hold(told == sha256_of(os.path.join(folder, name)), name + " differs from SHA256SUMS")
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    hold(manifest["exit_status"] == status, "the manifest has another exit status")


def report(program, evidence, folder, *options):
    """Status and tables of a report that keeps its promises."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        done = subprocess.run([program, "report", "-q", "-o", folder, *options, evidence],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise Broken(f"not done after {SECONDS} s") from late
    said = done.stderr.decode("utf-8", "replace")
    for sign in ("Sanitizer", "runtime error:", "Assertion"):
        hold(sign not in said, "stderr: " + said[:3000])
    hold(done.returncode in (0, 3), f"ended with {done.returncode}: {said[:2000]}")
    hold(set(os.listdir(folder)) == OUTPUTS, "outputs: " + " ".join(os.listdir(folder)))
    tables = {name: table(folder, name) for name in OUTPUTS if name.endswith(".csv")}
    parser = expat.ParserCreate()
    with open(os.path.join(folder, "report.html"), "rb") as page:
        parser.ParseFile(page)
    check_sums(folder, done.returncode)
    return done.returncode, tables


def records_of(tables):
    return sum(int(row["records"] or 0) for row in tables["evidence.csv"])


def creations_of(tables):
    return {row["event_record_id"] for row in tables["processes.csv"] if row["event_record_id"]}


# ---- one sample, damaged


class Sample:
    def __init__(self, program, path, kind, folder):
        self.program, self.path, self.kind, self.folder = program, path, kind, folder
        with open(path, "rb") as file:
            self.data = file.read()
        self.name = os.path.basename(path)
        self.out = os.path.join(folder, "report")
        status, tables = report(program, path, self.out)
        hold(status == 0 or "System" in self.name, self.name + ": the sample itself is damaged")
        self.status, self.records = status, records_of(tables)
        self.creations = {}  # of each chunk
        for row in tables["processes.csv"] if kind == "log" else []:
            if row["event_record_id"]:
                chunk = (int(row["offset"]) - HEADER) // CHUNK * CHUNK + HEADER
                self.creations.setdefault(chunk, set()).add(row["event_record_id"])

    def damaged(self, seed, other):
        r = random.Random(f"{self.name} {seed}")
        data = bytearray(self.data)
        kinds = [r.choice(KINDS[self.kind]) for _ in range(r.choice([1, 1, 1, 2, 3]))]
        for kind in kinds:
            if data:
                kind(r, data, other.data)
        return data, "+".join(kind.__name__ for kind in kinds)

    def check_log(self, data, status, tables):
        rows = tables["evidence.csv"]
        hold(len(rows) == 1, "the log has %d rows" % len(rows))
        hold(rows[0]["sha256"] == hashlib.sha256(data).hexdigest(), "another SHA-256")
        kept, count = set(), 0
        for at in chunks_of(self.data):
            if self.data[at : at + CHUNK] in data:
                kept |= self.creations.get(at, set())
                count += sum(1 for _ in frames_of(self.data, at))
        missing = kept - creations_of(tables)
        hold(not missing, "in chunks that were not touched, not reported: "
             + " ".join(sorted(missing, key=int)[:10]))
        hold(records_of(tables) >= count, f"{records_of(tables)} records, {count} untouched")

    def one(self, seed, other):
        data, how = self.damaged(seed, other)
        evidence = os.path.join(self.folder, "damaged-" + self.name)
        with open(evidence, "wb") as file:
            file.write(data)
        try:
            reader = "--reader=" + READERS[seed // 7 % len(READERS)]
            status, tables = report(self.program, evidence, self.out, "--jobs=2", reader)
            if self.kind == "log":
                self.check_log(data, status, tables)
            if status == 0:
                hold(records_of(tables) >= self.records,
                     f"status 0 with {records_of(tables)} of {self.records} records")
            if seed % 8 == 0:
                again = self.out + "-again"
                os.rename(self.out, again)
                report(self.program, evidence, self.out, "--jobs=1", reader)
                for name in sorted(OUTPUTS):
                    if name.endswith(".csv"):
                        hold(sha256_of(os.path.join(again, name))
                             == sha256_of(os.path.join(self.out, name)),
                             name + " is another with --jobs=1")
                shutil.rmtree(again)
        except (Broken, ValueError, OSError, KeyError, csv.Error, expat.ExpatError) as why:
            shutil.rmtree(self.out + "-again", ignore_errors=True)
            os.rename(evidence, os.path.join(self.folder, f"failed-{seed}-{self.name}"))
            return f"seed {seed} ({how}) of {self.name}: {why}"
        return None


def main():
    program, samples, folder = sys.argv[1:4]
    rounds, seconds = int(sys.argv[4]), float(sys.argv[5])
    first = int(sys.argv[6]) if len(sys.argv) > 6 else 0
    wanted = sys.argv[7] if len(sys.argv) > 7 else None
    os.environ["SOURCE_DATE_EPOCH"] = "1767225600"
    logs = sorted(name for name in os.listdir(samples) if name.endswith(".evtx"))
    groups = {"log": [os.path.join(samples, name) for name in logs],
              "disk.raw": [os.path.join(folder, "disk.raw")],
              "volume.raw": [os.path.join(folder, "volume.raw")],
              "E01": [os.path.join(samples, "forebear-sample.E01")]}
    failures = 0
    for number, (kind, paths) in enumerate(groups.items(), 1):
        if not os.path.exists(paths[0]):
            print(f"ok {number} - {kind} # SKIP the image could not be exported")
            continue
        if wanted and kind != wanted:
            print(f"ok {number} - {kind} # SKIP not asked for")
            continue
        members = [Sample(program, path, kind, folder) for path in paths]
        wrong, done, end = [], 0, time.monotonic() + seconds
        while done < rounds and time.monotonic() < end:
            seed = first + done
            done += 1
            member = members[seed % len(members)]
            why = member.one(seed, members[(seed + 1) % len(members)])
            if why:
                wrong.append(why)
                print("# " + why.replace("\n", "\n#   "), flush=True)
        verdict = "not ok" if wrong else "ok"
        print(f"{verdict} {number} - {kind}: damaged {done} times, every promise held", flush=True)
        failures += bool(wrong)
    print(f"1..{len(groups)}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
