# SPDX-License-Identifier: Apache-2.0
"""native_compare.py REF DUMP FILE...: the native reader's records against a reference
decoder's. REF prints one JSON object a record with (path, value) pairs; DUMP is
tests/native_dump. Prints what differs; the exit status says whether anything did."""
import json
import subprocess
import sys

NUMBERS = {"EventID", "Version", "Level", "Task", "Opcode", "Keywords", "EventRecordID",
           "Execution@ProcessID", "Execution@ThreadID"}


def number(text):
    return int(text, 16) if text.startswith("0x") else int(text)


def system_of(values):
    system = {}
    for path, value in values:
        if path.startswith("/Event/System/") and value is not None:
            system.setdefault(path[len("/Event/System/"):], value)
    if not system.get("Provider@Name") and "Provider@EventSourceName" in system:
        system["Provider@Name"] = system["Provider@EventSourceName"]
    return system


def clean(value):
    return "" if value is None else value.rstrip("\0")


def fields_of(values):
    """The fields as evtx.h has them: Data by its Name, others by their path."""
    fields, name = [], ""
    for path, value in values:
        parts = path.split("/")[2:]
        if not parts or parts[0].split("@")[0] in ("System", "RenderingInfo"):
            continue
        if path.endswith("#depnull"):
            continue
        parts[-1] = parts[-1].split("#")[0]
        depth = 2 if parts[0].split("@")[0] == "UserData" else 1
        if len(parts) <= depth:
            if "@" in parts[-1] and len(parts) == depth and depth == 2 and \
                    "@xmlns" not in parts[-1]:
                fields.append([parts[-1], clean(value)])
            continue
        below = parts[depth:]
        if below == ["Data@Name"]:
            name = value
            continue
        if below[0].split("@")[0] == "Data":
            below[0] = below[0].replace("Data", name, 1)
        fields.append([".".join(below), clean(value)])
        if "@" not in below[-1]:
            name = ""
    return fields


def same_text(a, b):
    def plain(text):
        return "".join("\ufffd" if 0xd800 <= ord(c) < 0xe000 else c for c in text)
    return a == b or plain(a) == plain(b)


def differences(reference, ours):
    if "error" in reference or "wrong" in ours:
        yield "%s / %s" % (reference.get("error"), ours.get("wrong"))
        return
    system = system_of(reference["values"])
    for key, value in ours["system"].items():
        want = system.get(key)
        if key in NUMBERS:
            want = number(want) if want else (2**64 - 1 if key == "EventRecordID" else 0)
        elif key == "TimeCreated@SystemTime":
            want = (want or "")[:27] + ("Z" if want else "")  # forwarded: 9 digits
        if value != want:
            yield "System %s: %r, reference %r" % (key, value, want)
    want = fields_of(reference["values"])
    if len(want) != len(ours["fields"]):
        yield "fields %r, reference %r" % (ours["fields"], want)
        return
    for (name, value), (want_name, want_value) in zip(ours["fields"], want):
        if name != want_name or not same_text(value, want_value):
            yield "%s=%r, reference %s=%r" % (name, value, want_name, want_value)


def lines(command):
    """Its standard output, one JSON object a line."""
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return [json.loads(line) for line in out.splitlines()]


def main():
    reference_program, dump = sys.argv[1], sys.argv[2].split()
    records = shown = values = 0
    for path in sys.argv[3:]:
        reference = lines([sys.executable, reference_program, path])
        ours = {record["offset"]: record for record in lines(dump + [path])}
        for want in reference:
            records += 1
            got = ours.pop(want["offset"], None)
            found = list(differences(want, got)) if got else ["not given"]
            values += len(got["fields"]) if got else 0
            for what in found:
                shown += 1
                if shown <= 20:
                    print("# %s offset %d: %s" % (path, want["offset"], what[:400]))
        for offset in ours:
            shown += 1
            print("# %s offset %d: given, not in the reference" % (path, offset))
    print("# %d records, %d field values, %d differences" % (records, values, shown))
    return shown != 0


sys.exit(main())
