//  rows_version.c: the version of what runs a connection's domains: major * 1000000 + minor * 1000
//  + release.

#include "actors/libvirt/rpc_self.h"

#include "drivers/qemu/probe/qemu_caps.h"

#include <stdio.h>
#include <sys/utsname.h>

enum {
    SIMULATED = 2,    //  as libvirt's own simulation says
    PROBE_MS = 120000 //  an emulator that nobody has used yet is asked
};

//  What a definition without <emulator> gets.
#define EMULATOR "/usr/bin/qemu-system-x86_64"

static int answer_kernel (pack_t *ret, error_t *err)
{
    struct utsname host;
    unsigned major, minor, release = 0;
    if (uname (&host) || sscanf (host.release, "%u.%u.%u", &major, &minor, &release) < 2)
        return error_set (err, ERR_INTERNAL_ERROR,
                          "CONNECT_GET_VERSION: the kernel's version could not be read");
    pack_key_u64 (ret, "hv_ver", major * 1000000ul + minor * 1000ul + release);
    return 0;
}

static void reply_version (rpc_call_t **call_p, unsigned version)
{
    error_t err;
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_u64 (&pack, "hv_ver", version);
    pack_end (&pack);
    auto(document_t) ret = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    pack_close (&pack);
    rpc_reply (call_p, document_root (ret));
}

static void on_capabilities (actor_t *self, const msg_t *reply, void *arg)
{
    (void) self;
    rpc_call_t *call = arg;
    error_t err;
    if (msg_failed (reply, &err)) {
        rpc_fail (&call, &err);
        return;
    }
    const char *text = value_get_str (msg_value (reply), "capabilities");
    auto(qemu_caps_t) caps = qemu_caps_parse (text ? text : "", &err);
    if (caps)
        reply_version (&call, qemu_caps_version (caps));
    else
        rpc_fail (&call, &err);
}

static int answer_version (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    if (text_equals (call->client->driver, "lxc"))
        return answer_kernel (ret, err);
    if (text_equals (call->client->driver, "test")) {
        pack_key_u64 (ret, "hv_ver", SIMULATED);
        return 0;
    }
    auto(msg_t) msg = msg_request ("emulator.get");
    pack_key_str (msg_args (msg), "path", EMULATOR);
    actor_request (call->actor, "emulators", &msg, PROBE_MS, on_capabilities, call);
    return RPC_LATER;
}

const rpc_row_t rpc_rows_version[] = {
    { "CONNECT_GET_VERSION", .answer = answer_version },
    { 0 },
};
