//  rows_stream.c: what opens a stream: consoles and screenshots.

#include "actors/libvirt/rpc_self.h"

enum {
    CONSOLE_FORCE = 1 //  virDomainConsoleFlags
};

static int answer_console (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) ret;
    const char *address = value_get_str (result, "address");
    if (!address)
        return error_set (err, ERR_INTERNAL_ERROR, "%s: the domain named no console",
                          call->entry->procedure->name);
    bool force = value_get_u64 (call->args, "flags", 0) & CONSOLE_FORCE;
    return rpc_stream_console (call, address, force, err);
}

static int answer_screenshot (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    size_t size;
    const void *bytes = value_bin (value_get (result, "data"), &size);
    if (!bytes)
        return error_set (err, ERR_INTERNAL_ERROR, "DOMAIN_SCREENSHOT: there is no picture");
    pack_key_value (ret, "mime", value_get (result, "mime"));
    return rpc_stream_data (call, bytes, size, err);
}

static int prepare_channel (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) call, (void) err;
    pack_key_bool (args, "channel", true);
    return 0;
}

const rpc_row_t rpc_rows_stream[] = {
    //  A console is nobody else's while it is open: that is what "safe" (2) asks for.
    { "DOMAIN_OPEN_CONSOLE", .verb = "console.open", .args = "device=dev_name",
      .flags = FLAGS ({ CONSOLE_FORCE, "force" }, { 2, NULL }), .answer = answer_console },
    //  virDomainChannelFlags has a FORCE of the same number.
    { "DOMAIN_OPEN_CHANNEL", .verb = "console.open", .args = "device=name",
      .flags = FLAGS ({ CONSOLE_FORCE, "force" }), .prepare = prepare_channel,
      .answer = answer_console },
    { "DOMAIN_SCREENSHOT", .verb = "domain.screenshot", .args = "screen",
      .answer = answer_screenshot },
    { 0 },
};
