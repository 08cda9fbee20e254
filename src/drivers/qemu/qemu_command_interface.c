//  qemu_command_interface.c: network interfaces: the host's side (-netdev) and the guest's card.

#include "drivers/qemu/qemu_command_parts.h"

#include <string.h>

static void add_user_address (json_t *netdev, const xml_node_t *interface)
{
    xml_foreach (ip, interface, "ip") {
        const char *address = xml_string (ip, "@address"), *prefix = xml_string (ip, "@prefix");
        if (!address)
            continue;
        if (!xml_equals (ip, "@family", "ipv6")) {
            autofree char *net = text_format ("%s/%s", address, prefix ? prefix : "24");
            json_object_set_new (netdev, "net", json_string (net));
        } else {
            json_object_set_new (netdev, "ipv6-prefix", json_string (address));
            command_number (netdev, "ipv6-prefixlen", ip, "@prefix");
        }
    }
}

static void add_virtio (json_t *json, const xml_node_t *interface)
{
    const char *mode = xml_string (interface, "driver/@txmode");
    if (mode)
        json_object_set_new (json, "tx",
                             json_string (strcmp (mode, "iothread") == 0 ? "bh" : "timer"));
    command_flag (json, "ioeventfd", interface, "driver/@ioeventfd");
    command_flag (json, "event_idx", interface, "driver/@event_idx");
    command_number (json, "rx_queue_size", interface, "driver/@rx_queue_size");
    command_number (json, "tx_queue_size", interface, "driver/@tx_queue_size");
    command_number (json, "host_mtu", interface, "mtu/@size");
}

static void add_rom (json_t *json, const xml_node_t *interface)
{
    if (xml_equals (interface, "rom/@enabled", "no"))
        json_object_set_new (json, "romfile", json_string (""));
    if (xml_string (interface, "rom/@bar"))
        json_object_set_new (json, "rombar", json_integer (xml_flag (interface, "rom/@bar", true)));
    command_string (json, "romfile", interface, "rom/@file");
}

int qemu_command_interface (command_t *self, const xml_node_t *interface, error_t *err)
{
    autofree char *id = text_format ("host%s", qemu_alias (interface));
    json_t *netdev = json_pack ("{s:s, s:s}", "type", xml_string (interface, "@type"), "id", id);
    add_user_address (netdev, interface);
    command_json (self, "-netdev", netdev);

    json_t *json = command_model (self, interface, err);
    if (!json)
        return -1;
    json_object_set_new (json, "netdev", json_string (id));
    command_string (json, "mac", interface, "mac/@address");
    int index = command_bootindex (self, interface);
    if (index)
        json_object_set_new (json, "bootindex", json_integer (index));
    if (text_starts (qemu_model_name (interface), "virtio"))
        add_virtio (json, interface);
    add_rom (json, interface);
    command_json (self, "-device", json);
    return 0;
}
