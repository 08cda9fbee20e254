//  test_complete.c: completes what is the same for every guest. Devices stay as they were written:
//  nothing of them is real, so all are accepted.

#include "drivers/definition.h"
#include "drivers/test/test_behaviour.h"
#include "drivers/test/test_driver.h"
#include "drivers/tune/tune.h"

#include <string.h>

//  There is no machine whose memory could be kept or dumped.
static int check_lifecycle (const xml_node_t *domain, error_t *err)
{
    static const char *const actions[] = { "on_poweroff", "on_reboot", "on_crash" };
    for (size_t i = 0; i < 3; i++) {
        const char *action = xml_string (domain, actions[i]);
        if (strcmp (action, "destroy") != 0 && strcmp (action, "restart") != 0)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: %s '%s'; a simulated guest's can be destroy or "
                              "restart",
                              actions[i], action);
    }
    if (strcmp (xml_string (domain, "on_reboot"), "restart") != 0)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: on_reboot 'destroy'; a simulated guest's is restart");
    return 0;
}

static int complete_os (xml_node_t *domain, error_t *err)
{
    xml_node_t *type = xml_find (domain, "os/type");
    const char *text = type ? xml_string (type, ".") : NULL;
    if (!text || !*text)
        return error_set (err, ERR_NO_OS, "domain XML: <os><type>hvm</type></os> is missing");
    definition_default (type, "@arch", "x86_64");
    return 0;
}

static int complete_devices (job_t *job, xml_node_t *domain, error_t *err)
{
    xml_foreach (device, xml_find (domain, "devices"), NULL) {
        definition_drop_alias (device);
        if (xml_is (device, "interface") && definition_complete_mac (job, device, err))
            return -1;
    }
    return 0;
}

int test_complete (job_t *job, xml_t *document, error_t *err)
{
    xml_node_t *domain = xml_root (document);
    if (!xml_is (domain, "domain"))
        return error_set (err, ERR_XML_ERROR, "domain XML: the root element is <%s>, not <domain>",
                          xml_name (domain));
    if (definition_complete_identity (job, domain, err) || test_behaviour_check (domain, err) ||
        definition_complete_memory (domain, err) || definition_complete_vcpus (domain, err) ||
        tune_check (domain, err) || complete_os (domain, err) ||
        complete_devices (job, domain, err))
        return -1;
    definition_complete_lifecycle (domain);
    return check_lifecycle (domain, err) || test_behave (job, document, "complete", 0, err) ? -1
                                                                                            : 0;
}
