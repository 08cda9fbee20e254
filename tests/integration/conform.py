"""What libvirt's documented API promises of any server, as cases in tables.

They are run against a daemon of the tests, or against the server at TROUPE_CONFORM_URI, to see that the cases themselves
are right. What they make there has names that begin with "conform-", and is removed.
"""

import os
import unittest

import libvirt

from guest import EMULATOR
from harness import Daemon, until
from libvirt_client import uri
import libvirt_events  # no errors on stderr

PREFIX = "conform-"
GIVEN = os.environ.get("TROUPE_CONFORM_URI")
UUIDS = [f"c0f0{n:04}-0000-4000-8000-000000000000" for n in range(10)]

INVALID = libvirt.VIR_ERR_OPERATION_INVALID
FAILED = libvirt.VIR_ERR_OPERATION_FAILED
ARGUMENT = libvirt.VIR_ERR_INVALID_ARG
NO_DOMAIN = libvirt.VIR_ERR_NO_DOMAIN
NO_NETWORK = libvirt.VIR_ERR_NO_NETWORK


def name_of(number):
    return PREFIX + str(number)


def domain_xml(name, uuid=None, devices="", extra="", memory=32768, vcpu="<vcpu>1</vcpu>"):
    """A guest that boots nothing: its firmware finds no disk, and waits."""
    return f"""<domain type='qemu'>
  <name>{PREFIX}{name}</name>{f"<uuid>{uuid}</uuid>" if uuid else ""}
  <memory unit='KiB'>{memory}</memory>{vcpu}
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  {extra}
  <devices>{devices}</devices>
</domain>"""


def network_xml(name, uuid=None, body=""):
    return f"<network><name>{PREFIX}{name}</name>{f'<uuid>{uuid}</uuid>' if uuid else ''}{body}</network>"


def require_emulator():
    if os.access(EMULATOR, os.X_OK):
        return
    if os.environ.get("TROUPE_REQUIRE_GUEST"):
        raise AssertionError(f"{EMULATOR} is missing: apt-get install qemu-system-x86")
    raise unittest.SkipTest(f"there is no {EMULATOR}")


def outcome(call, *args):
    """What a call comes to: its value, or ("error", CODE), with what it says for the one who reads of a failure."""
    try:
        return call(*args), ""
    except libvirt.libvirtError as error:
        return ("error", error.get_error_code()), str(error)


def refusal(code):
    return ("error", code)


class ConformTest(unittest.TestCase):
    """One daemon for all tests of a class; each leaves no domain and no network."""

    options = ()

    within = ()  # a command before the daemon's

    @classmethod
    def setUpClass(cls):
        require_emulator()
        cls.daemon = None
        if not GIVEN:
            cls.daemon = Daemon(*cls.options)
            cls.daemon.within = list(cls.within)
            cls.addClassCleanup(cls.daemon.remove)
            cls.daemon.start()
            cls.addClassCleanup(cls.stop)
        cls.connection = cls.open()
        cls.addClassCleanup(cls.connection.close)

    @classmethod
    def open(cls):
        return libvirt.open(GIVEN or uri(cls.daemon, "qemu:///system"))

    @classmethod
    def stop(cls):
        daemon = cls.daemon
        daemon.stop()
        until(lambda: not daemon.leftovers(), what=f"the end of {daemon.leftovers()}")

    def tearDown(self):
        for domain in self.domains():
            outcome(domain.destroy)
            outcome(domain.undefineFlags, libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)
        for network in self.connection.listAllNetworks():
            if network.name().startswith(PREFIX):
                outcome(network.destroy)
                outcome(network.undefine)
        #   What was defined and starts, or ends, is not gone at once.
        until(lambda: not self.domains(), what="the end of all domains")

    def domains(self):
        return [domain for domain in self.connection.listAllDomains() if domain.name().startswith(PREFIX)]

    def check(self, cases):
        """CASES: (what it is, expected value or refusal (), call, arguments...)."""
        for what, expected, call, *args in cases:
            with self.subTest(what):
                got, said = outcome(call, *args)
                if isinstance(got, (libvirt.virDomain, libvirt.virNetwork)):
                    got = got.name()[len(PREFIX) :]
                self.assertEqual(got, expected, said)

    def refused(self, code, *cases):
        """Each call of CASES, (method, arguments...) of OBJECT, is refused with CODE."""
        self.check([(call.__name__, refusal(code), call, *args) for call, *args in cases])
