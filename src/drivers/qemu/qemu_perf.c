//  qemu_perf.c: performance events in a guest's documents.

#include "drivers/qemu/qemu_perf.h"

#include "util/perf.h"

int qemu_check_perf (const xml_node_t *domain, error_t *err)
{
    auto(strings_t) seen = strings_new ();
    xml_foreach (event, xml_find (domain, "perf"), "event") {
        const char *name = xml_string (event, "@name");
        if (!name || !perf_is_event (name))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: perf/event/@name '%s'; 'troupe perf' lists those "
                              "that there are",
                              name ? name : "");
        if (strings_contain (seen, name))
            return error_set (err, ERR_XML_ERROR, "domain XML: the perf event '%s' is there twice",
                              name);
        strings_add (seen, name);
    }
    return 0;
}

void qemu_perf_record (guest_t *guest)
{
    auto(text_t) names = text_new ();
    xml_foreach (event, xml_find (xml_root (guest->live), "perf"), "event")
        if (xml_flag (event, "@enabled", false))
            text_addf (names, "%s%s", names->size ? " " : "", xml_string (event, "@name"));
    if (names->size > 0)
        xml_set (xml_root (guest->record), "perf/@events", names->data);
    else
        xml_remove_path (xml_root (guest->record), "perf");
}
