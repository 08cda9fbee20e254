"""What tests of the host's PCI devices share: a daemon whose card has three virtual functions, which it may stop
anywhere in what it does to them."""

import os
import re
import subprocess

import lab  # first: it says where the others are
import harness
from harness import DaemonTest, until
from troupe_client import TroupeError

lab.require_lab()


def clean(name):
    """As names of node devices have it."""
    return re.sub(r"[^0-9A-Za-z]", "_", name)


def node(address):
    return clean(f"pci_{address}")


class User:
    """A process that has a device's group open, as a guest's QEMU has."""

    def __init__(self, address):
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-c",
             "import sys\n"
             "file = open(sys.argv[1], 'r+b', buffering=0)\n"
             "print('open', flush=True)\n"
             "sys.stdin.read()",
             f"/dev/vfio/{lab.group(address)}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class DeviceTest(DaemonTest):
    def setUp(self):
        self.functions = lab.make_virtual_functions(3)
        super().setUp()
        self.function = self.functions[0]
        self.status = os.path.join(self.daemon.root, "run", "troupe", "pci", f"{self.function}.status")
        self.client = self.daemon.client()
        self.addCleanup(self.as_before)
        self.addCleanup(lambda: self.client.close())

    def as_before(self):
        for function in self.functions:
            self.assertTrue(lab.is_the_hosts(function), function)

    def info(self, address):
        return self.client.call("nodedev.info", device=address)

    def restart(self):
        self.client.close()
        self.daemon.kill()
        self.daemon.start()
        self.client = self.daemon.client()

    def refused(self, verb, device, **args):
        with self.assertRaises(TroupeError) as caught:
            self.client.call(verb, device=device, **args)
        self.assertNotIn("\n", caught.exception.message)
        return caught.exception.message


#   In place of troupe-pci: does what that would have done until the place that ROOT/hold names, and stops
#   there.
HOLD = """#!/bin/bash
at=
[ ! -e ROOT/hold ] || at=$(cat ROOT/hold)
[ "$2" != read ] || at=
hold () { touch ROOT/held; while [ -e ROOT/hold ]; do sleep 0.05; done; }
[ "$at" != before ] || hold
if [ "$at" = between ]; then
    override=$5
    [ "$2" != detach ] || override=vfio-pci
    echo "$override" >"$1/bus/pci/devices/$3/driver_override"
    echo "$3" >"$1/bus/pci/devices/$3/driver/unbind"
    hold
fi
REAL "$@"
status=$?
[ "$at" != after ] || hold
exit $status
"""


class HeldTest(DeviceTest):
    """The daemon can be killed in the middle of what it does to a device."""

    def make_daemon(self):
        daemon = super().make_daemon()
        programs = os.path.join(daemon.root, "programs")
        os.makedirs(programs)
        for name in ("troupe-launch", "troupe-pci"):
            os.symlink(os.path.join(os.path.realpath(harness.BIN), name),
                       os.path.join(programs, name))
        program = os.path.join(programs, "troupe-pci")
        real = os.path.realpath(program)
        os.unlink(program)
        with open(program, "w") as file:
            file.write(HOLD.replace("ROOT", daemon.root).replace("REAL", real))
        os.chmod(program, 0o755)
        daemon.options = ("--launcher", os.path.join(programs, "troupe-launch"))
        return daemon

    def hold(self, at):
        """What is done to devices stops at that place, until go_on."""
        with open(os.path.join(self.daemon.root, "hold"), "w") as file:
            file.write(at)

    def await_held(self, what):
        """Something stopped, since the last time."""
        held = os.path.join(self.daemon.root, "held")
        until(lambda: os.path.exists(held), what=what)
        os.unlink(held)

    def go_on(self):
        os.unlink(os.path.join(self.daemon.root, "hold"))

    def cut_off(self, at, *command):
        """Runs COMMAND, kills the daemon when it has come to that place, and starts another."""
        self.hold(at)
        running = subprocess.Popen(self.daemon.command(*command),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.await_held(f"{command} {at}")
        self.client.close()
        self.daemon.kill()
        running.wait()
        self.go_on()
        self.daemon.start()
        self.client = self.daemon.client()

    def is_back(self):
        return self.info(self.function)["state"] == "host" and lab.driver(self.function) == "igbvf"
