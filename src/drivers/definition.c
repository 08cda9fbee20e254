//  definition.c: see definition.h.

#include "drivers/definition.h"

#include "drivers/net/link.h"
#include "util/text.h"

#include <string.h>

//  The order of elements in libvirt's documents.
static const char *const domain_order[] = {
    "name",        "uuid",        "genid",
    "title",       "description", "metadata",
    "maxMemory",   "memory",      "currentMemory",
    "blkiotune",   "memtune",     "memoryBacking",
    "vcpu",        "vcpus",       "iothreads",
    "iothreadids", "cputune",     "numatune",
    "resource",    "sysinfo",     "os",
    "features",    "cpu",         "clock",
    "on_poweroff", "on_reboot",   "on_crash",
    "pm",          "perf",        "devices",
    "seclabel",    NULL,
};
static const char *const device_order[] = {
    "emulator",    "disk",     "controller", "filesystem", "interface", "smartcard",
    "serial",      "parallel", "console",    "channel",    "input",     "tpm",
    "graphics",    "sound",    "audio",      "video",      "hostdev",   "redirdev",
    "redirfilter", "hub",      "watchdog",   "memballoon", "rng",       "panic",
    "shmem",       "memory",   "iommu",      "vsock",      NULL,
};

static const char *const network_order[] = {
    "name",   "uuid", "title", "description", "metadata", "forward", "bridge", "mtu",       "mac",
    "domain", "dns",  "vlan",  "bandwidth",   "port",     "ip",      "route",  "portgroup", NULL,
};

static int rank (const char *const *order, const char *name)
{
    int i = 0;
    while (order[i] && strcmp (order[i], name) != 0)
        i++;
    return i;
}

//  Documents need not have that order: what is new comes behind its like all the same, since
//  devices are counted in the order in which they stand.
xml_node_t *definition_insert (xml_node_t *parent, const char *name)
{
    const char *const *order = xml_is (parent, "domain")    ? domain_order
                               : xml_is (parent, "network") ? network_order
                                                            : device_order;
    int own = rank (order, name);
    xml_node_t *last = NULL;
    xml_foreach (like, parent, name)
        last = like;
    if (last) {
        xml_node_t *next = xml_next (last, NULL);
        return next ? xml_add_before (next, name) : xml_add (parent, name);
    }
    xml_foreach (child, parent, NULL)
        if (rank (order, xml_name (child)) > own)
            return xml_add_before (child, name);
    return xml_add (parent, name);
}

xml_node_t *definition_add (xml_node_t *parent, const xml_node_t *source)
{
    xml_node_t *place = definition_insert (parent, xml_name (source));
    xml_node_t *added = xml_copy_before (place, source);
    xml_remove (place);
    return added;
}

void definition_default (xml_node_t *node, const char *path, const char *value)
{
    if (!xml_string (node, path))
        xml_set (node, path, value);
}

//  libvirt's rule for aliases that users choose, and as short as a console's address needs it.
static bool is_user_alias (const char *alias)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789_-";
    return text_starts (alias, "ua-") && strspn (alias, characters) == strlen (alias) &&
           strlen (alias) <= ALIAS_MAX;
}

void definition_drop_alias (xml_node_t *device)
{
    const char *alias = xml_string (device, "alias/@name");
    if (alias && !is_user_alias (alias))
        xml_remove_path (device, "alias");
}

//  Identity.

static int complete_uuid (job_t *job, xml_node_t *root, error_t *err)
{
    char uuid[UUID_TEXT_SIZE];
    const char *text = xml_string (root, "uuid");
    if (text && !uuid_normalize (text, uuid))
        return error_set (err, ERR_XML_ERROR,
                          "%s XML: the uuid '%s' is none; leave <uuid> out and one is made",
                          xml_name (root), text);
    if (!text) {
        uint8_t random[16];
        job_random (job, random, sizeof random);
        uuid_from_random (random, uuid);
        definition_insert (root, "uuid");
    }
    if (!text || strcmp (text, uuid) != 0)
        xml_set (root, "uuid", uuid);
    return 0;
}

static int check_name (const xml_node_t *root, error_t *err)
{
    const char *name = xml_string (root, "name");
    if (!name || !*name)
        return error_set (err, ERR_NO_NAME, "%s XML: <name> is missing", xml_name (root));
    if (strchr (name, '/'))
        return error_set (err, ERR_XML_ERROR, "%s XML: the name '%s' has a '/' in it",
                          xml_name (root), name);
    if (strchr (name, '\n'))
        return error_set (err, ERR_XML_ERROR, "%s XML: the name '%s' has a newline in it",
                          xml_name (root), name);
    if (strcmp (name, ".") == 0 || strcmp (name, "..") == 0 || strlen (name) > 200)
        return error_set (err, ERR_XML_ERROR,
                          "%s XML: the name '%s' can't be the name of a log file", xml_name (root),
                          name);
    return 0;
}

int definition_complete_names (job_t *job, xml_node_t *root, error_t *err)
{
    return check_name (root, err) || complete_uuid (job, root, err) ? -1 : 0;
}

int definition_complete_identity (job_t *job, xml_node_t *domain, error_t *err)
{
    xml_remove_path (domain, "@id");
    if (definition_complete_names (job, domain, err))
        return -1;
    if (!xml_find (domain, "devices"))
        definition_insert (domain, "devices");
    return 0;
}

//  Size.

#define KIB 1024u

int definition_complete_size (xml_node_t *domain, const char *path, uint64_t *kib, error_t *err)
{
    uint64_t bytes = 0;
    if (xml_size (domain, path, "KiB", &bytes, err))
        return -1;
    *kib = bytes / KIB + (bytes % KIB ? 1 : 0);
    if (*kib > UINT64_MAX / KIB)
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: %s, in whole KiB, is more than 64 bits can count in bytes",
                          path);
    xml_node_t *node = xml_find (domain, path);
    if (node && !(xml_equals (node, "@unit", "KiB") && bytes % KIB == 0)) {
        xml_set_u64 (domain, path, *kib);
        xml_set (node, "@unit", "KiB");
    }
    return 0;
}

int definition_complete_memory (xml_node_t *domain, error_t *err)
{
    uint64_t memory = 0, current = 0;
    if (definition_complete_size (domain, "memory", &memory, err))
        return -1;
    if (!memory)
        return error_set (err, ERR_XML_ERROR, "domain XML: <memory> is missing or 0");
    if (definition_complete_size (domain, "currentMemory", &current, err))
        return -1;
    if (!xml_find (domain, "currentMemory"))
        definition_insert (domain, "currentMemory");
    //  As libvirt has it: more than there is means all of it. Without a balloon there is no way to
    //  give less.
    bool fixed = xml_equals (domain, "devices/memballoon/@model", "none");
    if (current == 0 || current > memory || fixed) {
        xml_set_u64 (domain, "currentMemory", memory);
        xml_set (domain, "currentMemory/@unit", "KiB");
    }
    return 0;
}

int definition_complete_vcpus (xml_node_t *domain, error_t *err)
{
    int vcpus = 1, current = 0;
    if (!xml_string (domain, "vcpu")) {
        if (!xml_find (domain, "vcpu"))
            definition_insert (domain, "vcpu");
        xml_set (domain, "vcpu", "1");
    }
    definition_default (domain, "vcpu/@placement", "static");
    if (xml_int (domain, "vcpu", 1, 65535, &vcpus, err) ||
        xml_int (domain, "vcpu/@current", 1, 65535, &current, err))
        return -1;
    if (current > vcpus)
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: <vcpu current='%d'> is more than the %d vcpus of the guest",
                          current, vcpus);
    if (current == vcpus)
        xml_remove_path (domain, "vcpu/@current");
    return 0;
}

void definition_complete_lifecycle (xml_node_t *domain)
{
    static const char *const defaults[][2] = {
        { "on_poweroff", "destroy" },
        { "on_reboot", "restart" },
        { "on_crash", "destroy" },
    };
    if (!xml_find (domain, "clock"))
        xml_set (definition_insert (domain, "clock"), "@offset", "utc");
    for (size_t i = 0; i < 3; i++) {
        if (xml_find (domain, defaults[i][0]))
            continue;
        xml_set (definition_insert (domain, defaults[i][0]), ".", defaults[i][1]);
    }
}

//  The prefix is registered to QEMU and KVM; libvirt's documents use it.
static void make_mac (job_t *job, xml_node_t *interface)
{
    uint8_t random[3];
    job_random (job, random, sizeof random);
    xml_node_t *first = xml_first (interface, NULL);
    xml_node_t *mac = first ? xml_add_before (first, "mac") : xml_add (interface, "mac");
    xml_setf (mac, "@address", "52:54:00:%02x:%02x:%02x", random[0], random[1], random[2]);
}

static int check_mac (const char *mac, error_t *err)
{
    static const uint8_t none[6];
    uint8_t bytes[6];
    if (link_mac_read (mac, bytes) && memcmp (bytes, none, sizeof none) != 0)
        return 0;
    return error_set (err, ERR_XML_ERROR,
                      "interface: its MAC '%s' is not of the form 52:54:00:12:34:56, or one for "
                      "multicast (an odd first byte), or none at all",
                      mac);
}

int definition_complete_mac (job_t *job, xml_node_t *interface, error_t *err)
{
    if (!xml_string (interface, "mac/@address"))
        make_mac (job, interface);
    return check_mac (xml_string (interface, "mac/@address"), err);
}

char *definition_pci_text (const xml_node_t *address)
{
    int domain = 0, bus = 0, slot = 0, function = 0;
    error_t ignored; //  it was checked
    xml_int (address, "@domain", 0, 0xffff, &domain, &ignored);
    xml_int (address, "@bus", 0, 0xff, &bus, &ignored);
    xml_int (address, "@slot", 0, 0x1f, &slot, &ignored);
    xml_int (address, "@function", 0, 7, &function, &ignored);
    return text_format ("%04x:%02x:%02x.%x", (unsigned) domain, (unsigned) bus, (unsigned) slot,
                        (unsigned) function);
}
