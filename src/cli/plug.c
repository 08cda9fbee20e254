//  plug.c: devices that come, go and change, written as XML in a file; with virsh's options.

#include "cli/plug.h"

#include <stdio.h>
#include <string.h>

xml_t *plug_new (const char *name)
{
    error_t err = { 0 };
    autofree char *text = text_format ("<%s/>", name);
    return xml_parse (text, strlen (text), name, &err);
}

void plug_set (xml_t *device, const char *path, const options_t *options, const char *option)
{
    const char *text = options_str (options, option);
    if (text)
        xml_set (xml_root (device), path, text);
}

//  Of what: --persistent is --config, and --live if the domain runs.
static int add_scope (cli_t *cli, troupe_args_t *args, const options_t *options, error_t *err)
{
    bool live = options_flag (options, "live"), config = options_flag (options, "config");
    if (run_check_scope (cli, options, err))
        return -1;
    if (options_flag (options, "persistent") && !live) {
        auto(troupe_message_t) info =
            cli_call_domain (cli, "domain.info", options_str (options, "domain"), err);
        if (!info)
            return -1;
        live = troupe_get_i64 (troupe_message_value (info), "id", -1) > 0;
    }
    if (live)
        troupe_args_bool (args, "live", true);
    if (config || options_flag (options, "persistent"))
        troupe_args_bool (args, "config", true);
    return 0;
}

static int call (cli_t *cli, const options_t *options, const char *verb, troupe_args_t *args,
                 const char *done, error_t *err)
{
    troupe_args_str (args, "domain", options_str (options, "domain"));
    if (options_flag (options, "force"))
        troupe_args_bool (args, "force", true);
    if (add_scope (cli, args, options, err))
        return -1;
    auto(troupe_message_t) reply = cli_call (cli, verb, args, err);
    if (!reply)
        return -1;
    const troupe_value_t *value = troupe_message_value (reply);
    if (cli_json (cli, value))
        return 0;
    //  Of those that detach.
    bool asked = !troupe_get_bool (value, "gone", true);
    cli_say (cli, "%s\n", asked ? "Device detach request sent successfully" : done);
    return 0;
}

int plug_call (cli_t *cli, const options_t *options, const char *verb, const xml_t *device,
               const char *done, error_t *err)
{
    autofree char *text = xml_text (device);
    if (options_flag (options, "print_xml")) {
        fputs (text, stdout);
        return 0;
    }
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "xml", text);
    return call (cli, options, verb, args, done, err);
}

//  As libvirt: of the definition if nothing but that is meant, or the domain does not run.
xml_t *plug_domain_xml (cli_t *cli, const options_t *options, error_t *err)
{
    bool config = options_flag (options, "config") && !options_flag (options, "live");
    return run_domain_xml (cli, options_str (options, "domain"), config, err);
}

static int call_with_file (cli_t *cli, const options_t *options, const char *verb, const char *done,
                           error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    if (options_add_file (args, "xml", options_str (options, "file"), err))
        return -1;
    return call (cli, options, verb, args, done, err);
}

int run_attach_device (cli_t *cli, const options_t *options, error_t *err)
{
    return call_with_file (cli, options, "domain.device_attach", "Device attached successfully",
                           err);
}

int run_detach_device (cli_t *cli, const options_t *options, error_t *err)
{
    return call_with_file (cli, options, "domain.device_detach", "Device detached successfully",
                           err);
}

int run_update_device (cli_t *cli, const options_t *options, error_t *err)
{
    return call_with_file (cli, options, "domain.device_update", "Device updated successfully",
                           err);
}

int run_detach_device_alias (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "alias", options_str (options, "alias"));
    return call (cli, options, "domain.device_detach", args, "Device detached successfully", err);
}
