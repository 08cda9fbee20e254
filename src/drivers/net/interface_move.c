//  interface_move.c: see interface_move.h. Until the job is done the record's <link> has the old
//  port, and <moving> the new one. A port has the uuid that its asker chose, and who asks again
//  for the same gets the same: so the way back works even if the old port was given back already.

#include "drivers/net/interface_move.h"

#include "drivers/net/interface.h"
#include "util/text.h"

#include <string.h>

static bool is_plain (const xml_node_t *interface)
{
    const char *type = xml_string (interface, "@type");
    return text_equals (type, "bridge") || text_equals (type, "network");
}

bool interface_moves (const xml_node_t *now, const xml_node_t *wanted)
{
    static const char *const places[][3] = {
        { "bridge", "source/@bridge", NULL },
        { "network", "source/@network", "source/@portgroup" },
    };
    const char *type = xml_string (wanted, "@type");
    if (!text_equals (xml_string (now, "@type"), type))
        return true;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (size_t j = 1; strcmp (type, places[i][0]) == 0 && j < 3 && places[i][j]; j++)
            if (!text_equals (xml_string (now, places[i][j]), xml_string (wanted, places[i][j])))
                return true;
    return false;
}

static xml_node_t *begin (job_t *job)
{
    xml_node_t *record = xml_root (job->guest->record);
    xml_remove_path (record, "moving");
    return xml_add (record, "moving");
}

static int limit (job_t *job, const xml_node_t *interface, const port_grant_t *grant, error_t *err)
{
    return xml_find (interface, "bandwidth") || grant->limited
               ? interface_limit (job, interface, grant, err)
               : job_link_bandwidth (job, interface_alias (interface), NULL, err);
}

static int plug (job_t *job, const xml_node_t *interface, const port_grant_t *grant, error_t *err)
{
    link_t link;
    link_settings_t set = { .master_index = grant->bridge_index,
                            .mtu = grant->mtu,
                            .isolated = grant->isolated ? LINK_ON : LINK_OFF };
    if (xml_string (interface, "mtu/@size"))
        set.mtu = (uint32_t) interface_number (interface, "mtu/@size", 0);
    return interface_find_bridge (job, interface, &set, err) ||
                   job_link_set (job, interface_alias (interface), false, &set, &link, err) ||
                   limit (job, interface, grant, err)
               ? -1
               : 0;
}

//  PORT: the element that names its port, if it has one.
static int take_port (job_t *job, xml_node_t *interface, const xml_node_t *port,
                      port_grant_t *grant, error_t *err)
{
    if (interface_take_port (job, interface, port, NULL, grant, err))
        return -1;
    if (!xml_string (port, "@port") || grant->kind == PORT_BRIDGE)
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: network '%s', while the guest runs: it gives a device of the "
                      "host, and no bridge; detach '%s', and attach it anew",
                      xml_string (interface, "source/@network"), interface_alias (interface));
}

static int check (const xml_node_t *link, const xml_node_t *now, const xml_node_t *wanted,
                  error_t *err)
{
    if (link && is_plain (now) && is_plain (wanted) && !interface_is_direct (now))
        return 0;
    return error_set (
        err, ERR_CONFIG_UNSUPPORTED,
        "not supported: another source of '%s', while the guest runs: only one that is "
        "in a bridge can go, to another bridge or network; detach it, and attach it anew",
        interface_alias (now));
}

int interface_move (job_t *job, const xml_node_t *now, xml_node_t *wanted, error_t *err)
{
    port_grant_t grant = { 0 };
    xml_node_t *link = interface_link (job->guest->record, now);
    xml_node_t *moving = begin (job);
    if (check (link, now, wanted, err) ||
        (xml_equals (wanted, "@type", "network") &&
         interface_intend_port (job, wanted, moving, err)) ||
        job_record (job, err) || take_port (job, wanted, moving, &grant, err) ||
        plug (job, wanted, &grant, err))
        return -1;
    //  Whoever cancels it now comes too late.
    job->closed = true;
    const char *old = xml_string (link, "@port");
    if (old && job_port_delete (job, xml_string (link, "@network"), old, err))
        return -1;
    static const char *const parts[] = { "@network", "@port" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *value = xml_string (moving, parts[i]);
        xml_remove_path (link, parts[i]);
        if (value)
            xml_set (link, parts[i], value);
    }
    xml_remove (moving);
    return 0;
}

//  PLACE: where it is, too; what is in no bridge has stayed where it was.
static int again (job_t *job, xml_node_t *interface, bool place, error_t *err)
{
    port_grant_t grant = { 0 };
    const xml_node_t *link = interface_link (job->guest->record, interface);
    bool bridged = is_plain (interface) && !interface_is_direct (interface);
    if (!link)
        return 0;
    if (interface_take_port (job, interface, link, NULL, &grant, err))
        return -1;
    return place && bridged ? plug (job, interface, &grant, err)
                            : limit (job, interface, &grant, err);
}

int interface_move_limits (job_t *job, xml_node_t *wanted, error_t *err)
{
    return again (job, wanted, false, err);
}

int interface_move_back (job_t *job, xml_node_t *interface, error_t *err)
{
    xml_remove_path (xml_root (job->guest->record), "moving");
    return again (job, interface, true, err);
}
