"""The lab is what the other tests here take it for: a kernel with groups of devices, a card with virtual
functions, drivers that devices can be given to, and a daemon that runs as it does elsewhere."""

import json
import os
import socket
import subprocess
import tempfile
import unittest

import lab
from harness import DaemonTest

lab.require_lab()


class Qemu:
    """A QEMU with a monitor, and no guest."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="lab-")
        at = os.path.join(self.folder, "monitor")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(at)
            listener.listen(1)
            self.process = subprocess.Popen(
                ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-S",
                 "-machine", "q35,accel=tcg", "-m", "64",
                 "-device", "pcie-root-port,id=root1,chassis=1",
                 "-chardev", f"socket,id=monitor,fd={listener.fileno()},server=on,wait=on",
                 "-mon", "chardev=monitor,mode=control"],
                pass_fds=[listener.fileno()])
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(lab.PATIENCE)
        self.socket.connect(at)
        self.lines = self.socket.makefile("r")
        self.lines.readline()
        self.events = []
        self.call("qmp_capabilities")

    def line(self):
        line = self.lines.readline()
        if not line:
            raise AssertionError("QEMU closed its monitor")
        return json.loads(line)

    def call(self, command, **arguments):
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = self.line()
            if "event" not in answer:
                return answer
            self.events.append(answer["event"])

    def end(self):
        self.socket.close()
        self.lines.close()
        self.process.kill()
        self.process.wait()


class Lab(unittest.TestCase):
    def test_groups(self):
        """The card is alone in its group; the two behind the bridge share theirs with it."""
        alone = os.listdir(lab.path(lab.CARD, "iommu_group", "devices"))
        self.assertEqual(alone, [lab.CARD])
        shared = os.listdir(lab.path(lab.TWINS[0], "iommu_group", "devices"))
        self.assertEqual(sorted(shared), sorted([lab.BRIDGE, *lab.TWINS]))
        self.assertEqual([lab.driver(twin) for twin in lab.TWINS], ["e1000", "e1000"])

    def test_virtual_functions(self):
        functions = lab.make_virtual_functions(3)
        self.assertEqual(len({lab.group(function) for function in functions}), 3)
        self.assertEqual(lab.make_virtual_functions(0), [])

    def test_usb_and_scsi(self):
        """Two USB devices that are alike, one that is not, and disks that are no PCI devices."""
        lab.until(lambda: len(lab.usb(lab.TABLET)) == 2 and lab.usb(lab.STICK), "USB's devices")
        for bus, device in lab.usb(lab.TABLET) + lab.usb(lab.STICK):
            self.assertTrue(os.path.exists(f"/dev/bus/usb/{bus:03}/{device:03}"))
        nodes = {lab.scsi(target)[1] for target in lab.DISKS}
        self.assertEqual(len(nodes), 2)
        self.assertTrue(all(os.path.exists(f"/dev/{node}") for node in nodes))

    def test_a_virtual_function_for_qemu(self):
        """A VF with vfio-pci goes into a QEMU and, when that ends, back to its driver."""
        function = lab.make_virtual_functions(1)[0]
        lab.write("vfio-pci", lab.path(function, "driver_override"))
        lab.write(function, lab.path(function, "driver", "unbind"))
        lab.write(function, "/sys/bus/pci/drivers_probe")
        self.assertEqual(lab.driver(function), "vfio-pci")
        self.assertTrue(os.path.exists(f"/dev/vfio/{lab.group(function)}"))
        qemu = Qemu()
        self.addCleanup(qemu.end)
        done = qemu.call("device_add", driver="vfio-pci", host=function, id="function", bus="root1")
        self.assertEqual(done, {"return": {}})
        qemu.end()
        lab.write("\n", lab.path(function, "driver_override"))
        lab.write(function, lab.path(function, "driver", "unbind"))
        lab.write(function, "/sys/bus/pci/drivers_probe")
        self.assertEqual(lab.driver(function), "igbvf")
        lab.make_virtual_functions(0)


class Daemon(DaemonTest):
    def test_daemon(self):
        """The daemon as it was built, without anything installed."""
        self.define("web")
        self.daemon.run("start", "web")
        self.assertIn("running", self.daemon.run("domstate", "web"))


if __name__ == "__main__":
    unittest.main()
