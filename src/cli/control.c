//  control.c: commands that do something to a running guest and change nothing of its definition,
//  and those that say how to get at it.

#include "cli/run.h"

#include <inttypes.h>
#include <string.h>

//  The words of TEXT; the caller owns the list.
static strings_t *words_of (const char *text)
{
    strings_t *words = strings_new ();
    autofree char *copy = text_copy (text);
    char *rest = copy;
    for (char *word; (word = strsep (&rest, " "));)
        if (*word)
            strings_add (words, word);
    return words;
}

//  Calls a verb that answers nothing, and says SAID of the domain.
static int control (cli_t *cli, const options_t *options, const char *verb,
                    const troupe_args_t *args, const char *said, error_t *err)
{
    auto(troupe_message_t) reply = cli_call (cli, verb, args, err);
    if (!reply)
        return -1;
    if (cli_json (cli, troupe_message_value (reply)) || !*said)
        return 0;
    autofree char *name = run_domain_name (cli, options, err);
    if (!name)
        return -1;
    run_say (cli, options, said, name);
    return 0;
}

int run_send_key (cli_t *cli, const options_t *options, error_t *err)
{
    const char *given = options_str (options, "keycode"),
               *codeset = options_str (options, "codeset");
    auto(troupe_args_t) args = troupe_args_new ();
    auto(strings_t) keys = words_of (given ? given : "");
    if (keys->count == 0)
        return cli_usage (cli, err,
                          "send-key: which keys? Such as KEY_LEFTCTRL KEY_LEFTALT KEY_F2");
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_strs (args, "keys", strings_list (keys), keys->count);
    if (codeset)
        troupe_args_str (args, "codeset", codeset);
    if (options_str (options, "holdtime"))
        troupe_args_u64 (args, "hold_ms", options_u64 (options, "holdtime", 0));
    return control (cli, options, "domain.send_key", args, "", err);
}

int run_domdirtyrate_calc (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    const char *mode = options_str (options, "mode");
    troupe_args_str (args, "domain", options_str (options, "domain"));
    if (options_str (options, "seconds"))
        troupe_args_u64 (args, "seconds", options_u64 (options, "seconds", 1));
    if (mode)
        troupe_args_str (args, "mode", mode);
    return control (cli, options, "domain.dirty_rate_start", args,
                    "Started to measure how fast domain '{name}' writes its memory; domstats "
                    "--dirtyrate shows it then",
                    err);
}

int run_domblkthreshold (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_str (args, "disk", options_str (options, "dev"));
    if (run_add_size (cli, args, options, "threshold", 1, err))
        return -1;
    return control (cli, options, "domain.block_threshold_set", args, "", err);
}

static void print_lines (const options_t *options, const troupe_value_t *lines)
{
    (void) options;
    for (size_t i = 0; i < troupe_count (lines); i++)
        puts (troupe_str (troupe_at (lines, i)));
}

int run_get_user_sshkeys (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_lines, err);
}

//  The lines of a file that are no comments.
static int add_keys (troupe_args_t *args, const char *path, error_t *err)
{
    autofree char *text = options_read_file (path, err);
    auto(strings_t) keys = strings_new ();
    char *rest = text;
    if (!text)
        return -1;
    for (char *line; (line = strsep (&rest, "\n"));)
        if (*line && *line != '#')
            strings_add (keys, line);
    if (keys->count == 0)
        return error_set (err, ERR_INVALID_ARG, "'%s' has no key in it", path);
    troupe_args_strs (args, "keys", strings_list (keys), keys->count);
    return 0;
}

int run_set_user_sshkeys (cli_t *cli, const options_t *options, error_t *err)
{
    const char *file = options_str (options, "file");
    bool reset = options_flag (options, "reset"), remove = options_flag (options, "remove");
    auto(troupe_args_t) args = troupe_args_new ();
    if (reset && remove)
        return cli_usage (cli, err, "set-user-sshkeys: --reset does not go with --remove");
    if (!file && !reset)
        return cli_usage (cli, err, "set-user-sshkeys: which keys? Give a --file with them");
    if (file && add_keys (args, file, err))
        return -1;
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_str (args, "user", options_str (options, "user"));
    if (reset)
        troupe_args_bool (args, "reset", true);
    if (remove)
        troupe_args_bool (args, "remove", true);
    return control (cli, options, "domain.ssh_keys_set", args, "", err);
}

//  Is there something that keeps its hypervisor from answering?
int run_domcontrol (cli_t *cli, const options_t *options, error_t *err)
{
    const char *domain = options_str (options, "domain");
    auto(troupe_message_t) state = cli_call_domain (cli, "domain.state", domain, err);
    auto(troupe_message_t) job =
        state ? cli_call_domain (cli, "domain.job_info", domain, err) : NULL;
    if (!job)
        return -1;
    const troupe_value_t *info = troupe_message_value (job);
    bool silent = troupe_get_u64 (troupe_message_value (state), "silent_since_us", 0) > 0;
    if (cli->json)
        printf ("{\n  \"state\": \"%s\"\n}\n", silent                          ? "error"
                                               : troupe_get_str (info, "kind") ? "job"
                                                                               : "ok");
    else if (silent)
        puts ("error: its hypervisor does not respond");
    else if (troupe_get_str (info, "kind"))
        printf ("job: %s (%.3fs)\n", troupe_get_str (info, "kind"),
                (double) troupe_get_u64 (info, "elapsed_ms", 0) / 1000);
    else
        puts ("ok");
    return 0;
}

//  Displays.

static char *vnc_uri (const xml_node_t *graphics, bool password)
{
    uint64_t port = 0;
    error_t ignored; //  it has none: not started, or at a socket
    const char *host = xml_string (graphics, "listen/@address");
    const char *socket = xml_string (graphics, "listen/@socket");
    const char *secret = password ? xml_string (graphics, "@passwd") : NULL;
    if (socket)
        return text_format ("vnc+unix://%s", socket);
    if (xml_u64 (graphics, "@port", &port, &ignored) || port < 5900 || port > UINT16_MAX)
        return NULL;
    bool any = !host || !*host || strcmp (host, "0.0.0.0") == 0 || strcmp (host, "::") == 0;
    bool v6 = !any && strchr (host, ':');
    return text_format ("vnc://%s%s%s%s%s%s:%" PRIu64, secret ? ":" : "", secret ? secret : "",
                        secret ? "@" : "", v6 ? "[" : "", any ? "localhost" : host, v6 ? "]" : "",
                        port - 5900);
}

static xml_t *live_xml (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    if (options_flag (options, "include_password"))
        troupe_args_bool (args, "security_info", true);
    auto(troupe_message_t) reply = cli_call (cli, "domain.xml", args, err);
    const char *text = reply ? troupe_get_str (troupe_message_value (reply), "xml") : NULL;
    return text ? xml_parse (text, strlen (text), "domain XML", err) : NULL;
}

int run_domdisplay (cli_t *cli, const options_t *options, error_t *err)
{
    const char *type = options_str (options, "type");
    bool all = options_flag (options, "all"), password = options_flag (options, "include_password");
    auto(strings_t) uris = strings_new ();
    auto(xml_t) doc = live_xml (cli, options, err);
    if (!doc)
        return -1;
    if (!xml_string (xml_root (doc), "@id"))
        return error_set (err, ERR_OPERATION_INVALID,
                          "domdisplay: domain '%s' is not running, so it has no display",
                          options_str (options, "domain"));
    xml_foreach (graphics, xml_find (xml_root (doc), "devices"), "graphics") {
        char *uri = NULL;
        if (xml_equals (graphics, "@type", "vnc") && (!type || strcmp (type, "vnc") == 0) &&
            (all || uris->count == 0))
            uri = vnc_uri (graphics, password);
        if (uri)
            strings_add_taken (uris, uri);
    }
    if (uris->count == 0)
        return error_set (err, ERR_DEVICE_MISSING, "domdisplay: domain '%s' has no display%s%s",
                          options_str (options, "domain"), type ? " of type " : "",
                          type ? type : "");
    return run_print_texts (cli, uris);
}
