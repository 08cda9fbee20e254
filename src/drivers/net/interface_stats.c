//  interface_stats.c: what goes through a guest's network interfaces, as the kernel counts it at
//  their links (/proc/net/dev, proc_net(5)).

#include "drivers/net/interface.h"
#include "util/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    DEV_MAX = 16 * 1024 * 1024 //  bytes: a line a link
};

//  Of one direction.
typedef struct {
    uint64_t bytes, packets, errors, dropped;
} traffic_t;

//  The line of a link: "  NAME: " and 16 numbers, what it received first.
static bool read_traffic (const char *lines, const char *name, traffic_t *in, traffic_t *out)
{
    const size_t size = strlen (name);
    for (const char *line = lines; line; line = strchr (line, '\n')) {
        line += strspn (line, "\n ");
        if (strncmp (line, name, size) == 0 && line[size] == ':')
            return sscanf (line + size + 1,
                           "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                           " %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
                           &in->bytes, &in->packets, &in->errors, &in->dropped, &out->bytes,
                           &out->packets, &out->errors, &out->dropped) == 8;
    }
    return false;
}

static void set_nth (json_t *stats, size_t n, const char *what, json_t *value)
{
    autofree char *name = text_format ("net.%zu.%s", n, what);
    json_object_set_new (stats, name, value);
}

static void add_traffic (json_t *stats, size_t n, const char *way, const traffic_t *traffic)
{
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = { { "bytes", traffic->bytes },
                   { "pkts", traffic->packets },
                   { "errs", traffic->errors },
                   { "drop", traffic->dropped } };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        autofree char *name = text_format ("%s.%s", way, fields[i].name);
        set_nth (stats, n, name, json_integer ((json_int_t) fields[i].value));
    }
}

//  What the host's end of a tap receives, the guest has sent; a macvtap is the guest's own end.
static void add_link (json_t *stats, size_t n, const xml_node_t *link, const char *lines)
{
    traffic_t in, out;
    const char *name = xml_string (link, "@name");
    if (!name || !read_traffic (lines, name, &in, &out))
        return;
    bool own_end = xml_equals (link, "@kind", "macvtap");
    set_nth (stats, n, "name", json_string (name));
    add_traffic (stats, n, "rx", own_end ? &in : &out);
    add_traffic (stats, n, "tx", own_end ? &out : &in);
}

int interface_stats (job_t *job, json_t *stats, error_t *err)
{
    size_t count = 0;
    autofree char *lines = NULL;
    xml_foreach (interface, xml_find (xml_root (job->guest->live), "devices"), "interface") {
        const xml_node_t *link = interface_link (job->guest->record, interface);
        if (link && !lines && !(lines = file_read ("/proc/self/net/dev", DEV_MAX, NULL, err)))
            return -1;
        if (link)
            add_link (stats, count, link, lines);
        count++;
    }
    json_object_set_new (stats, "net.count", json_integer ((json_int_t) count));
    return 0;
}
