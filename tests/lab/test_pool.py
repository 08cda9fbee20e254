"""Virtual functions as guests' network interfaces, wanted as such or from the pool of a network: which MAC and VLAN
their card sets for them, who gets which, and that all is as before afterwards, whatever becomes of the daemon."""

import os
import signal

import lab
from devices import User, node
from guests import GuestTest, hostdev, interface, pooled, source
from harness import until

MAC = "52:54:00:70:00:0"


class Pool(GuestTest):
    def test_settings(self):
        """The card sets MAC, VLAN and trust for a guest's interface, and what it had set before afterwards."""
        mac = MAC + "1"
        self.define_guest("web1", interface(self.function, mac, extra="<vlan><tag id='42'/></vlan>",
                                            attributes=" trustGuestRxFilters='yes'"))
        self.daemon.run("start", "web1")
        self.assertEqual(lab.driver(self.function), "vfio-pci")
        self.assertEqual(self.device_of("web1"), self.function)
        self.assertEqual(lab.settings()[0], (mac, 42, True))
        self.assertEqual(lab.settings()[1:], self.before[1:])
        self.restart()
        until(lambda: "running" in self.daemon.run("domstate", "web1"), what="the guest")
        self.daemon.run("destroy", "web1")
        self.all_returned()
        self.daemon.run("start", "web1")
        self.assertEqual(lab.settings()[0], (mac, 42, True))
        os.kill(self.qemu(), signal.SIGKILL)
        self.all_returned()

    def test_unmanaged(self):
        """What stays detached gets its settings back all the same."""
        mac = MAC + "2"
        self.define_guest("web1", interface(self.function, mac, managed="no"))
        self.assertIn("is not managed", self.refused_start("web1"))
        self.assertEqual(lab.settings(), self.before)
        self.daemon.run("nodedev-detach", self.function)
        self.daemon.run("start", "web1")
        self.assertEqual(lab.settings()[0], (mac, 0, False))
        self.daemon.run("destroy", "web1")
        self.assertEqual(self.info(self.function)["state"], "detached")
        self.assertEqual(lab.settings()[0][1:], self.before[0][1:])
        self.daemon.run("nodedev-reattach", self.function)
        self.all_returned()

    def test_handed_on(self):
        """What goes straight on to the next guest keeps nothing of the last one: neither what the next does not say,
        nor anything at all for one that wants nothing set."""
        self.define_guest("web1", interface(self.function, MAC + "1", extra="<vlan><tag id='5'/></vlan>",
                                            attributes=" trustGuestRxFilters='yes'"))
        self.define_guest("web2", interface(self.function, MAC + "2", extra="<vlan><tag id='7'/></vlan>"))
        self.define_guest("plain", hostdev(self.function))
        self.daemon.run("start", "web1")
        self.assertEqual(lab.settings()[0], (MAC + "1", 5, True))
        self.hand_on("web1", "web2")
        self.assertEqual(lab.settings()[0], (MAC + "2", 7, False))
        self.hand_on("web2", "plain")
        self.assertEqual(lab.settings()[0][1:], self.before[0][1:])
        self.assertNotEqual(lab.settings()[0][0], MAC + "2")
        self.daemon.run("destroy", "plain")
        self.all_returned()

    def hand_on(self, last, following):
        """LAST ends, and the function is on its way back to the host when FOLLOWING takes it."""
        self.hold("before")
        self.daemon.run("destroy", last)
        self.await_held("the return")
        starting = self.client.send("domain.create", domain=following)
        self.await_held("its turn")
        self.go_on()
        self.client.wait(starting)

    def test_killed(self):
        """The daemon is killed at each step of a start, and of an end."""
        self.make_pool()
        self.define_guest("web1", pooled("pool", MAC + "3"))
        for at in ("before", "between", "after"):
            with self.subTest(command="start", at=at):
                self.cut_off(at, "start", "web1")
                self.all_returned()
                self.assertIn("shut off", self.daemon.run("domstate", "web1"))
                self.assertEqual(self.ports(), [])
        for at in ("before", "between", "after"):
            with self.subTest(command="destroy", at=at):
                self.daemon.run("start", "web1")
                self.cut_off(at, "destroy", "web1")
                self.all_returned()
                self.assertIn("shut off", self.daemon.run("domstate", "web1"))
                self.assertEqual(self.ports(), [])

    def test_six_for_three(self):
        """A pool of three, and six guests at once: three get one, and when they end, the others do."""
        self.make_pool(extra="<vlan><tag id='7'/></vlan>")
        names = [f"web{number}" for number in range(6)]
        for number, name in enumerate(names):
            self.define_guest(name, pooled("pool", f"{MAC}{number}"))
        outcomes = self.start_all(names)
        have = [name for name, outcome in zip(names, outcomes) if outcome is None]
        others = [name for name in names if name not in have]
        self.assertEqual(len(have), 3, outcomes)
        for outcome in outcomes:
            self.assertIn("all of its 3 devices are taken", outcome or "all of its 3 devices are taken")
        self.check_distinct(names, have)
        for name in have:
            self.daemon.run("destroy", name)
        self.assertEqual(self.ports(), [])
        self.assertEqual(self.start_all(others), [None] * 3)
        self.check_distinct(names, others)
        for name in others:
            self.daemon.run("destroy", name)
        self.all_returned()

    def check_distinct(self, names, have):
        """Each of HAVE has a function of its own, with its MAC and the network's VLAN."""
        devices = [self.device_of(name) for name in have]
        self.assertEqual(sorted(devices), sorted(self.functions))
        for name, device in zip(have, devices):
            self.assertEqual(lab.settings()[self.functions.index(device)],
                             (f"{MAC}{names.index(name)}", 7, False))

    def test_shown(self):
        """The running guest shows which device it has, once; the definition still names the pool."""
        self.make_pool()
        self.define_guest("web1", pooled("pool", MAC + "4"))
        self.daemon.run("start", "web1")
        live, definition = self.daemon.run("dumpxml", "web1"), self.daemon.run("dumpxml", "--inactive", "web1")
        self.assertIn("<interface type='hostdev' managed='yes'>", live)
        self.assertEqual(live.count(source(self.function)), 1)
        self.assertNotIn("<hostdev", live)
        self.assertIn("<driver name='vfio'/>", live)
        self.assertIn("<interface type='network'>", definition)
        self.assertNotIn("hostdev", definition)
        self.assertEqual(len(self.ports()), 1)
        self.daemon.run("destroy", "web1")
        self.all_returned()

    def test_next_one(self):
        """What somebody else has, or can't be bound, is passed over."""
        self.make_pool()
        self.define_guest("plain", hostdev(self.function))
        self.define_guest("web1", pooled("pool", MAC + "5"))
        self.define_guest("web2", pooled("pool", MAC + "6"))
        self.daemon.run("start", "plain")
        self.keep_from_vfio(self.functions[1])
        self.daemon.run("start", "web1")
        self.assertEqual(lab.driver(self.functions[1]), "igbvf")
        self.assertEqual(self.device_of("web1"), self.functions[2])
        error = self.refused_start("web2")
        self.assertRegex(error, "(all of its 3 devices are taken|no device of network 'pool' could be had)")
        self.assertEqual(len(self.ports()), 1)
        self.daemon.run("destroy", "plain")
        until(self.is_back, what="its return")
        self.define_guest("plain2", hostdev(self.functions[2]))
        self.assertIn("domain 'web1' has it", self.refused_start("plain2"))
        self.daemon.run("destroy", "web1")
        self.all_returned()

    def test_more_functions(self):
        """The card's functions when a guest wants one count, not those when the network was started."""
        lab.make_virtual_functions(1)
        self.make_pool()
        lab.make_virtual_functions(3)
        until(lambda: {node(each) for each in self.functions} <= set(self.daemon.run("nodedev-list").split()),
              what="the new functions")
        for number in range(2):
            self.define_guest(f"web{number}", pooled("pool", f"{MAC}{number}"))
            self.daemon.run("start", f"web{number}")
            self.assertEqual(self.device_of(f"web{number}"), self.functions[number])
        for number in range(2):
            self.daemon.run("destroy", f"web{number}")
        self.all_returned()

    def test_used_by_another(self):
        """What a program uses keeps its MAC, and is passed over; who wants it and no other is told the process."""
        self.make_pool()
        lab.bind(self.function, "vfio-pci")
        self.addCleanup(lab.bind, self.function, "\n")
        user = User(self.function)
        self.addCleanup(user.end)
        before = lab.settings()
        self.define_guest("plain", interface(self.function, MAC + "5"))
        self.define_guest("web1", pooled("pool", MAC + "6"))
        error = self.refused_start("plain")
        self.assertIn(f"process {user.process.pid} (python3) uses it", error)
        self.assertEqual(lab.settings(), before)
        self.assertFalse(os.path.exists(self.status))
        self.daemon.run("start", "web1")
        self.assertEqual(self.device_of("web1"), self.functions[1])
        self.assertEqual(lab.settings()[0], before[0])
        self.daemon.run("destroy", "web1")
        user.end()
        #   Now it is nobody's, and stays vfio-pci's.
        self.daemon.run("start", "plain")
        self.assertEqual(lab.settings()[0][0], MAC + "5")
        self.daemon.run("destroy", "plain")
        until(lambda: not os.path.exists(self.status), what="its return")
        self.assertEqual((lab.driver(self.function), lab.settings()[0]), ("vfio-pci", before[0]))

    def test_none_can_be_bound(self):
        """One line says what went wrong with each, and all is as before."""
        self.make_pool()
        self.define_guest("web1", pooled("pool", MAC + "5"))
        self.define_guest("web2", interface(self.function, MAC + "6"))
        self.keep_from_vfio(self.function)
        self.assertIn("vfio-pci did not take it", self.refused_start("web2"))
        self.all_returned()
        lab.unload("vfio_pci")
        self.addCleanup(lab.load, "vfio_pci")
        error = self.refused_start("web1")
        self.assertIn("no device of network 'pool' could be had", error)
        self.assertIn("the kernel has no driver vfio-pci: load it", error)
        self.assertEqual(self.ports(), [])
        self.all_returned()

    def test_two_pools(self):
        """The same function in two networks: one guest gets it, the other is told who has it."""
        for name in ("pool1", "pool2"):
            self.make_network(name, source(self.function))
        self.define_guest("web1", pooled("pool1", MAC + "7"))
        self.define_guest("web2", pooled("pool2", MAC + "8"))
        self.daemon.run("start", "web1")
        error = self.refused_start("web2")
        self.assertIn("no device of network 'pool2' could be had", error)
        self.assertIn("domain 'web1' has it", error)
        self.assertEqual(self.ports("pool2"), [])
        self.daemon.run("destroy", "web1")
        self.daemon.run("start", "web2")
        self.daemon.run("destroy", "web2")
        self.all_returned()

    def test_refused(self):
        """What such an interface can't have is refused with the definition."""
        self.make_pool()
        for devices, text in (
            (interface(lab.TWINS[0], MAC + "9"), "is no virtual function"),
            (interface(lab.CARD, MAC + "9"), "virtual functions"),
            (pooled("pool", MAC + "9", "<link state='down'/>"), "link of an interface of type 'hostdev'"),
            (pooled("pool", MAC + "9", "<bandwidth><inbound average='1'/></bandwidth>"), "bandwidth"),
        ):
            self.define_guest("web1", devices)
            self.assertIn(text, self.refused_start("web1"))
            self.daemon.run("undefine", "web1")
        self.assertEqual(lab.driver(lab.CARD), "igb")
        self.assertEqual(self.ports(), [])
        self.all_returned()
