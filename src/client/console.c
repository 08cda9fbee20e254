//  console.c: consoles, as calls.

#include "client/message.h"

#include <stdio.h>

DEFINE_AUTO (troupe_args_t, troupe_args_destroy)

uint64_t troupe_console_open (troupe_t *self, const char *domain, const char *device, bool force,
                              int timeout_ms, troupe_error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", domain);
    if (device)
        troupe_args_str (args, "device", device);
    if (force)
        troupe_args_bool (args, "force", true);
    auto(troupe_message_t) reply = troupe_call (self, "console.open", args, timeout_ms, err);
    if (!reply)
        return 0;
    uint64_t stream = troupe_get_u64 (troupe_message_value (reply), "stream", 0);
    if (stream == 0) {
        error_t failure;
        error_set (&failure, ERR_RPC, "open the console of '%s': the daemon named no stream",
                   domain);
        public_error (err, &failure);
    }
    return stream;
}

uint64_t troupe_console_write (troupe_t *self, uint64_t stream, const void *bytes, size_t size,
                               troupe_error_t *err)
{
    if (size > TROUPE_CONSOLE_WRITE_MAX) {
        error_t failure;
        error_set (&failure, ERR_INVALID_ARG, "write %zu bytes to a console: %d is the limit", size,
                   TROUPE_CONSOLE_WRITE_MAX);
        public_error (err, &failure);
        return 0;
    }
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_u64 (args, "stream", stream);
    troupe_args_bin (args, "data", bytes, size);
    //  A guest may leave its input unread for as long as it likes.
    troupe_options_t options = { .limit_ms = -1 };
    return troupe_send (self, "console.write", args, &options, err);
}

int troupe_console_close (troupe_t *self, uint64_t stream, int timeout_ms, troupe_error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_u64 (args, "stream", stream);
    auto(troupe_message_t) reply = troupe_call (self, "console.close", args, timeout_ms, err);
    return reply ? 0 : -1;
}
