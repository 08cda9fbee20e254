//  jobs_interfaces.c: the host's network interfaces.

#include "actors/jobs/jobs.h"

#include "actors/host/host_interfaces.h"

int job_run_interfaces (job_actor_t *self, error_t *err)
{
    size_t count;
    autofree host_interface_t *list = host_interfaces ("", &count, err);
    if (!list)
        return -1;
    pack_t *pack = &self->value;
    pack_array (pack);
    for (size_t i = 0; i < count; i++) {
        pack_map (pack);
        pack_key_str (pack, "name", list[i].name);
        pack_key_str (pack, "mac", list[i].mac);
        pack_key_bool (pack, "up", list[i].up);
        pack_end (pack);
    }
    pack_end (pack);
    return 0;
}

int job_run_interface_xml (job_actor_t *self, error_t *err)
{
    auto(xml_t) doc = host_interface_xml ("", value_str (job_arg (self, "interface")), err);
    if (!doc)
        return -1;
    job_pack_document (self, doc);
    return 0;
}
