"""What storms and chaos share: a seed, a time limit, violations, and what a daemon has to leave on disk."""

import argparse
import collections
import os
import random
import re
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "integration"))
sys.dont_write_bytecode = True

from guest import EMULATOR, processes_of, processes_with  # noqa: E402, F401
from harness import Daemon, behaviour, seed, seed_from, until  # noqa: E402, F401
from harness import test_domain as simulated_domain  # noqa: E402, F401
from troupe_client import NoAnswer, TroupeError  # noqa: E402, F401

ACTIVE = ("running", "paused")
#   How long anything may take on a busy machine with sanitizers.
PATIENCE = 60


class Run:
    """One run: where its randomness and its time come from, and what it found. It lasts for so many rounds if
    that is an option, otherwise for some time."""

    def __init__(self, description, **options):
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--seed", type=seed_from, default=seed("TROUPE_STRESS_SEED"),
                            help="a number, or random: a new one (default: TROUPE_STRESS_SEED, or always the same)")
        if "rounds" not in options:
            options = {"seconds": (30.0, "how long"), **options}
        parser.add_argument("--keep", action="store_true", help="keep the daemon's folder")
        for name, (value, text) in options.items():
            parser.add_argument(f"--{name}", type=type(value), default=value, help=text)
        self.options = parser.parse_args()
        self.seed = self.options.seed
        self.random = random.Random(self.seed)
        self.begun = time.monotonic()
        self.counts = collections.Counter()
        self.violations = []
        given = ", ".join(f"{getattr(self.options, name):g} {name}" for name in options)
        print(f"{os.path.basename(sys.argv[0])}: seed {self.seed}, {given}", flush=True)

    def on(self):
        """Is there time left, and no reason to stop?"""
        return time.monotonic() - self.begun < self.options.seconds and not self.violations

    def violation(self, text):
        self.violations.append(text)
        print(f"VIOLATION after {time.monotonic() - self.begun:.1f} s: {text}", flush=True)

    def check(self, good, text):
        if not good:
            self.violation(text)
        return good

    def finish(self, daemon):
        """Prints what was done; the exit status."""
        for what, count in sorted(self.counts.items()):
            print(f"  {count:7} {what}")
        if self.violations:
            print(f"{len(self.violations)} violations; again with --seed {self.seed}; the log's end:")
            print(daemon.log()[-3000:])
        if self.options.keep:
            print(f"kept: {daemon.root}")
        else:
            daemon.remove()
        print("all promises held" if not self.violations else "PROMISES BROKEN", flush=True)
        return 1 if self.violations else 0


def is_busy(actor):
    """A job; files that are being written, as at its end; or an owner that has not taken in yet how either went, and may
    have another job start then."""
    kind = actor["address"].split("/")[0]
    return kind == "job" or kind == "disk" and actor["requests"] > 0 or kind == "domain" and actor["mailbox"] > 0


def settled(client):
    """Waits until no job runs and none follows from one; the addresses of all actors."""
    looks = []

    def quiet():
        """A few times: while an owner has one job after another start there is an instant without."""
        actors = client.call("host.actors", timeout=PATIENCE)
        looks.append(any(map(is_busy, actors)))
        return [actor["address"] for actor in actors] if len(looks) > 4 and not any(looks[-4:]) else None

    return until(quiet, PATIENCE, "the end of all jobs")


def files_below(daemon, folder):
    """Paths of all files below a folder of the daemon's, relative to it."""
    top = os.path.join(daemon.root, folder)
    return {
        os.path.relpath(os.path.join(place, name), top)
        for place, unused, names in os.walk(top)
        for name in names
    }


def expected_files(rows):
    """What has to be below etc/troupe and run/troupe for these rows of domain.list."""
    etc, run = set(), set()
    for row in rows:
        place, uuid = row["driver"], row["uuid"]
        if row["persistent"]:
            etc.add(f"{place}/{uuid}.xml")
        if row["autostart"]:
            etc.add(f"{place}/autostart/{uuid}")
        if row["state_text"] in ACTIVE:
            suffixes = ("status", "marker", "devices", "console") if place == "test" else ("status", "monitor")
            run |= {f"{place}/{uuid}.{suffix}" for suffix in suffixes}
            if place == "qemu":
                run.add(f"{place}/{uuid}/channel0")
    return etc, run


def network_files(daemon):
    """Of networks, which nobody starts here: the definition, and where its leases would be told."""
    with daemon.client() as client:
        uuids = [row["uuid"] for row in client.call("network.list", all=True)]
    return {f"networks/{uuid}.xml" for uuid in uuids}, {f"networks/{uuid}.lease" for uuid in uuids}


def check_disk(run, daemon, rows):
    """Files and list say the same. A domain may have a history of jobs."""
    histories = {f"jobs/{row['uuid']}" for row in rows}
    networks = network_files(daemon)
    for i, (folder, want) in enumerate(zip(("etc/troupe", "run/troupe"), expected_files(rows))):
        want |= networks[i]
        have = {path for path in files_below(daemon, folder) if "/" in path} - histories
        for path in sorted(have - want):
            run.violation(f"{folder}/{path} is there, which no domain explains")
        for path in sorted(want - have):
            run.violation(f"{folder}/{path} is missing")
    for row in rows:
        if row["persistent"]:
            check_definition(run, daemon, row)


def check_definition(run, daemon, row):
    path = os.path.join(daemon.root, "etc/troupe", row["driver"], row["uuid"] + ".xml")
    try:
        with open(path) as file:
            name = re.search("<name>(.*?)</name>", file.read())[1]
    except FileNotFoundError:
        return  # told already
    run.check(name == row["name"], f"{path} says {name!r}, the list {row['name']!r}")


def check_rows(run, client, rows, actors):
    """The list, its documents and the actors say the same."""
    names = collections.Counter(row["name"] for row in rows)
    run.check(max(names.values(), default=1) == 1, f"a name stands twice in the list: {names}")
    owners = sorted(address for address in actors if address.startswith("domain/"))
    want = sorted("domain/" + row["uuid"] for row in rows)
    run.check(owners == want, f"owners {owners} for the domains {want}")
    for row in rows:
        active = row["state_text"] in ACTIVE
        run.check((row["id"] > 0) == active, f"an id and no guest, or the reverse: {row}")
        xml = client.call("domain.xml", domain=row["uuid"], timeout=PATIENCE)["xml"]
        run.check(f"<name>{row['name']}</name>" in xml, f"dumpxml has another name than {row}")
        run.check((" id='" in xml[:200] or ' id="' in xml[:200]) == active, f"dumpxml differs from {row}")
