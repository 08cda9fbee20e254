//  qemu_complete_interface.c: completes and checks network interfaces.

#include "drivers/qemu/command/qemu_complete_parts.h"
#include "drivers/definition.h"
#include "drivers/net/link.h"
#include "drivers/net/virtualport.h"
#include "drivers/qemu/qemu_interface.h"
#include "util/text.h"

#include <string.h>

enum {
    QUEUES_MAX = 16
};

//  What may be said of an interface of one type.
enum {
    MAY_LIMIT = 1,    //  <bandwidth>
    MAY_ISOLATE = 2,  //  <port isolated=...>
    MAY_NAME = 4,     //  <target dev=...>
    MAY_QUEUE = 8,    //  <driver queues=...> and name='vhost'
    MAY_ADDRESS = 16, //  <ip> of the guest
    MAY_SIZE = 32,    //  <mtu>
    MAY_UNPLUG = 64   //  <link state='down'>
};

static const struct {
    const char *type;
    const char *needs[3]; //  attributes, NULL after the last
    unsigned may;
} types[] = {
    { "user", { NULL }, MAY_ADDRESS | MAY_SIZE | MAY_UNPLUG },
    { "bridge",
      { "source/@bridge", NULL },
      MAY_LIMIT | MAY_ISOLATE | MAY_NAME | MAY_QUEUE | MAY_SIZE | MAY_UNPLUG },
    { "network",
      { "source/@network", NULL },
      MAY_LIMIT | MAY_ISOLATE | MAY_NAME | MAY_QUEUE | MAY_SIZE | MAY_UNPLUG },
    { "direct", { "source/@dev", NULL }, MAY_LIMIT | MAY_NAME | MAY_QUEUE | MAY_SIZE | MAY_UNPLUG },
    { "ethernet", { NULL }, MAY_LIMIT | MAY_NAME | MAY_QUEUE | MAY_SIZE | MAY_UNPLUG },
    { "vhostuser", { "source/@path", "source/@mode", NULL }, MAY_QUEUE | MAY_SIZE | MAY_UNPLUG },
    { "hostdev", { NULL }, 0 },
};

enum {
    TYPES = sizeof types / sizeof *types
};

static const struct {
    unsigned may;
    const char *path;
} parts[] = {
    { MAY_LIMIT, "bandwidth" }, { MAY_ISOLATE, "port/@isolated" }, { MAY_NAME, "target/@dev" },
    { MAY_ADDRESS, "ip" },      { MAY_QUEUE, "driver/@queues" },   { MAY_SIZE, "mtu" },
    { MAY_UNPLUG, "link" },
};

static bool has (const xml_node_t *interface, const char *path)
{
    return strchr (path, '@') ? xml_string (interface, path) != NULL
                              : xml_find (interface, path) != NULL;
}

static int missing (const xml_node_t *interface, const char *path, error_t *err)
{
    return error_set (err, ERR_XML_ERROR, "domain XML: an interface of type '%s' needs a %s",
                      xml_string (interface, "@type"), path);
}

static int check_type (const xml_node_t *interface, error_t *err)
{
    size_t type = 0;
    while (type < TYPES && !xml_equals (interface, "@type", types[type].type))
        type++;
    if (type == TYPES)
        return error_set (err, ERR_XML_ERROR, "domain XML: an interface has no type");
    for (size_t i = 0; types[type].needs[i]; i++)
        if (!xml_string (interface, types[type].needs[i]))
            return missing (interface, types[type].needs[i], err);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (has (interface, parts[i].path) && !(types[type].may & parts[i].may))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: %s of an interface of type '%s'", parts[i].path,
                              types[type].type);
    if (xml_equals (interface, "driver/@name", "vhost") && !(types[type].may & MAY_NAME))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <driver name='vhost'/> of an interface of type '%s'",
                          types[type].type);
    return 0;
}

static bool is_virtio (const xml_node_t *interface)
{
    const char *model = xml_string (interface, "model/@type");
    return model && text_starts (model, "virtio");
}

static int check_driver (const xml_node_t *interface, error_t *err)
{
    int queues = 1;
    if (xml_int (interface, "driver/@queues", 1, QUEUES_MAX, &queues, err))
        return -1;
    if (xml_equals (interface, "driver/@name", "vfio"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <driver name='vfio'/> of an interface of type '%s'",
                          xml_string (interface, "@type"));
    if (is_virtio (interface))
        return 0;
    if (queues > 1 || xml_equals (interface, "driver/@name", "vhost") ||
        xml_equals (interface, "@type", "vhostuser"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: vhost, or several queues, of an interface of the model "
                          "'%s'; use <model type='virtio'/>",
                          xml_string (interface, "model/@type"));
    return 0;
}

//  A virtual function has one tag.
static int check_vlan (const xml_node_t *interface, error_t *err)
{
    const xml_node_t *vlan = xml_find (interface, "vlan");
    size_t tags = 0;
    int tag = 0;
    xml_foreach (each, vlan, "tag")
        tags++;
    if (vlan && tags != 1)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <vlan> of an interface with %zu tags; one is", tags);
    if (vlan && (!xml_string (vlan, "tag/@id") || xml_int (vlan, "tag/@id", 1, 4094, &tag, err)))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: <vlan> of an interface: the id of a tag is 1 to 4094");
    return 0;
}

//  The card behind it is the host's.
static int complete_hostdev (completion_t *self, xml_node_t *interface, error_t *err)
{
    return check_vlan (interface, err) || qemu_complete_host_device (self, interface, err) ||
                   qemu_check_host_interface (interface, err)
               ? -1
               : 0;
}

int qemu_check_host_interface (const xml_node_t *interface, error_t *err)
{
    const xml_node_t *driver = xml_find (interface, "driver");
    const char *name;
    if (check_type (interface, err) || virtualport_check_whole (interface, err))
        return -1;
    for (size_t i = 0; driver && (name = xml_attribute (driver, i)); i++)
        if (strcmp (name, "name") != 0)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: <driver %s='...'/> of an interface that is a device "
                              "of the host",
                              name);
    if (driver && !xml_equals (driver, "@name", "vfio"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <driver name='%s'/> of an interface that is a device of "
                          "the host; vfio is",
                          xml_string (driver, "@name"));
    return 0;
}

static const char *const modes[][6] = {
    { "direct", "vepa", "bridge", "private", "passthrough", NULL },
    { "vhostuser", "client", "server", NULL },
};

static int check_mode (const xml_node_t *interface, error_t *err)
{
    const char *mode = xml_string (interface, "source/@mode");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (!xml_equals (interface, "@type", modes[i][0]))
            continue;
        for (size_t j = 1; modes[i][j]; j++)
            if (text_equals (modes[i][j], mode))
                return 0;
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <source mode='%s'/> of an interface of type '%s'", mode,
                          modes[i][0]);
    }
    return 0;
}

static void complete_model (completion_t *self, xml_node_t *interface)
{
    static const char *const defaults[] = { "rtl8139", "e1000", "virtio" };
    for (size_t i = 0; i < 3 && !xml_string (interface, "model/@type"); i++)
        if (i == 2 || qemu_caps_device (self->caps, defaults[i]))
            xml_set (interface, "model/@type", defaults[i]);
}

int qemu_complete_interface (completion_t *self, xml_node_t *interface, error_t *err)
{
    if (definition_complete_mac (self->job, interface, err))
        return -1;
    interface_forget (interface);
    if (xml_equals (interface, "@type", "hostdev"))
        return complete_hostdev (self, interface, err);
    complete_model (self, interface);
    if (xml_equals (interface, "@type", "direct"))
        qemu_default (interface, "source/@mode", "vepa");
    bool failed = check_type (interface, err) || check_vlan (interface, err) ||
                  check_driver (interface, err) || interface_check (interface, err) ||
                  check_mode (interface, err) ||
                  virtualport_check (interface, "domain XML: an interface", err);
    return failed ? -1 : 0;
}
