"""Start of a QEMU guest through the daemon against bare QEMU with the same arguments.

    bench_start.py [PAIRS]

Bare: spawn of QEMU, its greeting, qmp_capabilities, cont. Through the daemon: the answer to
domain.create. In turns, so that what else the machine does falls on both alike.
"""

import json
import os
import re
import signal
import socket
import statistics
import sys
import tempfile

from bench import processes_of, Clock, Daemon, place, qemu_domain, spread, verdict

ENVIRONMENT = {
    "LC_ALL": "C",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/bin",
    "HOME": "/",
}
TARGET_MS = 15


def command_line(uuid):
    """What the daemon executed, and the descriptor of QEMU's monitor in it."""
    (pid,) = processes_of(uuid)
    with open(f"/proc/{pid}/cmdline") as file:
        arguments = file.read().rstrip("\0").split("\0")
    (descriptor,) = re.findall(r"^socket,.*id=(?:char)?monitor.*fd=(\d+)", "\n".join(arguments), re.M)
    return arguments, int(descriptor)


def say(stream, execute):
    stream.write(json.dumps({"execute": execute}).encode() + b"\n")
    stream.flush()
    while True:
        answer = json.loads(stream.readline())
        if "return" in answer or "error" in answer:
            assert "return" in answer, answer
            return


def bare(arguments, monitor, folder):
    """Milliseconds from spawn to the answer to cont."""
    path = os.path.join(folder, "monitor")
    with open(os.devnull) as null, open(os.path.join(folder, "log"), "w") as log:
        with Clock() as clock:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen()
            actions = [
                (os.POSIX_SPAWN_DUP2, listener.fileno(), monitor),
                (os.POSIX_SPAWN_DUP2, null.fileno(), 0),
                (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
            ]
            pid = os.posix_spawn(arguments[0], arguments, ENVIRONMENT, file_actions=actions)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                with client.makefile("rwb") as stream:
                    assert b"QMP" in stream.readline()
                    say(stream, "qmp_capabilities")
                    say(stream, "cont")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    listener.close()
    os.unlink(path)
    return clock.ms


def through(client, name):
    with Clock() as clock:
        client.call("domain.create", domain=name, timeout=60)
    client.call("domain.destroy", domain=name, timeout=60)
    return clock.ms


def measure(daemon, pairs, folder):
    with daemon.client() as client:
        uuid = client.call("domain.define", xml=qemu_domain("bench"))["uuid"]
        with Clock() as first:
            client.call("domain.create", domain="bench", timeout=60)
        arguments, monitor = command_line(uuid)
        client.call("domain.destroy", domain="bench", timeout=60)
        bare(arguments, monitor, folder)
        troupe, qemu = [], []
        for unused in range(pairs):
            qemu.append(bare(arguments, monitor, folder))
            troupe.append(through(client, "bench"))
        return first.ms, qemu, troupe


def main():
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    daemon = Daemon("--quiet")
    with tempfile.TemporaryDirectory(prefix="tb-", dir="/tmp") as folder:
        try:
            first, qemu, troupe = measure(daemon.start(), pairs, folder)
        finally:
            daemon.stop()
            daemon.remove()
    more = [through - alone for through, alone in zip(troupe, qemu)]
    difference = statistics.median(troupe) - statistics.median(qemu)
    print(f"start of a QEMU guest, ms, {pairs} pairs in turns, {place()}")
    print(f"  bare QEMU        {spread(qemu)}")
    print(f"  through troupe   {spread(troupe)}")
    print(f"  pair by pair     {spread(more)} more")
    print(f"  medians          {difference:.2f} ms more: {verdict(difference <= TARGET_MS)}")
    print(f"                   (at most {TARGET_MS}); ratio "
          f"{statistics.median(troupe) / statistics.median(qemu):.2f}")
    print(f"  the first, which also probes the emulator: {first:.0f} ms")


if __name__ == "__main__":
    main()
