//  jobs_host.c: what this host and its hypervisors can do.

#include "actors/jobs/jobs.h"

#include "actors/host/host_facts.h"
#include "actors/host/host_sysinfo.h"
#include "drivers/qemu/probe/qemu_caps.h"
#include "util/file.h"

//  The host's uuid: the SMBIOS one where there is one, else the machine id's digits.
static void read_host_uuid (char uuid[UUID_TEXT_SIZE])
{
    static const char *const sources[] = { "/sys/class/dmi/id/product_uuid", "/etc/machine-id" };
    *uuid = 0;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        error_t ignored; //  then the next source
        autofree char *text = file_read (sources[i], 256, NULL, &ignored);
        if (text && uuid_normalize (text, uuid))
            return;
    }
}

static void add_host (xml_node_t *root)
{
    host_facts_t facts;
    host_facts_read (&facts);
    char uuid[UUID_TEXT_SIZE];
    read_host_uuid (uuid);
    xml_node_t *host = xml_add (root, "host");
    if (*uuid)
        xml_set (host, "uuid", uuid);
    xml_set (host, "cpu/arch", facts.arch);
    if (*facts.model)
        xml_set (host, "cpu/model", facts.model);
    xml_set_u64 (host, "cpu/topology/@sockets", facts.sockets);
    xml_set_u64 (host, "cpu/topology/@dies", 1);
    xml_set_u64 (host, "cpu/topology/@cores", facts.cores);
    xml_set_u64 (host, "cpu/topology/@threads", facts.threads);
}

static void pack_document (job_actor_t *self, const xml_t *doc)
{
    autofree char *text = xml_text (doc);
    pack_map (&self->value);
    pack_key_str (&self->value, "xml", text);
    pack_end (&self->value);
}

int job_run_capabilities (job_actor_t *self, error_t *err)
{
    static const char empty[] = "<capabilities/>";
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "capabilities", err);
    if (!doc)
        return -1;
    add_host (xml_root (doc));
    for (const driver_t *const *driver = drivers; *driver; driver++)
        if ((*driver)->capabilities && (*driver)->capabilities (&self->base, xml_root (doc), err))
            return -1;
    pack_document (self, doc);
    return 0;
}

int job_run_sysinfo (job_actor_t *self, error_t *err)
{
    auto(xml_t) doc = host_sysinfo ("", err);
    if (doc)
        pack_document (self, doc);
    return doc ? 0 : -1;
}

//  For the emulators actor: {config, kind, owner, path}; the result is {capabilities}.
int job_run_probe (job_actor_t *self, error_t *err)
{
    const char *path = msg_str (self->start, "path");
    snprintf (self->monitor, sizeof self->monitor, "monitor/probe-%s",
              strrchr (actor_address (self->actor), '/') + 1);
    autofree char *text = qemu_probe (&self->base, path, err);
    if (!text)
        return -1;
    pack_map (&self->value);
    pack_key_str (&self->value, "capabilities", text);
    pack_end (&self->value);
    return 0;
}
