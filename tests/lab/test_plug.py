"""PCI devices of the host that come to a running guest and go again, as hostdevs and as its network interfaces, whatever
becomes of the guest, QEMU and the daemon meanwhile."""

import glob
import os
import signal

import lab
from guests import GuestTest, hostdev, interface, pooled, source
from harness import nothing_half_done, until
from troupe_client import TroupeError

MAC = "52:54:00:71:00:0"
VIRTIO = "<model type='virtio'/>"


def profile(name, type="802.1Qbh"):
    return f"<virtualport type='{type}'><parameters profileid='{name}'/></virtualport>"



class Plug(GuestTest):
    def setUp(self):
        super().setUp()
        self.start_system("web1")

    def kinds(self):
        """A device of each kind, and what the card has set for its function then."""
        return ((hostdev(self.function), self.before[0]),
                (interface(self.function, MAC + "1", extra="<vlan><tag id='9'/></vlan>"), (MAC + "1", 9, False)),
                #   As virsh attach-interface has it. The default model is a card of conventional PCI.
                (pooled("pool", MAC + "2"), (MAC + "2", 0, False)))

    def attach(self, device):
        self.client.call("domain.device_attach", domain="web1", xml=device, timeout=120)

    def begin_to_detach(self, device, **args):
        """The guest does not let go of it before it is resumed."""
        self.daemon.run("suspend", "web1")
        return self.client.send("domain.device_detach", domain="web1", xml=device, **args)

    def detach(self, device):
        self.client.call("domain.device_detach", domain="web1", xml=device, timeout=120)

    def shown(self):
        return self.daemon.run("dumpxml", "web1").count(source(self.function))

    def runs(self):
        return "running" in self.daemon.run("domstate", "web1")

    def test_each_kind(self):
        """It comes, is the guest's alone and is shown once, goes, and is as it was before."""
        self.make_pool()
        self.define_guest("web2", hostdev(self.function))
        for device, settings in self.kinds():
            with self.subTest(device=device):
                self.attach(device)
                self.assertEqual(lab.driver(self.function), "vfio-pci")
                self.assertEqual(self.shown(), 1)
                self.assertEqual(lab.settings()[0], settings)
                self.assertIn("domain 'web1' has it", self.refused_start("web2"))
                self.detach(device)
                self.assertEqual(self.shown(), 0)
                self.all_returned()
                self.assertEqual(self.ports(), [])

    def test_refused(self):
        """What another guest has is refused, and nothing is left of the attempt."""
        self.make_network("pool", source(self.function))
        self.define_guest("web2", hostdev(self.function))
        self.daemon.run("start", "web2")
        for device, settings in self.kinds():
            with self.assertRaises(TroupeError) as caught:
                self.attach(device)
            self.assertIn("domain 'web2' has it", caught.exception.message)
        self.assertEqual(self.shown(), 0)
        self.assertEqual(self.ports(), [])
        self.daemon.run("destroy", "web2")
        self.all_returned()

    def test_port_profile(self):
        """The card's driver knows no port profiles: the error says of which function and which profile, whether they are
        the interface's, its network's or its portgroup's, and MAC and driver are as before."""
        groups = ("<portgroup name='sales'><virtualport><parameters profileid='sales'/></virtualport></portgroup>"
                  "<portgroup name='plain' default='yes'/>")
        self.make_network("pool", source(self.function), profile("network") + groups)
        group = pooled("pool", MAC + "8").replace("network='pool'", "network='pool' portgroup='sales'")
        self.define_guest("web2", interface(self.function, MAC + "8", extra=profile("finance")))
        self.define_guest("web3", pooled("pool", MAC + "8"))
        for device, named, name in ((interface(self.function, MAC + "8", extra=profile("finance")), "finance", "web2"),
                                    (pooled("pool", MAC + "8"), "network", "web3"), (group, "sales", None),
                                    (pooled("pool", MAC + "8", profile("own")), "own", None)):
            with self.subTest(profile=named):
                with self.assertRaises(TroupeError) as caught:
                    self.attach(device)
                errors = [caught.exception.message] + ([self.refused_start(name).strip()] if name else [])
                for error in errors:
                    self.assertIn(f"function 0 of the card '{lab.card_interface()}' with the port profile '{named}': "
                                  "not supported: the card's driver knows no port profiles", error)
                    self.assertIn(self.function, error)
                    self.assertEqual(error.count("\n"), 0)
                self.all_returned()
                self.assertEqual(self.ports(), [])
        self.assertEqual(self.daemon.run("net-dumpxml", "pool").count("profileid="), 2)
        self.assertEqual(self.shown(), 0)
        self.daemon.run("destroy", "web1")
        self.all_returned()

    def test_never_twice(self):
        """What a guest has already it does not get from a pool, nor by itself, once more: it keeps the one that it has."""
        self.make_pool()
        own, other = self.functions[:2]
        self.attach(hostdev(own))
        self.attach(pooled("pool", MAC + "7", VIRTIO))
        self.assertEqual(self.device_of("web1"), other)
        self.detach(hostdev(own))
        with self.assertRaises(TroupeError) as caught:
            self.attach(hostdev(other))
        self.assertIn("has it already, as 'net0'", caught.exception.message)
        shown = self.info(other)
        self.assertEqual((shown["state"], shown["holder_name"]), ("detached", "web1"))
        self.daemon.run("destroy", "web1")
        self.all_returned()

    def test_lets_go_late(self):
        """The guest lets go after whoever asked has given up, while QEMU was stopped, and while no daemon runs."""
        device = interface(self.function, MAC + "3")
        self.attach(device)
        id = self.begin_to_detach(device, wait_ms=5000)
        self.assertEqual(self.client.wait(id, 120), {"gone": False})
        self.assertEqual((self.shown(), lab.settings()[0][0]), (1, MAC + "3"))
        self.daemon.run("resume", "web1")
        until(lambda: self.shown() == 0, what="its end")
        self.all_returned()

        self.attach(device)
        os.kill(self.qemu(), signal.SIGSTOP)
        with self.assertRaises(TroupeError):
            self.detach(device)
        self.assertEqual(lab.driver(self.function), "vfio-pci")
        os.kill(self.qemu(), signal.SIGCONT)
        until(lambda: self.shown() == 0, what="its end")
        self.all_returned()

    def test_qemu_killed(self):
        """QEMU ends while the guest is asked to let go."""
        self.make_pool()
        device = pooled("pool", MAC + "4", VIRTIO)
        self.attach(device)
        id = self.begin_to_detach(device)
        os.kill(self.qemu(), signal.SIGKILL)
        try:
            self.client.wait(id, 120)
        except TroupeError:
            pass  # it may have been the guest's end that it saw
        until(lambda: "shut off" in self.daemon.run("domstate", "web1"), what="the guest's end")
        self.all_returned()
        self.assertEqual(self.ports(), [])

    def test_killed_while_attaching(self):
        """The daemon is killed at each step before QEMU has it: nothing is left."""
        self.make_pool()
        for at, (device, settings) in zip(("before", "between", "after"), self.kinds()):
            with self.subTest(at=at, device=device):
                self.cut_off(at, "attach-device", "web1", self.write("device.xml", device))
                until(self.runs, what="the guest")
                self.all_returned()
                self.assertEqual(self.shown(), 0)
                self.assertEqual(self.ports(), [])
        self.attach(device)
        self.detach(device)
        self.all_returned()

    def test_killed_while_qemu_attaches(self):
        """The daemon is killed when it has told QEMU: QEMU decides."""
        self.make_pool()
        device = pooled("pool", MAC + "5", VIRTIO)
        os.kill(self.qemu(), signal.SIGSTOP)
        self.client.send("domain.device_attach", domain="web1", xml=device)
        until(lambda: "<plug " in self.status_of_guest(), what="the job's record")
        self.client.close()
        self.daemon.kill()
        os.kill(self.qemu(), signal.SIGCONT)
        self.daemon.start()
        self.client = self.daemon.client()
        nothing_half_done(self.client, "web1")
        self.assertTrue(self.runs())
        if self.shown():
            self.assertEqual(self.device_of("web1"), self.function)
            self.assertEqual(len(self.ports()), 1)
            self.detach(device)
        self.all_returned()
        self.assertEqual(self.ports(), [])

    def test_killed_while_detaching(self):
        """The daemon is killed while the guest is asked, and at each step of the way back."""
        device = interface(self.function, MAC + "6")
        self.attach(device)
        self.begin_to_detach(device)
        until(lambda: "<unplug" in self.status_of_guest(), what="the job's record")
        self.client.close()
        self.daemon.kill()
        self.daemon.start()
        self.client = self.daemon.client()
        self.assertEqual(self.shown(), 1)
        self.daemon.run("resume", "web1")
        #   QEMU may not have been told any more: then whoever wants it asks again.
        try:
            self.detach(device)
        except TroupeError as error:
            self.assertIn("there is no device", error.message)
        until(lambda: self.shown() == 0, what="its end")
        self.all_returned()
        for at in ("before", "between", "after"):
            self.attach(device)
            self.hold(at)
            self.detach(device)
            self.await_held(f"its return {at}")
            self.client.close()
            self.daemon.kill()
            self.go_on()
            self.daemon.start()
            self.client = self.daemon.client()
            self.all_returned()
            self.assertEqual(self.shown(), 0)

    def status_of_guest(self):
        texts = []
        for path in glob.glob(os.path.join(self.daemon.root, "run", "troupe", "**", "*.status"), recursive=True):
            with open(path) as file:
                texts.append(file.read())
        return "".join(texts)
