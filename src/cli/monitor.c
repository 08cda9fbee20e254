//  monitor.c: qemu-monitor-command.

#include "cli/json.h"
#include "cli/run.h"

#include <string.h>

//  Members that were words of their own ("a":1 "b":2) get a comma between them.
static char *join_members (const char *words)
{
    auto(text_t) text = text_new ();
    bool quoted = false;
    for (const char *at = words; *at; at++) {
        char last = text->size > 0 ? text->data[text->size - 1] : 0;
        if (quoted && *at == '\\' && at[1])
            text_add_char (text, *at++);
        else if (*at == '"')
            quoted = !quoted;
        if (quoted && *at == '"' && last == ' ' && !strchr (" ,:[{", text->data[text->size - 2]))
            text->data[text->size - 1] = ',';
        text_add_char (text, *at);
    }
    return text_finish (&text);
}

//  As virsh takes it: a QMP object as it is; otherwise a command's name, behind which an object
//  with its arguments, or members of one, may stand.
char *run_qmp_words (const char *words)
{
    words += strspn (words, " \t\n");
    if (words[0] == '{')
        return text_copy (words);
    size_t size = strcspn (words, " \t\n");
    autofree char *name = text_copy_bytes (words, size);
    const char *rest = words + size + strspn (words + size, " \t\n");
    if (!*rest)
        return text_format ("{\"execute\":\"%s\"}", name);
    if (rest[0] == '{')
        return text_format ("{\"execute\":\"%s\",\"arguments\":%s}", name, rest);
    autofree char *members = join_members (rest);
    return text_format ("{\"execute\":\"%s\",\"arguments\":{%s}}", name, members);
}

int run_monitor_command (cli_t *cli, const options_t *options, error_t *err)
{
    bool hmp = options_flag (options, "hmp"), pretty = options_flag (options, "pretty");
    if (hmp && pretty)
        return cli_usage (cli, err, "qemu-monitor-command: --hmp and --pretty exclude each other");
    const char *words = options_str (options, "cmd");
    autofree char *command = hmp ? text_copy (words) : run_qmp_words (words);
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_str (args, "command", command);
    if (hmp)
        troupe_args_bool (args, "hmp", true);
    auto(troupe_message_t) message = cli_call (cli, "domain.monitor_command", args, err);
    if (!message)
        return -1;
    const troupe_value_t *result = troupe_message_value (message);
    const char *reply = troupe_get_str (result, "reply");
    if (cli_json (cli, result))
        return 0;
    if (pretty)
        json_pretty (stdout, reply ? reply : "");
    else
        puts (reply ? reply : "");
    return 0;
}
