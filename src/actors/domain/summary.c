//  summary.c: see summary.h.

#include "actors/domain/summary.h"

#include "drivers/net/network_xml.h"
#include "drivers/tune/tune.h"

#include <czmq.h>

//  Attributes that only those may read who may write (libvirt: VIR_DOMAIN_XML_SECURE).
static const char *const secrets[] = { "passwd", "passwdValidTo" };

bool summary_remove_secrets (xml_node_t *domain)
{
    bool found = false;
    xml_foreach (graphics, xml_find (domain, "devices"), "graphics")
        for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
            char path[32];
            snprintf (path, sizeof path, "@%s", secrets[i]);
            if (xml_string (graphics, path)) {
                found = true;
                xml_remove_path (graphics, path);
            }
        }
    return found;
}

static void pack_texts (pack_t *pack, const xml_t *domain)
{
    autofree char *secure = xml_text (domain);
    auto(xml_t) public = xml_copy (domain);
    bool differs = summary_remove_secrets (xml_root (public));
    autofree char *text = differs ? xml_text (public) : NULL;
    pack_key_str (pack, "xml", differs ? text : secure);
    pack_key_str (pack, "xml_secure", differs ? secure : NULL);
}

char *summary_public_text (const xml_t *domain)
{
    auto(xml_t) public = xml_copy (domain);
    summary_remove_secrets (xml_root (public));
    return xml_text (public);
}

static uint64_t number_or (const xml_node_t *node, const char *path, uint64_t otherwise)
{
    error_t ignored; //  the driver's check has seen it
    uint64_t number = otherwise;
    return xml_u64 (node, path, &number, &ignored) ? otherwise : number;
}

static uint64_t kib_or (const xml_node_t *node, const char *path, uint64_t otherwise)
{
    error_t ignored;
    uint64_t bytes = otherwise * 1024;
    return xml_size (node, path, "KiB", &bytes, &ignored) ? otherwise : bytes / 1024;
}

static void pack_numbers (pack_t *pack, const xml_node_t *root)
{
    uint64_t max_vcpus = number_or (root, "vcpu", 1);
    uint64_t max_memory = kib_or (root, "memory", 0);
    pack_key_str (pack, "type", xml_string (root, "@type"));
    pack_key_str (pack, "os_type", xml_string (root, "os/type"));
    pack_key_u64 (pack, "max_vcpus", max_vcpus);
    pack_key_u64 (pack, "vcpus", number_or (root, "vcpu/@current", max_vcpus));
    pack_key_u64 (pack, "max_memory_kib", max_memory);
    pack_key_u64 (pack, "memory_kib", kib_or (root, "currentMemory", max_memory));
}

//  Of two in one namespace the first counts: a file that somebody edited may have them, and a map
//  may not have a key twice.
static void pack_elements (pack_t *pack, const xml_node_t *metadata)
{
    zhashx_t *seen = zhashx_new ();
    assert (seen);
    pack_key_map (pack, "elements");
    xml_foreach (element, metadata, NULL) {
        const char *uri = xml_namespace (element);
        if (!uri || zhashx_insert (seen, uri, seen))
            continue;
        autofree char *text = xml_node_text (element);
        pack_key_str (pack, uri, text);
    }
    pack_end (pack);
    zhashx_destroy (&seen);
}

static void pack_metadata (pack_t *pack, const xml_node_t *root)
{
    pack_key_map (pack, "metadata");
    pack_key_str (pack, "title", xml_string (root, "title"));
    pack_key_str (pack, "description", xml_string (root, "description"));
    pack_elements (pack, xml_find (root, "metadata"));
    pack_end (pack);
}

static void pack_consoles (pack_t *pack, const xml_node_t *root)
{
    pack_key_array (pack, "consoles");
    xml_foreach (device, xml_find (root, "devices"), NULL)
        if ((xml_is (device, "serial") || xml_is (device, "console")) &&
            xml_string (device, "alias/@name"))
            pack_str (pack, xml_string (device, "alias/@name"));
    pack_end (pack);
}

static void pack_interfaces (pack_t *pack, const xml_node_t *root)
{
    pack_key_array (pack, "interfaces");
    xml_foreach (interface, xml_find (root, "devices"), "interface") {
        const char *mac = xml_string (interface, "mac/@address");
        if (!mac)
            continue;
        pack_map (pack);
        pack_key_str (pack, "name", xml_string (interface, "target/@dev"));
        pack_key_str (pack, "mac", mac);
        pack_end (pack);
    }
    pack_end (pack);
}

//  What drivers have to see of a device in the owner: of disks their names and places only, of
//  memory how much of it the guest took, of most others that they are there.
static void add_device (xml_node_t *devices, const xml_node_t *device)
{
    static const char *const whole[] = { "serial", "console", "channel" };
    static const char *const names[] = { "target", "alias", "source" };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (xml_is (device, whole[i])) {
            xml_add_copy (devices, device);
            return;
        }
    bool disk = xml_is (device, "disk");
    const xml_node_t *taken =
        xml_is (device, "memory") ? xml_find (device, "target/current") : NULL;
    xml_node_t *added =
        disk || xml_first (device, "alias") ? xml_add (devices, xml_name (device)) : NULL;
    for (size_t i = 0; added && i < sizeof names / sizeof *names; i++)
        if (xml_first (device, names[i]) && (disk || i == 1))
            xml_add_copy (added, xml_first (device, names[i]));
    if (added && taken)
        xml_add_copy (xml_add (added, "target"), taken);
}

static bool is_outlined (const xml_node_t *element)
{
    static const char *const plain[] = { "name",        "uuid",      "vcpu",    "vcpus",
                                         "on_poweroff", "on_reboot", "on_crash" };
    //  The behaviour of simulated guests is in a namespace of its own.
    if (xml_namespace (element))
        return true;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (xml_is (element, plain[i]))
            return true;
    return false;
}

static void pack_outline (pack_t *pack, const xml_node_t *root)
{
    error_t err;
    auto(xml_t) outline = xml_parse ("<domain/>", strlen ("<domain/>"), "outline", &err);
    assert (outline);
    xml_foreach (element, root, NULL)
        if (is_outlined (element))
            xml_add_copy (xml_root (outline), element);
    xml_node_t *devices = xml_add (xml_root (outline), "devices");
    xml_foreach (device, xml_find (root, "devices"), NULL)
        add_device (devices, device);
    autofree char *text = xml_text (outline);
    pack_key_str (pack, "outline", text);
}

//  A network has neither secrets nor devices.
static void pack_network (pack_t *pack, const xml_t *network)
{
    autofree char *text = xml_text (network);
    pack_map (pack);
    pack_key_str (pack, "xml", text);
    pack_key_str (pack, "bridge", xml_string (xml_root (network), "bridge/@name"));
    pack_key_str (pack, "own_bridge", network_own_bridge (xml_root (network)));
    pack_metadata (pack, xml_root (network));
    pack_end (pack);
}

void summary_pack (pack_t *pack, const xml_t *domain)
{
    if (!domain) {
        pack_nil (pack);
        return;
    }
    const xml_node_t *root = xml_root (domain);
    if (xml_is (root, "network")) {
        pack_network (pack, domain);
        return;
    }
    pack_map (pack);
    pack_texts (pack, domain);
    pack_numbers (pack, root);
    pack_metadata (pack, root);
    pack_consoles (pack, root);
    pack_interfaces (pack, root);
    pack_key (pack, "tune");
    tune_pack (pack, root);
    pack_outline (pack, root);
    pack_end (pack);
}
