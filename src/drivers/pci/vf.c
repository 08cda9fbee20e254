//  vf.c: see vf.h.

#include "drivers/pci/vf.h"

#include "drivers/pci/pci_device.h"
#include "drivers/pci/sysfs.h"
#include "util/uuid.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    VLAN_MAX = 4095,
    QOS_MAX = 7
};

#define MAC_FORMAT "%2" SCNx8 ":%2" SCNx8 ":%2" SCNx8 ":%2" SCNx8 ":%2" SCNx8 ":%2" SCNx8 "%n"

static bool read_mac (const char *text, uint8_t mac[6])
{
    int end = 0;
    return sscanf (text, MAC_FORMAT, &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5], &end) ==
               6 &&
           !text[end];
}

//  The port profile as text.

//  Not a part's end, nor what a file or a log could not hold.
static bool is_plain (char c)
{
    return isascii (c) && isgraph ((unsigned char) c) && c != '%' && c != ',';
}

static size_t put_profile (const char *profile, char *text, size_t size)
{
    size_t used = 0;
    for (; *profile; profile++)
        used += (size_t) snprintf (text + used, size - used, is_plain (*profile) ? "%c" : "%%%02x",
                                   (unsigned char) *profile);
    return used;
}

static bool take_profile (const char *text, char profile[VF_PROFILE_SIZE])
{
    size_t used = 0;
    for (; *text && used < VF_PROFILE_SIZE - 1; used++) {
        unsigned byte = (unsigned char) *text++;
        int end = 0;
        if (byte == '%' && (sscanf (text, "%2x%n", &byte, &end) != 1 || end != 2 || byte == 0))
            return false;
        text += end;
        profile[used] = (char) byte;
    }
    profile[used] = 0;
    return used > 0 && !*text;
}

static size_t put_port (const vf_port_t *port, char *text, size_t size)
{
    char guest[UUID_TEXT_SIZE], host[UUID_TEXT_SIZE];
    if (!*port->profile)
        return (size_t) snprintf (text, size, "port=");
    uuid_to_text (port->guest, guest);
    uuid_to_text (port->host, host);
    size_t used = (size_t) snprintf (text, size, "port=%s:%s:", guest, host);
    return used + put_profile (port->profile, text + used, size - used);
}

static bool read_port (const char *text, vf_port_t *port)
{
    char guest[UUID_TEXT_SIZE], host[UUID_TEXT_SIZE];
    int end = 0;
    port->said = true;
    if (!*text)
        return true;
    return sscanf (text, "%36[^:]:%36[^:]:%n", guest, host, &end) == 2 && end &&
           uuid_to_bytes (guest, port->guest) && uuid_to_bytes (host, port->host) &&
           take_profile (text + end, port->profile);
}

//  Settings as text.

void vf_settings_text (const vf_settings_t *settings, char text[VF_TEXT_SIZE])
{
    const uint8_t *mac = settings->mac;
    size_t size = 0;
    *text = 0;
    if (settings->has_mac)
        size += (size_t) snprintf (text, VF_TEXT_SIZE, "mac=%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
                                   mac[1], mac[2], mac[3], mac[4], mac[5]);
    if (settings->vlan >= 0)
        size += (size_t) snprintf (text + size, VF_TEXT_SIZE - size, "%svlan=%d:%d",
                                   size ? "," : "", settings->vlan, settings->qos);
    if (settings->trust >= 0)
        size += (size_t) snprintf (text + size, VF_TEXT_SIZE - size, "%strust=%d", size ? "," : "",
                                   settings->trust > 0);
    if (settings->port.said && size)
        text[size++] = ',';
    if (settings->port.said)
        put_port (&settings->port, text + size, VF_TEXT_SIZE - size);
}

static bool read_part (const char *part, vf_settings_t *settings)
{
    int end = 0;
    if (text_starts (part, "port="))
        return read_port (part + strlen ("port="), &settings->port);
    if (text_starts (part, "mac="))
        return settings->has_mac = read_mac (part + strlen ("mac="), settings->mac);
    if (sscanf (part, "vlan=%4d:%1d%n", &settings->vlan, &settings->qos, &end) == 2 && end &&
        !part[end])
        return settings->vlan >= 0 && settings->vlan <= VLAN_MAX && settings->qos >= 0 &&
               settings->qos <= QOS_MAX;
    end = 0;
    return sscanf (part, "trust=%1d%n", &settings->trust, &end) == 1 && end && !part[end] &&
           (settings->trust == 0 || settings->trust == 1);
}

bool vf_settings_read (const char *text, vf_settings_t *settings)
{
    char copy[VF_TEXT_SIZE], *rest = copy, *part;
    *settings = (vf_settings_t){ .vlan = -1, .trust = -1 };
    if (strlen (text) >= sizeof copy)
        return false;
    snprintf (copy, sizeof copy, "%s", text);
    while ((part = strsep (&rest, ",")))
        if (*part && !read_part (part, settings))
            return false;
    return true;
}

void vf_settings_fill (vf_settings_t *settings, const vf_settings_t *otherwise)
{
    const vf_settings_t said = *settings;
    *settings = *otherwise;
    if (said.has_mac) {
        settings->has_mac = true;
        memcpy (settings->mac, said.mac, sizeof settings->mac);
    }
    if (said.vlan >= 0) {
        settings->vlan = said.vlan;
        settings->qos = said.qos;
    }
    if (said.trust >= 0)
        settings->trust = said.trust;
    if (said.port.said)
        settings->port = said.port;
}

//  Where it is.

static int find_number (const char *sysfs, const char *card, const char *address, unsigned *number,
                        error_t *err)
{
    auto(pci_device_t) device = pci_device_read (sysfs, card, err);
    for (size_t i = 0; device && i < device->functions->count; i++)
        if (strcmp (device->functions->items[i], address) == 0) {
            *number = (unsigned) i;
            return 0;
        }
    return device ? error_set (err, ERR_OPERATION_INVALID,
                               "PCI device '%s' is none of the functions of '%s' any more", address,
                               card)
                  : -1;
}

int vf_find (const char *sysfs, const char *address, vf_place_t *place, error_t *err)
{
    auto(pci_device_t) device = pci_device_read (sysfs, address, err);
    if (!device)
        return -1;
    const char *card = device->physical_function;
    if (!card)
        return error_set (err, ERR_OPERATION_INVALID,
                          "PCI device '%s' is no virtual function of a network card, and only one "
                          "of those gets its MAC and VLAN from its card: use a <hostdev> for it",
                          address);
    autofree char *folder = text_format ("%s/bus/pci/devices/%s/net", sysfs, card);
    auto(strings_t) nics = sysfs_names (folder);
    autofree char *nic = text_format ("%s/%s", folder, nics->count > 0 ? nics->items[0] : "");
    place->card = (int) sysfs_number (nic, "ifindex", 0);
    snprintf (place->name, sizeof place->name, "%s", nics->count > 0 ? nics->items[0] : "");
    if (nics->count == 0 || place->card <= 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "PCI device '%s': its card '%s' has no network interface, through which "
                          "it would get its MAC: is the card's driver loaded, and the interface in "
                          "this network namespace?",
                          address, card);
    return find_number (sysfs, card, address, &place->number, err);
}

void vf_own_mac (const char *sysfs, const char *address, uint8_t mac[6])
{
    autofree char *folder = text_format ("%s/bus/pci/devices/%s/net", sysfs, address);
    auto(strings_t) nics = sysfs_names (folder);
    autofree char *text =
        nics->count > 0 ? sysfs_text ("%s/%s/address", folder, nics->items[0]) : NULL;
    if (!text || !read_mac (text, mac))
        memset (mac, 0, 6);
}
