//  test_behaviour.c: reads the behaviour that a definition asks for.

#include "drivers/test/test_behaviour.h"

#include <string.h>

enum {
    MAX_MS = 3600 * 1000
};

static const char *const operations[] = { "complete", "start",  "shutdown", "reboot",   "reset",
                                          "suspend",  "resume", "destroy",  "adopt",    "info",
                                          "console",  "save",   "restore",  "snapshot", "written",
                                          "revert",   "delete", NULL };

//  What an element may have.
static const struct {
    const char *element, *attributes[4];
} known[] = {
    { "delay", { "op", "step", "ms" } },
    { "fault", { "op", "step", "message" } },
    { "shutdown", { "ignores", "after_ms" } },
    { "crash", { "after_ms" } },
};

static bool is_ours (const xml_node_t *node)
{
    const char *space = xml_namespace (node);
    return space && strcmp (space, TEST_NAMESPACE) == 0;
}

static const xml_node_t *behaviour_of (const xml_node_t *domain)
{
    xml_foreach (child, domain, NULL)
        if (is_ours (child) && strcmp (xml_name (child), "behaviour") == 0)
            return child;
    return NULL;
}

static bool in_list (const char *const *list, const char *word)
{
    while (*list && strcmp (*list, word) != 0)
        list++;
    return *list != NULL;
}

//  Checking.

static int check_attributes (const xml_node_t *node, error_t *err)
{
    const char *name = xml_name (node);
    size_t row = 0;
    while (row < sizeof known / sizeof *known && strcmp (known[row].element, name) != 0)
        row++;
    if (row == sizeof known / sizeof *known)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: test:%s in test:behaviour; there are delay, fault, "
                          "shutdown and crash",
                          name);
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
        if (!in_list (known[row].attributes, (const char *) attribute->name))
            return error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: test:%s/@%s", name,
                              (const char *) attribute->name);
    return 0;
}

static int check_operation (const xml_node_t *node, error_t *err)
{
    const char *name = xml_name (node), *op = xml_string (node, "@op");
    bool start = op && strcmp (op, "start") == 0;
    int step = 0;
    if (!op || !in_list (operations, op))
        return error_set (err, ERR_XML_ERROR, "test:%s: the operation '%s' is unknown", name,
                          op ? op : "");
    if (xml_int (node, "@step", 1, TEST_STEPS, &step, err))
        return -1;
    if (step && !start)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: test:%s/@step of '%s'; only start has steps", name, op);
    if (strcmp (name, "delay") == 0 && strcmp (op, "console") == 0)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: test:delay of 'console', which nobody waits for");
    if (strcmp (name, "delay") == 0 && !xml_string (node, "@ms"))
        return error_set (err, ERR_XML_ERROR, "test:delay: ms is missing");
    return 0;
}

static int check_element (const xml_node_t *node, error_t *err)
{
    int ms = 0;
    if (check_attributes (node, err) || xml_int (node, "@ms", 0, MAX_MS, &ms, err) ||
        xml_int (node, "@after_ms", 0, MAX_MS, &ms, err))
        return -1;
    const char *name = xml_name (node), *ignores = xml_string (node, "@ignores");
    if (ignores && strcmp (ignores, "yes") != 0 && strcmp (ignores, "no") != 0)
        return error_set (err, ERR_XML_ERROR, "test:shutdown: ignores is 'yes' or 'no', not '%s'",
                          ignores);
    if (strcmp (name, "crash") == 0 && !xml_string (node, "@after_ms"))
        return error_set (err, ERR_XML_ERROR, "test:crash: after_ms is missing");
    bool operation = strcmp (name, "delay") == 0 || strcmp (name, "fault") == 0;
    return operation ? check_operation (node, err) : 0;
}

int test_behaviour_check (const xml_node_t *domain, error_t *err)
{
    const xml_node_t *behaviour = behaviour_of (domain);
    xml_foreach (child, domain, NULL)
        if (is_ours (child) && child != behaviour)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: test:%s in <domain>; there is one test:behaviour",
                              xml_name (child));
    if (behaviour)
        xml_foreach (element, behaviour, NULL)
            if (is_ours (element) && check_element (element, err))
                return -1;
    return 0;
}

//  Behaving.

static bool concerns (const xml_node_t *node, const char *name, const char *op, int step)
{
    error_t ignored; //  it was checked when the definition was completed
    int own = 0;
    return is_ours (node) && strcmp (xml_name (node), name) == 0 && xml_equals (node, "@op", op) &&
           xml_int (node, "@step", 1, TEST_STEPS, &own, &ignored) == 0 && own == step;
}

int test_fault (const xml_t *document, const char *op, int step, error_t *err)
{
    const xml_node_t *domain = xml_root (document), *behaviour = behaviour_of (domain);
    if (!behaviour)
        return 0;
    xml_foreach (fault, behaviour, NULL) {
        if (!concerns (fault, "fault", op, step))
            continue;
        const char *message = xml_string (fault, "@message");
        return error_set (err, ERR_OPERATION_FAILED,
                          "%s domain '%s': %s (a fault that its definition asks for)", op,
                          xml_string (domain, "name"), message ? message : "it fails");
    }
    return 0;
}

int test_behave (job_t *job, const xml_t *document, const char *op, int step, error_t *err)
{
    const xml_node_t *behaviour = behaviour_of (xml_root (document));
    if (!behaviour)
        return 0;
    xml_foreach (delay, behaviour, NULL) {
        int ms = 0;
        if (concerns (delay, "delay", op, step) &&
            (xml_int (delay, "@ms", 0, MAX_MS, &ms, err) || job_wait (job, ms, err)))
            return -1;
    }
    return test_fault (document, op, step, err);
}

int test_behave_guest (job_t *job, const char *op, error_t *err)
{
    const xml_t *document = job->guest->live ? job->guest->live : job->guest->definition;
    return document ? test_behave (job, document, op, 0, err) : 0;
}

test_nature_t test_nature (const xml_t *document)
{
    error_t ignored;
    test_nature_t nature = { .crash_ms = -1 };
    const xml_node_t *behaviour = document ? behaviour_of (xml_root (document)) : NULL;
    if (behaviour)
        xml_foreach (element, behaviour, NULL) {
            if (!is_ours (element))
                continue;
            if (strcmp (xml_name (element), "crash") == 0)
                xml_int (element, "@after_ms", 0, MAX_MS, &nature.crash_ms, &ignored);
            if (strcmp (xml_name (element), "shutdown") == 0) {
                xml_int (element, "@after_ms", 0, MAX_MS, &nature.shutdown_ms, &ignored);
                nature.ignores_shutdown = xml_flag (element, "@ignores", false);
            }
        }
    return nature;
}
