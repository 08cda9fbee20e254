"""Real guests under QEMU: the small Linux that tools/guest-kernel makes, and what tests do with it."""

import json
import os
import re
import signal
import subprocess
import unittest

from harness import PATIENCE, SOURCE, ClientTest, until
from troupe_client import NoAnswer, TroupeError

EMULATOR = "/usr/bin/qemu-system-x86_64"
FOLDER = os.path.join(SOURCE, "build", "guest")
UP = b"troupe guest is up"
#   TCG on a busy machine, beside other tests.
BOOT_SECONDS = 400
#   Linux counts ticks within a few milliseconds to see if its timer works, and panics if an emulator
#   was held up right then: no_timer_check.
KERNEL_ARGS = "console=ttyS0 quiet no_timer_check"
#   Those that say nothing about where a virtual CPU is.
REGISTERS = re.compile(r"[A-Z]S =|XMM|FPR|DR\d|[LG]DT|IDT|TR|EFER|FCW|$")


def require_guest():
    """Makes kernel and initramfs if they are not there; without QEMU the test is skipped, unless
    TROUPE_REQUIRE_GUEST says that it may not be."""
    required = os.environ.get("TROUPE_REQUIRE_GUEST")
    if not os.access(EMULATOR, os.X_OK):
        if required:
            raise AssertionError(f"{EMULATOR} is missing: apt-get install qemu-system-x86")
        raise unittest.SkipTest(f"there is no {EMULATOR}")
    made = subprocess.run(
        [os.path.join(SOURCE, "tools", "guest-kernel")], capture_output=True, text=True
    )
    if made.returncode:
        if required:
            raise AssertionError(made.stderr)
        raise unittest.SkipTest(made.stderr)


def qemu_domain(name, devices="<console type='pty'/>", extra="", memory_mib=128, **parts):
    """XML of a guest that boots in seconds. PARTS: machine, vcpus, current, uuid, emulator, kernel, type,
    initrd (the file's name)."""
    get = parts.get
    current = f" current='{get('current')}'" if get("current") else ""
    return f"""<domain type='{get("type", "qemu")}'>
  <name>{name}</name>
  {f"<uuid>{get('uuid')}</uuid>" if get("uuid") else ""}
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu{current}>{get("vcpus", 1)}</vcpu>
  <os>
    <type arch='x86_64' machine='{get("machine", "pc")}'>hvm</type>
    <kernel>{get("kernel", os.path.join(FOLDER, "vmlinuz"))}</kernel>
    <initrd>{os.path.join(FOLDER, get("initrd", "initrd.img"))}</initrd>
    <cmdline>{KERNEL_ARGS} troupe.hostname={name}</cmdline>
  </os>
  <features><acpi/></features>
  {extra}
  <devices>
    <emulator>{get("emulator", EMULATOR)}</emulator>
    {devices}
  </devices>
</domain>
"""


def processes_with(option, value):
    """Process ids of QEMUs that were given this option."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if option.encode() in words and value.encode() in words:
            found.append(int(pid))
    return found


def processes_of(uuid):
    """Process ids of the QEMU that runs the domain: none, or one."""
    return processes_with("-uuid", uuid)


def state_of(folder):
    """Of the thread with this folder in /proc; None: it has ended."""
    try:
        with open(f"{folder}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def stop_process(pid):
    """SIGSTOP: it is on its way for a while before all threads of the process have stopped."""

    def has_stopped():
        return all(state_of(f"/proc/{pid}/task/{thread}") == "T" for thread in os.listdir(f"/proc/{pid}/task"))

    os.kill(pid, signal.SIGSTOP)
    until(has_stopped, what=f"the stop of process {pid}")


class Guest:
    """One running guest and its console, on a connection of its own: a client that waits for one
    console's output passes over what else comes."""

    def __init__(self, test, uuid):
        self.uuid = uuid
        self.client = test.daemon.client(timeout=PATIENCE)
        test.addCleanup(self.client.close)
        self.console = None
        self.commands = 0

    def open(self):
        self.console = self.client.console(self.uuid)
        return self

    def wait_up(self):
        try:
            self.console.read_until(UP, BOOT_SECONDS)
            self.forget_up_to(UP)
            self.console.read_until(b"/ # ", BOOT_SECONDS)
        except NoAnswer as error:
            raise AssertionError(f"{error}\nIt does this instead:\n{self.doing()}") from None
        return self

    def wait_answer(self):
        """The same of one that somebody else started: by now it may have said so, to nobody."""

        def answers():
            self.type("echo an''swer")
            try:
                return self.console.read_until(b"answer", 5)
            except NoAnswer:
                return None

        until(answers, BOOT_SECONDS, "an answer from the guest's shell")
        return self

    def doing(self):
        """What keeps a guest busy that does not come up: QEMU's threads with the ticks that they
        ran, and twice where its virtual CPUs are."""
        said = [str(self.state())]
        for pid in processes_of(self.uuid):
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/stat") as file:
                    name, rest = file.read().rsplit(")", 1)
                said.append(f"{name}) {rest.split()[0]}, {rest.split()[11]} ticks")
        for command in ["info chardev", "info irq", "info registers -a", "info registers -a"]:
            told = self.client.call("domain.monitor_command", domain=self.uuid, command=command, hmp=True)
            said += [line for line in told["reply"].splitlines() if not REGISTERS.match(line)]
        return "\n".join(said)

    def forget(self):
        """What was printed up to now does not count any more."""
        self.console.output = b""

    def forget_up_to(self, text):
        self.console.output = self.console.output.split(text, 1)[1]

    def run(self, command):
        """What a command prints in the guest's shell."""
        self.commands += 1
        begin, end = f"<{self.commands}:", f":{self.commands}>"
        #   The echo of what is typed has the marks in two pieces.
        typed = f"echo '<''{begin[1:]}'\"$({command})\"'{end[:-1]}''>'\n"
        self.forget()
        self.console.write(typed.encode())
        self.console.read_until(begin.encode(), 60)
        text = self.console.read_until(end.encode(), 60).decode(errors="replace")
        return text.split(begin, 1)[1].split(end, 1)[0].replace("\r\n", "\n").strip()

    def reaches(self, whom):
        """Waits for an answer to a ping, which it tells. The first ones may be lost: a bridge listens and learns for some
        seconds before it lets a new port talk, and who is asked for his MAC has three."""

        def said():
            told = self.run(f"ping -c 1 -W 5 {whom}")
            return told if " 0% packet loss" in told else None

        return until(said, what=f"an answer of {whom}")

    def type(self, line):
        self.console.write(line.encode() + b"\n")

    def state(self):
        state = self.client.call("domain.state", domain=self.uuid)
        return state["state_text"], state["reason_text"]

    def wait_state(self, *wanted, timeout=PATIENCE):
        until(lambda: self.state() == wanted, timeout, f"{wanted} of {self.uuid}, not {self.state()},")

    def pid(self):
        found = processes_of(self.uuid)
        assert len(found) == 1, f"processes of {self.uuid}: {found}"
        return found[0]


class QemuTest(ClientTest):
    """Tests with a daemon of their own and real guests."""

    @classmethod
    def setUpClass(cls):
        require_guest()

    def start(self, name, **parts):
        """Defines and starts a guest, on hold."""
        uuid = self.client.call("domain.define", xml=qemu_domain(name, **parts))["uuid"]
        self.client.call("domain.create", domain=uuid, paused=True)
        return Guest(self, uuid)

    def boot(self, *names, **parts):
        """Guests that boot side by side, up to their shells."""
        guests = [self.start(name, **parts).open() for name in names]
        for guest in guests:
            self.client.call("domain.resume", domain=guest.uuid)
        return [guest.wait_up() for guest in guests]

    def has_begun(self, id, domain):
        """Waits until a job runs on the domain, or request ID, which is for one, is answered: it may be quick."""

        def job():
            return self.client.call("domain.job_info", domain=domain)["kind"] or id in self.client.answers

        until(job, what="the job")

    def abort_job(self, domain):
        """Unless it has come to its end."""
        try:
            self.client.call("domain.job_abort", domain=domain)
        except TroupeError as error:
            self.assertEqual(error.name, "VIR_ERR_OPERATION_INVALID", error.message)

    def lifecycle(self, count, timeout=PATIENCE):
        """So many lifecycle events, as (name, event, detail)."""
        events = []
        while len(events) < count:
            args = self.client.next_event("domain.lifecycle", timeout=timeout)["args"]
            events.append((args["name"], args["event_text"], args["detail_text"]))
        return events


AGENT_CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
AGENT_DEVICES = "<console type='pty'/>" + AGENT_CHANNEL


class AgentTest(QemuTest):
    """Tests of guests in which QEMU's guest agent runs."""

    def boot_agent(self, name, devices=AGENT_DEVICES, **parts):
        """A guest whose agent is there, and in sync."""
        (guest,) = self.boot(name, initrd="initrd-agent.img", devices=devices, **parts)
        self.wait_agent(guest, "connected")
        self.wait_answer(guest)
        return guest

    def wait_answer(self, guest):
        """The daemon waits for five seconds only until an agent that it has just found says something of use."""

        def answers():
            try:
                return self.ask(guest, "guest-ping") == {}
            except TroupeError:
                return False

        until(answers, BOOT_SECONDS, "the agent's answer")

    def boot_disk(self, name, **parts):
        """And that has a file system on a disk, /disk."""
        path = os.path.join(self.daemon.root, "disk.raw")
        with open(path, "wb") as file:
            file.truncate(16 << 20)
        disk = (
            "<disk type='file'><driver name='qemu' type='raw'/>"
            f"<source file='{path}'/><target dev='vda' bus='virtio'/></disk>"
        )
        return self.boot_agent(name, AGENT_DEVICES + disk, **parts)

    def agent_state(self, guest):
        return self.client.call("domain.info", domain=guest.uuid)["agent"]

    def wait_agent(self, guest, state, timeout=BOOT_SECONDS):
        until(lambda: self.agent_state(guest) == state, timeout, f"an agent that is {state}")

    def ask(self, guest, execute, arguments=None, seconds=60):
        """What the agent returns within so many seconds."""
        command = {"execute": execute, **({"arguments": arguments} if arguments else {})}
        asked = self.client.send(
            "domain.agent_command", domain=guest.uuid, command=json.dumps(command), timeout=seconds
        )
        return json.loads(self.client.wait(asked, seconds + 60)["reply"])["return"]

    def frozen(self, guest):
        return self.ask(guest, "guest-fsfreeze-status") == "frozen"
