//  link_words.c: tables of fields, read and written by one loop each; and what has to fit together.

#include "drivers/net/link_words.h"

#include "util/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIAS_MAX = 255, //  IFALIASZ, with the NUL
    VLAN_MAX = 4094,
    VNI_MAX = (1 << 24) - 1,
    PORT_MAX = 65535,
    FORWARD_DELAY_MAX_MS = 300000
};

#define RATE_MAX_KB UINT32_MAX //  libvirt's own limit: its API has unsigned int

//  Which kinds of link a field of link_spec_t goes with.
#define KIND(kind) (1u << LINK_##kind)
#define ANY_KIND (~0u)
#define UPPER_KINDS (KIND (MACVLAN) | KIND (MACVTAP) | KIND (VLAN))

typedef enum {
    FIELD_TEXT, //  const char *
    FIELD_U32,
    FIELD_U64,
    FIELD_BOOL,
    FIELD_SWITCH,
    FIELD_CHARS //  an array in the struct, of size MAX
} field_type_t;

typedef struct {
    const char *name;
    field_type_t type;
    size_t offset;
    uint64_t max; //  of a number; 0: what its type holds
    unsigned kinds;
} field_t;

#define SETTING(name, type, max)                                                                   \
    {                                                                                              \
#name, type, offsetof(link_settings_t, name), max, ANY_KIND                                \
    }
static const field_t settings_fields[] = {
    SETTING (name, FIELD_TEXT, 0),
    SETTING (mac, FIELD_TEXT, 0),
    SETTING (alias, FIELD_TEXT, 0),
    SETTING (master, FIELD_TEXT, 0),
    SETTING (master_index, FIELD_U32, INT32_MAX),
    SETTING (mtu, FIELD_U32, INT32_MAX),
    SETTING (up, FIELD_SWITCH, 0),
    SETTING (isolated, FIELD_SWITCH, 0),
    SETTING (learning, FIELD_SWITCH, 0),
    SETTING (flood, FIELD_SWITCH, 0),
    SETTING (process, FIELD_TEXT, 0),
    SETTING (netns, FIELD_TEXT, 0),
    { 0 },
};

#define SPEC(name, type, max, kinds)                                                               \
    {                                                                                              \
#name, type, offsetof(link_spec_t, name), max, kinds                                       \
    }
static const field_t spec_fields[] = {
    SPEC (lower, FIELD_TEXT, 0, UPPER_KINDS | KIND (VXLAN)),
    SPEC (lower_index, FIELD_U32, INT32_MAX, UPPER_KINDS | KIND (VXLAN)),
    SPEC (mode, FIELD_TEXT, 0, KIND (MACVLAN) | KIND (MACVTAP)),
    SPEC (vlan, FIELD_U32, VLAN_MAX, KIND (VLAN)),
    SPEC (vni, FIELD_U32, VNI_MAX, KIND (VXLAN)),
    SPEC (remote, FIELD_TEXT, 0, KIND (VXLAN)),
    SPEC (local, FIELD_TEXT, 0, KIND (VXLAN)),
    SPEC (port, FIELD_U32, PORT_MAX, KIND (VXLAN)),
    SPEC (stp, FIELD_SWITCH, 0, KIND (BRIDGE)),
    SPEC (vlan_filtering, FIELD_SWITCH, 0, KIND (BRIDGE)),
    SPEC (multicast_snooping, FIELD_SWITCH, 0, KIND (BRIDGE)),
    SPEC (has_forward_delay, FIELD_BOOL, 0, KIND (BRIDGE)),
    SPEC (forward_delay_ms, FIELD_U32, FORWARD_DELAY_MAX_MS, KIND (BRIDGE)),
    SPEC (uid, FIELD_U32, 0, KIND (TAP)),
    SPEC (gid, FIELD_U32, 0, KIND (TAP)),
    SPEC (multi_queue, FIELD_BOOL, 0, KIND (TAP)),
    SPEC (vnet_hdr, FIELD_BOOL, 0, KIND (TAP)),
    { 0 },
};

#define LINK(name, type, max)                                                                      \
    {                                                                                              \
#name, type, offsetof(link_t, name), max, ANY_KIND                                         \
    }
static const field_t link_fields[] = {
    LINK (ifindex, FIELD_U32, 0),
    LINK (kind, FIELD_CHARS, sizeof ((link_t *) NULL)->kind),
    LINK (name, FIELD_CHARS, LINK_NAME_SIZE),
    LINK (mac, FIELD_CHARS, LINK_MAC_SIZE),
    LINK (mtu, FIELD_U32, 0),
    LINK (up, FIELD_BOOL, 0),
    LINK (running, FIELD_BOOL, 0),
    LINK (master_index, FIELD_U32, 0),
    LINK (peer_index, FIELD_U32, 0),
    LINK (peer_name, FIELD_CHARS, LINK_NAME_SIZE),
    LINK (peer_mac, FIELD_CHARS, LINK_MAC_SIZE),
    { 0 },
};

#define RATE(name)                                                                                 \
    {                                                                                              \
#name, FIELD_U64, offsetof(link_rate_t, name), RATE_MAX_KB, ANY_KIND                       \
    }
static const field_t rate_fields[] = {
    RATE (average_kb), RATE (peak_kb), RATE (burst_kib), RATE (floor_kb), { 0 },
};

#define ROUTE(name, type)                                                                          \
    {                                                                                              \
#name, type, offsetof(link_route_t, name), 0, ANY_KIND                                     \
    }
static const field_t route_fields[] = {
    ROUTE (to, FIELD_TEXT),
    ROUTE (via, FIELD_TEXT),
    ROUTE (metric, FIELD_U32),
    { 0 },
};

static const struct {
    link_kind_t kind;
    const char *name;
} kinds[] = {
    { LINK_VETH, "veth" },       { LINK_TAP, "tap" },         { LINK_BRIDGE, "bridge" },
    { LINK_MACVLAN, "macvlan" }, { LINK_MACVTAP, "macvtap" }, { LINK_VLAN, "vlan" },
    { LINK_VXLAN, "vxlan" },     { LINK_HOST, "host" },
};

const char *link_kind_name (link_kind_t kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return NULL;
}

link_kind_t link_kind_by_name (const char *name)
{
    for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp (kinds[i].name, name) == 0)
            return kinds[i].kind;
    return LINK_NONE;
}

//  Writing.

static const char *const switch_words[] = { [LINK_ON] = "on", [LINK_OFF] = "off" };

static void pack_field (pack_t *pack, const field_t *field, const void *from)
{
    switch (field->type) {
    case FIELD_TEXT:
        if (*(const char *const *) from)
            pack_key_str (pack, field->name, *(const char *const *) from);
        break;
    case FIELD_CHARS:
        pack_key_str (pack, field->name, from);
        break;
    case FIELD_U32:
        pack_key_u64 (pack, field->name, *(const uint32_t *) from);
        break;
    case FIELD_U64:
        pack_key_u64 (pack, field->name, *(const uint64_t *) from);
        break;
    case FIELD_BOOL:
        pack_key_bool (pack, field->name, *(const bool *) from);
        break;
    case FIELD_SWITCH:
        if (*(const link_switch_t *) from != LINK_KEEP)
            pack_key_str (pack, field->name, switch_words[*(const link_switch_t *) from]);
        break;
    }
}

static void pack_fields (pack_t *pack, const field_t *fields, const void *from)
{
    for (; fields->name; fields++)
        pack_field (pack, fields, (const char *) from + fields->offset);
}

static void pack_struct (pack_t *pack, const field_t *fields, const void *from)
{
    pack_map (pack);
    pack_fields (pack, fields, from);
    pack_end (pack);
}

void link_settings_pack (pack_t *pack, const link_settings_t *settings)
{
    pack_struct (pack, settings_fields, settings);
}

void link_spec_pack (pack_t *pack, const link_spec_t *spec)
{
    pack_map (pack);
    pack_key_str (pack, "kind", link_kind_name (spec->kind));
    pack_key (pack, "set");
    link_settings_pack (pack, &spec->set);
    pack_key (pack, "peer");
    link_settings_pack (pack, &spec->peer);
    pack_fields (pack, spec_fields, spec);
    pack_end (pack);
}

void link_pack_fields (pack_t *pack, const link_t *link)
{
    pack_fields (pack, link_fields, link);
}

void link_pack (pack_t *pack, const link_t *link)
{
    pack_struct (pack, link_fields, link);
}

void link_bandwidth_pack (pack_t *pack, const link_bandwidth_t *bandwidth)
{
    pack_map (pack);
    pack_key (pack, "inbound");
    pack_struct (pack, rate_fields, &bandwidth->inbound);
    pack_key (pack, "outbound");
    pack_struct (pack, rate_fields, &bandwidth->outbound);
    pack_end (pack);
}

void link_route_pack (pack_t *pack, const link_route_t *route)
{
    pack_struct (pack, route_fields, route);
}

//  Reading.

static int read_number (const field_t *field, const value_t *value, uint64_t *number, error_t *err)
{
    uint64_t max = field->max ? field->max : field->type == FIELD_U32 ? UINT32_MAX : UINT64_MAX;
    *number = 0;
    if (!value || (value_u64 (value, number) && *number <= max))
        return 0;
    return error_set (err, ERR_INVALID_ARG,
                      "'%s' of a link must be a number from 0 to %" PRIu64 ", not %" PRIu64,
                      field->name, max, *number);
}

static int read_switch (const field_t *field, const value_t *value, link_switch_t *to, error_t *err)
{
    const char *word = value_str (value);
    *to = text_equals (word, "on") ? LINK_ON : text_equals (word, "off") ? LINK_OFF : LINK_KEEP;
    if (!word || *to != LINK_KEEP)
        return 0;
    return error_set (err, ERR_INVALID_ARG, "'%s' of a link must be 'on' or 'off', not '%s'",
                      field->name, word);
}

static int read_field (const field_t *field, const value_t *value, void *to, error_t *err)
{
    uint64_t number = 0;
    switch (field->type) {
    case FIELD_TEXT:
        *(const char **) to = value_str (value);
        break;
    case FIELD_CHARS:
        snprintf (to, field->max, "%s", value_str (value) ? value_str (value) : "");
        break;
    case FIELD_U32:
        if (read_number (field, value, &number, err))
            return -1;
        *(uint32_t *) to = (uint32_t) number;
        break;
    case FIELD_U64:
        return read_number (field, value, to, err);
    case FIELD_BOOL:
        *(bool *) to = value_bool (value, false);
        break;
    case FIELD_SWITCH:
        return read_switch (field, value, to, err);
    }
    return 0;
}

static int read_fields (const field_t *fields, const value_t *map, void *to, error_t *err)
{
    for (; fields->name; fields++)
        if (read_field (fields, value_get (map, fields->name), (char *) to + fields->offset, err))
            return -1;
    return 0;
}

//  Checking.

//  The kernel's own rule (dev_valid_name), and that of its templates.
static int check_name (const char *name, const char *what, error_t *err)
{
    const char *percent = strchr (name, '%');
    bool fits = *name && strlen (name) < LINK_NAME_SIZE && !strpbrk (name, "/: \t\n\v\f\r") &&
                strcmp (name, ".") != 0 && strcmp (name, "..") != 0;
    if (!fits)
        return error_set (err, ERR_INVALID_ARG,
                          "%s '%s': a link's name has 1 to 15 characters, without '/', ':' and "
                          "blanks",
                          what, name);
    if (percent && (percent[1] != 'd' || strchr (percent + 1, '%')))
        return error_set (err, ERR_INVALID_ARG,
                          "%s '%s': a '%%' in a link's name must be the one '%%d' where the number "
                          "goes",
                          what, name);
    return 0;
}

//  Where it goes there is no bridge of ours.
static int check_move (const link_settings_t *settings, error_t *err)
{
    const bool port = settings->isolated != LINK_KEEP || settings->learning != LINK_KEEP ||
                      settings->flood != LINK_KEEP || settings->master || settings->master_index;
    if (settings->process && settings->netns)
        return error_set (err, ERR_INVALID_ARG,
                          "move a link: both a process and a path name the network namespace");
    if ((settings->process || settings->netns) && port)
        return error_set (err, ERR_INVALID_ARG,
                          "move a link: it can't be a port of a bridge here and go elsewhere");
    return 0;
}

static int check_settings (const link_settings_t *settings, error_t *err)
{
    uint8_t mac[6];
    if (settings->name && check_name (settings->name, "name", err))
        return -1;
    if (settings->master && *settings->master && check_name (settings->master, "bridge", err))
        return -1;
    if (settings->mac && !link_mac_read (settings->mac, mac))
        return error_set (err, ERR_INVALID_MAC,
                          "MAC address '%s' of a link: not six bytes as 52:54:00:01:02:03, or the "
                          "address of a group (an odd first byte)",
                          settings->mac);
    if (settings->alias && strlen (settings->alias) > ALIAS_MAX)
        return error_set (err, ERR_INVALID_ARG, "alias of a link: longer than %d bytes", ALIAS_MAX);
    for (const char *c = settings->alias; c && *c; c++)
        if ((unsigned char) *c < ' ')
            return error_set (err, ERR_INVALID_ARG, "alias of a link: it has control characters");
    return check_move (settings, err);
}

static bool is_set (const field_t *field, const void *from)
{
    switch (field->type) {
    case FIELD_TEXT:
        return *(const char *const *) from != NULL;
    case FIELD_U32:
        return *(const uint32_t *) from != 0;
    case FIELD_BOOL:
        return *(const bool *) from;
    case FIELD_SWITCH:
        return *(const link_switch_t *) from != LINK_KEEP;
    default:
        return false;
    }
}

static int check_kinds (const link_spec_t *spec, error_t *err)
{
    for (const field_t *field = spec_fields; field->name; field++)
        if (!(field->kinds & 1u << spec->kind) &&
            is_set (field, (const char *) spec + field->offset))
            return error_set (err, ERR_INVALID_ARG, "make a link of kind '%s': '%s' is not for it",
                              link_kind_name (spec->kind), field->name);
    return 0;
}

static int check_upper (const link_spec_t *spec, error_t *err)
{
    static const char *const modes[] = { "vepa", "bridge", "private", "passthrough" };
    bool known = !spec->mode;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        known = known || strcmp (spec->mode, modes[i]) == 0;
    if (!known)
        return error_set (err, ERR_INVALID_ARG,
                          "make a link of kind '%s': mode '%s' is not vepa, bridge, private or "
                          "passthrough",
                          link_kind_name (spec->kind), spec->mode);
    if ((UPPER_KINDS & 1u << spec->kind) && !spec->lower && spec->lower_index == 0)
        return error_set (err, ERR_INVALID_ARG,
                          "make a link of kind '%s': the link below it is not named",
                          link_kind_name (spec->kind));
    if (spec->kind == LINK_VLAN && spec->vlan == 0)
        return error_set (err, ERR_INVALID_ARG, "make a VLAN link: its number is missing");
    return 0;
}

static int family_of (const char *address)
{
    uint8_t bytes[16];
    return inet_pton (AF_INET, address, bytes) == 1    ? AF_INET
           : inet_pton (AF_INET6, address, bytes) == 1 ? AF_INET6
                                                       : AF_UNSPEC;
}

static int check_vxlan (const link_spec_t *spec, error_t *err)
{
    const char *addresses[] = { spec->remote, spec->local };
    if (spec->kind == LINK_VXLAN && spec->vni == 0)
        return error_set (err, ERR_INVALID_ARG, "make a VXLAN link: its number is missing");
    for (size_t i = 0; i < 2; i++)
        if (addresses[i] && family_of (addresses[i]) == AF_UNSPEC)
            return error_set (err, ERR_INVALID_ARG, "make a VXLAN link: '%s' is no IP address",
                              addresses[i]);
    if (spec->remote && spec->local && family_of (spec->remote) != family_of (spec->local))
        return error_set (err, ERR_INVALID_ARG,
                          "make a VXLAN link: '%s' and '%s' are of different families",
                          spec->remote, spec->local);
    return 0;
}

static int check_peer (const link_spec_t *spec, error_t *err)
{
    bool peer = false;
    for (const field_t *field = settings_fields; field->name; field++)
        peer = peer || is_set (field, (const char *) &spec->peer + field->offset);
    if (spec->kind == LINK_VETH && !spec->peer.name)
        return error_set (err, ERR_INVALID_ARG,
                          "make a pair of links: the other end's name is missing");
    if (spec->kind != LINK_VETH && peer)
        return error_set (err, ERR_INVALID_ARG, "make a link of kind '%s': it has no other end",
                          link_kind_name (spec->kind));
    if (!spec->set.name)
        return error_set (err, ERR_INVALID_ARG, "make a link of kind '%s': its name is missing",
                          link_kind_name (spec->kind));
    return 0;
}

int link_settings_read (const value_t *value, link_settings_t *settings, error_t *err)
{
    if (read_fields (settings_fields, value, settings, err))
        return -1;
    return check_settings (settings, err);
}

int link_spec_read (const value_t *value, link_spec_t *spec, error_t *err)
{
    memset (spec, 0, sizeof *spec);
    const char *kind = value_get_str (value, "kind");
    spec->kind = link_kind_by_name (kind);
    if (spec->kind == LINK_NONE || spec->kind == LINK_HOST)
        return error_set (err, ERR_INVALID_ARG, "make a link: '%s' is no kind of link",
                          kind ? kind : "");
    if (read_fields (spec_fields, value, spec, err) ||
        link_settings_read (value_get (value, "set"), &spec->set, err) ||
        link_settings_read (value_get (value, "peer"), &spec->peer, err))
        return -1;
    return check_kinds (spec, err) || check_peer (spec, err) || check_upper (spec, err) ||
                   check_vxlan (spec, err)
               ? -1
               : 0;
}

void link_read (const value_t *value, link_t *link)
{
    error_t ignored; //  what the actor packed fits
    read_fields (link_fields, value, link, &ignored);
}

//  The documentation of libvirt's <bandwidth>: average is what the others go with.
static int check_rate (const link_rate_t *rate, const char *way, error_t *err)
{
    if (rate->average_kb == 0 && (rate->peak_kb > 0 || rate->burst_kib > 0))
        return error_set (err, ERR_INVALID_ARG,
                          "bandwidth %s: peak and burst are only limits beside an average", way);
    return 0;
}

int link_bandwidth_read (const value_t *value, link_bandwidth_t *bandwidth, error_t *err)
{
    if (read_fields (rate_fields, value_get (value, "inbound"), &bandwidth->inbound, err) ||
        read_fields (rate_fields, value_get (value, "outbound"), &bandwidth->outbound, err) ||
        check_rate (&bandwidth->inbound, "inbound", err) ||
        check_rate (&bandwidth->outbound, "outbound", err))
        return -1;
    if (bandwidth->outbound.floor_kb > 0)
        return error_set (err, ERR_INVALID_ARG, "bandwidth outbound: a floor is for inbound only");
    return 0;
}

int link_route_read (const value_t *value, link_route_t *route, error_t *err)
{
    if (read_fields (route_fields, value, route, err))
        return -1;
    return route->to ? 0 : error_set (err, ERR_INVALID_ARG, "route: where to is missing");
}

//  MAC addresses.

//  scanf alone would take blanks, newlines and signs.
bool link_mac_read (const char *text, uint8_t mac[6])
{
    if (strlen (text) != LINK_MAC_SIZE - 1)
        return false;
    for (size_t i = 0; i < LINK_MAC_SIZE - 1; i++)
        if (i % 3 == 2 ? text[i] != ':' : !isxdigit ((unsigned char) text[i]))
            return false;
    for (size_t i = 0; i < 6; i++)
        mac[i] = (uint8_t) strtoul (text + i * 3, NULL, 16);
    return !(mac[0] & 1);
}

void link_mac_text (const uint8_t mac[6], char text[LINK_MAC_SIZE])
{
    snprintf (text, LINK_MAC_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
              mac[4], mac[5]);
}

//  libvirt and QEMU give guests 52:54:00; with these bits no maker of hardware is taken for it, nor
//  is it the address of a group.
void link_mac_make (const uint8_t random[6], uint8_t mac[6])
{
    memcpy (mac, random, 6);
    mac[0] = (uint8_t) ((random[0] & 0xfc) | 2);
}
