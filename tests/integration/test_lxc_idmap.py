"""Containers whose users are others on the host (<idmap>)."""

import os
import unittest

from harness import until
from netns import InNamespace
from test_lxc import ContainerTest
from test_lxc_network import interface
from troupe_client import TroupeError

UID, GID = 100000, 300000
IDMAP = f"""<idmap><uid start='0' target='{UID}' count='2000'/><uid start='5000' target='{UID + 5000}' count='1'/>
    <gid start='0' target='{GID}' count='2000'/></idmap>"""


def give(root):
    """All of ROOT to the container's root."""
    for at, folders, files in os.walk(root):
        for name in [at, *(os.path.join(at, name) for name in folders + files)]:
            os.lchown(name, UID, GID)


class Mapped(InNamespace, ContainerTest):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("user namespaces for others need root")
        super().setUp()
        give(self.root)

    def shell(self, devices="<console type='pty'/>", **parts):
        uuid = self.start("web1", devices=devices, extra=IDMAP, **parts)
        return uuid, self.console("web1")

    def test_root_of_nothing(self):
        """Inside it is root, with a network, devices and terminals; outside it is somebody without rights."""
        shared = os.path.join(self.daemon.root, "shared")
        os.mkdir(shared)
        os.chown(shared, UID + 1000, GID + 1001)
        for name, owner in (("mine", UID), ("of-nobody", 12)):
            path = os.path.join(shared, name)
            with open(path, "w") as file:
                file.write(name)
            os.chown(path, owner, owner)
            os.chmod(path, 0o600)
        os.mknod(os.path.join(shared, "zero"), 0o20666, os.makedev(1, 5))
        uuid, shell = self.shell(
            devices=interface("bridge", "bridge='br0'") + f"""<console type='pty'/><console type='pty'/>
            <filesystem><source dir='{shared}'/><target dir='/data'/></filesystem>
            <filesystem><source dir='{shared}'/><target dir='/ro'/><readonly/></filesystem>
            <filesystem type='ram'><source usage='1' units='MiB'/><target dir='/run'/></filesystem>""",
            features="<capabilities><sys_admin state='on'/><mknod state='on'/></capabilities>",
        )  # fmt: skip
        init = self.init(uuid)
        self.assertEqual(os.stat(f"/proc/{init}").st_uid, UID)
        self.assertEqual(shell.run("id -u; id -g"), ("0\n0", 0))
        self.assertEqual(
            [line.split() for line in shell.run("cat /proc/self/uid_map")[0].split("\n")],
            [["0", str(UID), "2000"], ["5000", str(UID + 5000), "1"]],
        )
        self.assertEqual(shell.run("cat /proc/1/comm; hostname"), ("sh\nweb1", 0))

        #   Files are the users' that the map says.
        self.assertEqual(shell.run("touch /root/new /run/new; chown 1000:1001 /root/new"), ("", 0))
        made = os.stat(os.path.join(self.root, "root", "new"))
        self.assertEqual((made.st_uid, made.st_gid), (UID + 1000, GID + 1001))
        self.assertEqual(shell.run("stat -c %u:%g /data /run /dev /dev/null /proc/1")[0].split(), ["1000:1001"] + 4 * ["0:0"])
        self.assertEqual(shell.run("cat /data/of-nobody")[1], 1)

        #   Devices, terminals and links.
        self.assertEqual(shell.run("head -c 3 /dev/zero | wc -c; echo x >/dev/null; tty"), ("3\n/dev/pts/0", 0))
        self.assertEqual(shell.run("stat -c %u:%g:%a /dev/pts/0 /dev/pts/1")[0].split(), 2 * ["0:0:600"])
        self.assertEqual(shell.run("ip link set eth0 name net1; ip address add 10.9.0.2/24 dev net1"), ("", 0))
        self.assertEqual(shell.run("mount -t tmpfs none /tmp && umount /tmp"), ("", 0))  # its own, by sys_admin

        #   What it may not, even so.
        for attempt in (
            "mknod /tmp/disk b 254 0", "mknod /dev/disk c 1 1", "mount -o remount,rw /ro && touch /ro/x",
            "mount -o remount,rw,bind /ro", "head -c 1 /data/zero", "mount -o remount,dev,bind /data",
            "umount /proc/sys", "umount /proc/kcore", "umount /ro", "cat /proc/kcore",
            "echo b >/proc/sysrq-trigger", "echo x >/proc/sys/kernel/core_pattern", "mount -t sysfs none /tmp && echo 1 >/tmp/kernel/mm/ksm/run",
            "nsenter -t 1 -m chroot /proc/1/root/../.. ls /tmp/troupe", "dmesg", "insmod /tmp/x.ko", "adjtimex -f 1",
            "su -s /bin/sh web -c 'cat /data/mine'", "chown 3000 /root/new",
        ):  # fmt: skip
            output, status = shell.run(attempt)
            self.assertNotEqual(status, 0, f"{attempt}: {output}")
        self.assertNotIn(self.daemon.root, shell.run("cat /proc/self/mountinfo | cut -d' ' -f5")[0])
        self.assertEqual(shell.run("ls /proc/1/fd | grep -v -x '[012]'"), ("", 1))
        self.daemon.run("destroy", "web1")
        self.assertNothingLeft()

    def test_life(self):
        """Reboot, adoption and shutdown are as without; the network's link stays over a reboot."""
        self.client.call("event.subscribe", verbs=["domain.reboot"])
        uuid, shell = self.shell(devices=interface("bridge", "bridge='br0'") + "<console type='pty'/>")
        first = self.init(uuid)
        space = os.readlink(f"/proc/{first}/ns/user")
        self.assertEqual(shell.run("ip address add 10.9.0.2/24 dev eth0; mount -t tmpfs none /tmp")[1], 1)
        shell.type("reboot -f")
        self.client.next_event("domain.reboot")
        shell = self.console("web1")
        self.assertIn("10.9.0.2", shell.run("ip address show eth0")[0])
        self.assertNotEqual(self.init(uuid), first)
        self.assertEqual(os.readlink(f"/proc/{self.init(uuid)}/ns/user"), space)
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(shell.run("id -u"), ("0", 0))
        self.assertEqual(self.state("web1"), "running (booted)")
        shell.type("poweroff -f")
        until(lambda: self.state("web1") == "shut off (shutdown)", what="its end")
        self.assertNothingLeft()

    def test_devices(self):
        """Nodes of the host that it is given work, those that it has not been given don't exist."""
        character = "/dev/fuse" if os.path.exists("/dev/fuse") else "/dev/net/tun"
        kinds = [("misc", f"<char>{character}</char>", character, "character special file")]
        block = next((path for path in ("/dev/loop0", "/dev/vda", "/dev/sda") if os.path.exists(path)), None)
        if block:
            kinds.append(("storage", f"<block>{block}</block>", block, "block special file"))
        devices = "".join(
            f"<hostdev mode='capabilities' type='{kind}'><source>{source}</source></hostdev>" for kind, source, *_ in kinds
        )
        _, shell = self.shell(devices="<console type='pty'/>" + devices)
        for _, _, path, kind in kinds:
            number = os.stat(path).st_rdev
            self.assertEqual(
                shell.run(f"stat -c '%u:%a:%t:%T:%F' {path}")[0],
                f"0:600:{os.major(number):x}:{os.minor(number):x}:{kind}",
            )
            self.assertEqual(shell.run(f"exec 5<{path} && echo open"), ("open", 0))
        self.daemon.run("destroy", "web1")
        self.define("web1", devices=devices.replace(character, "/dev/none"))
        with self.assertRaisesRegex(TroupeError, "hostdev '/dev/none': No such file"):
            self.client.call("domain.create", domain="web1")
        source = "<source><char>/dev/shm/..x</char></source>"
        with self.assertRaisesRegex(TroupeError, "a '/dev/shm/..x' of its own"):
            self.define("web2", devices=f"<hostdev mode='capabilities' type='misc'>{source}</hostdev>")
        if block:
            source = f"<source><char>{block}</char></source>"
            self.define("web1", devices=f"<hostdev mode='capabilities' type='misc'>{source}</hostdev>")
            with self.assertRaisesRegex(TroupeError, f"hostdev '{block}': it is no character device"):
                self.client.call("domain.create", domain="web1")
        self.assertNothingLeft()

    def test_users(self):
        """An init that is no root; one that nobody is; without a network of its own."""
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        uuid, shell = self.shell(os_extra="<inituser>web</inituser>")
        self.assertEqual(shell.run("/bin/busybox id"), ("uid=1000(web) gid=1001(web)", 0))
        status = os.stat(f"/proc/{self.init(uuid)}")
        self.assertEqual((status.st_uid, status.st_gid), (UID + 1000, GID + 1001))
        self.daemon.run("destroy", "web1")
        self.define("web1", extra=IDMAP, os_extra="<inituser>2000</inituser>")
        with self.assertRaisesRegex(TroupeError, "os/inituser: <idmap> has no id 2000"):
            self.client.call("domain.create", domain="web1")
        self.assertNothingLeft()


if __name__ == "__main__":
    unittest.main()
