//  perf.c: perf: which performance events of a guest are counted.

#include "cli/run.h"
#include "util/perf.h"
#include "util/xml.h"

#include <string.h>

static bool is_enabled (const xml_t *doc, const char *name)
{
    xml_foreach (event, xml_find (xml_root (doc), "perf"), "event")
        if (xml_equals (event, "@name", name))
            return xml_flag (event, "@enabled", false);
    return false;
}

static int show (cli_t *cli, const options_t *options, error_t *err)
{
    auto(xml_t) doc = run_domain_xml (cli, options_str (options, "domain"),
                                      options_flag (options, "config"), err);
    if (!doc)
        return -1;
    for (size_t i = 0; perf_event_name (i); i++) {
        bool enabled = is_enabled (doc, perf_event_name (i)), last = !perf_event_name (i + 1);
        if (cli->json)
            printf ("%s\"%s\": %s%s", i ? ", " : "{", perf_event_name (i),
                    enabled ? "true" : "false", last ? "}\n" : "");
        else
            printf ("%-25s: %s\n", perf_event_name (i), enabled ? "enabled" : "disabled");
    }
    return 0;
}

//  As virsh has it: names with commas between them.
static void add_names (troupe_args_t *args, const char *name, const char *words)
{
    auto(strings_t) names = strings_new ();
    autofree char *copy = text_copy (words ? words : "");
    char *rest = copy;
    for (char *word; (word = strsep (&rest, ","));)
        if (*word)
            strings_add (names, word);
    if (names->count > 0)
        troupe_args_strs (args, name, strings_list (names), names->count);
}

int run_perf (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const flags[] = { "live", "config" };
    const char *enable = options_str (options, "enable"),
               *disable = options_str (options, "disable");
    if (run_check_scope (cli, options, err))
        return -1;
    if (!enable && !disable)
        return show (cli, options, err);
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    add_names (args, "enable", enable);
    add_names (args, "disable", disable);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (options_flag (options, flags[i]))
            troupe_args_bool (args, flags[i], true);
    auto(troupe_message_t) reply = cli_call (cli, "domain.perf_set", args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}
