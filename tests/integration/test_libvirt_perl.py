"""libvirt's Perl binding (Sys::Virt), as it is, on simulated guests: the program is sys_virt.pl."""

import os
import subprocess
import unittest

from harness import PATIENCE, DaemonTest
from libvirt_client import uri

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sys_virt.pl")


class Perl(DaemonTest):
    def setUp(self):
        if subprocess.run(["perl", "-MSys::Virt", "-e", "1"], capture_output=True).returncode:
            raise unittest.SkipTest("there is no Sys::Virt: apt-get install libsys-virt-perl")
        super().setUp()

    def test_program(self):
        done = subprocess.run(
            ["perl", PROGRAM, uri(self.daemon)],
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE,
            stdin=subprocess.DEVNULL,
        )
        bad = [line for line in done.stdout.splitlines() if line.startswith("not ok")]
        self.assertEqual((done.returncode, bad), (0, []), done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^1\.\.\d+$", "it did not come to its end")
