"""What a running QEMU has of devices, and of what is behind them."""

import json


def qmp(client, domain, command, **arguments):
    told = {"execute": command, **({"arguments": arguments} if arguments else {})}
    reply = client.call("domain.monitor_command", domain=domain, command=json.dumps(told))["reply"]
    return json.loads(reply)["return"]


def children(client, domain, path):
    listed = qmp(client, domain, "qom-list", path=path)
    return {each["name"] for each in listed if each["type"].startswith("child")}


def netdevs(client, domain):
    """By the human monitor, which alone lists them: "net0: ..." and below a card " \\ hostnet0: ..."."""
    told = client.call("domain.monitor_command", domain=domain, command="info network", hmp=True)["reply"]
    names = (line.lstrip(" \\").split(":")[0] for line in told.splitlines() if line.strip())
    return {name for name in names if name.startswith("host")}


def has(client, domain):
    return {
        "devices": children(client, domain, "/machine/peripheral"),
        "objects": children(client, domain, "/objects"),
        "chardevs": {each["label"] for each in qmp(client, domain, "query-chardev")},
        "nodes": {each["node-name"] for each in qmp(client, domain, "query-named-block-nodes", flat=True)},
        "netdevs": netdevs(client, domain),
    }
