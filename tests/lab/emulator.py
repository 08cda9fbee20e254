"""Outside of the lab: has a daemon find out what this host's QEMU can do, and keeps the answer in build/lab/emulator.
In the lab, where QEMU is the same file, and slow, the daemons of the tests have it from there."""

import glob
import os
import re
import shutil
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "integration"))

from harness import Daemon

CACHE = os.path.join("var", "cache", "troupe")
KEPT = os.path.join(os.path.dirname(TESTS), "build", "lab", "emulator")

GUEST = """<domain type='qemu'>
  <name>asked</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
</domain>"""


def of_this_boot(cache):
    """What is kept was found out in this host's boot; a daemon asks again in another one."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot = file.read().strip()
    for path in glob.glob(os.path.join(cache, "qemu", "*.caps")):
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(re.sub(r"(?m)^boot .*$", f"boot {boot}", text, count=1))


def give(daemon):
    """In the lab: DAEMON, which has not started, knows what was found out."""
    if os.path.isdir(KEPT):
        shutil.copytree(KEPT, os.path.join(daemon.root, CACHE))
        of_this_boot(os.path.join(daemon.root, CACHE))
    return daemon


def main():
    daemon = Daemon().start()
    try:
        with daemon.client() as client:
            client.call("domain.define", xml=GUEST)
        daemon.stop()
        shutil.rmtree(KEPT, ignore_errors=True)
        shutil.copytree(os.path.join(daemon.root, CACHE), KEPT)
    finally:
        daemon.stop()
        daemon.remove()


if __name__ == "__main__":
    main()
