//  rows_control.c: what is done to a running guest and leaves its definition alone; and what is to
//  be done when it ends.

#include "actors/libvirt/rpc_self.h"

#include <inttypes.h>

//  NAME of what the field FIELD numbers, of NAMES (NULL: there is none of this number).
static int pack_choice (const rpc_call_t *call, const char *field, const char *const *names,
                        size_t count, pack_t *args, error_t *err)
{
    uint64_t number = value_get_u64 (call->args, field, UINT64_MAX);
    if (number >= count || !names[number])
        return error_set (err, ERR_INVALID_ARG, "%s: not supported: %s %lld",
                          call->entry->procedure->name, field,
                          (long long) value_get_i64 (call->args, field, 0));
    pack_key_str (args, field, names[number]);
    return 0;
}

//  virKeycodeSet
static int prepare_keys (rpc_call_t *call, pack_t *args, error_t *err)
{
    static const char *const codesets[] = { "linux", "xt", "atset1", "atset2", "atset3",
                                            NULL,    NULL, "usb",    "win32",  "qnum" };
    const value_t *codes = value_get (call->args, "keycodes");
    uint64_t code;
    pack_key_array (args, "keys");
    for (size_t i = 0; i < value_count (codes) && value_u64 (value_at (codes, i), &code); i++) {
        char text[24];
        snprintf (text, sizeof text, "%" PRIu64, code);
        pack_str (args, text);
    }
    pack_end (args);
    return pack_choice (call, "codeset", codesets, sizeof codesets / sizeof *codesets, args, err);
}

//  virDomainLifecycle and virDomainLifecycleAction
static int prepare_lifecycle (rpc_call_t *call, pack_t *args, error_t *err)
{
    static const char *const types[] = { "poweroff", "reboot", "crash" };
    static const char *const actions[] = { "destroy",  "restart",          "rename-restart",
                                           "preserve", "coredump-destroy", "coredump-restart" };
    return pack_choice (call, "type", types, sizeof types / sizeof *types, args, err) ||
                   pack_choice (call, "action", actions, sizeof actions / sizeof *actions, args,
                                err)
               ? -1
               : 0;
}

//  virDomainProcessSignal
static int prepare_signal (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) err;
    char text[24];
    snprintf (text, sizeof text, "%" PRIu64, value_get_u64 (call->args, "signum", 0));
    pack_key_str (args, "signal", text);
    return 0;
}

//  virNodeSuspendTarget
static int prepare_suspend (rpc_call_t *call, pack_t *args, error_t *err)
{
    static const char *const targets[] = { "mem", "disk", "hybrid" };
    return pack_choice (call, "target", targets, sizeof targets / sizeof *targets, args, err);
}

//  virDomainDirtyRateCalcFlags
static int prepare_dirty_rate (rpc_call_t *call, pack_t *args, error_t *err)
{
    enum {
        BITMAP = 1,
        RING = 2
    };
    uint64_t flags = value_get_u64 (call->args, "flags", 0);
    if (flags == (BITMAP | RING))
        return error_set (err, ERR_INVALID_ARG,
                          "DOMAIN_START_DIRTY_RATE_CALC: its modes exclude each other");
    pack_key_str (args, "mode",
                  flags == BITMAP ? "dirty-bitmap"
                  : flags == RING ? "dirty-ring"
                                  : "page-sampling");
    return 0;
}

//  The keys of a user in the guest. virDomainAuthorizedSSHKeysSetFlags: 1 adds, 2 takes away, else
//  there are these only.
static int prepare_ssh_keys (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) err;
    if (value_get_u64 (call->args, "flags", 0) == 0)
        pack_key_bool (args, "reset", true);
    pack_key_value (args, "keys", value_get (call->args, "keys"));
    return 0;
}

static int answer_ssh_keys (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    pack_key_value (ret, "keys", result);
    return 0;
}

//  virDomainMemoryFlags: one of them.
enum {
    PEEK_VIRTUAL = 1,
    PEEK_PHYSICAL = 2
};

static int prepare_peek (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) args;
    uint64_t flags = value_get_u64 (call->args, "flags", 0);
    if (flags == PEEK_VIRTUAL || flags == PEEK_PHYSICAL)
        return 0;
    return error_set (err, ERR_INVALID_ARG,
                      "DOMAIN_MEMORY_PEEK: say either virtual or physical addresses");
}

const rpc_row_t rpc_rows_control[] = {
    { "DOMAIN_MEMORY_PEEK", .verb = "domain.memory_peek", .args = "address=offset size",
      .flags = FLAGS ({ PEEK_VIRTUAL, "virtual" }, { PEEK_PHYSICAL, NULL }),
      .prepare = prepare_peek, .ret = "buffer=data" },
    { "DOMAIN_BLOCK_PEEK", .verb = "domain.block_peek", .args = "disk=path offset size",
      .ret = "buffer=data" },
    { "DOMAIN_SEND_KEY", .verb = "domain.send_key", .args = "hold_ms=holdtime",
      .prepare = prepare_keys },
    { "DOMAIN_INJECT_NMI", .verb = "domain.inject_nmi" },
    { "DOMAIN_PM_WAKEUP", .verb = "domain.pm_wakeup" },
    { "DOMAIN_SEND_PROCESS_SIGNAL", .verb = "domain.send_signal", .args = "pid=pid_value",
      .prepare = prepare_signal },
    { "DOMAIN_PM_SUSPEND_FOR_DURATION", .verb = "domain.pm_suspend", .args = "duration",
      .prepare = prepare_suspend },
    { "DOMAIN_START_DIRTY_RATE_CALC", .verb = "domain.dirty_rate_start", .args = "seconds",
      .flags = FLAGS ({ 1 | 2, NULL }), .prepare = prepare_dirty_rate },
    { "DOMAIN_SET_BLOCK_THRESHOLD", .verb = "domain.block_threshold_set",
      .args = "disk=dev threshold" },
    { "DOMAIN_SET_LIFECYCLE_ACTION", .verb = "domain.lifecycle_action_set",
      .flags = FLAGS ({ 1, "live" }, { 2, "config" }), .prepare = prepare_lifecycle },
    { "DOMAIN_AUTHORIZED_SSH_KEYS_GET", .verb = "domain.ssh_keys", .args = "user",
      .answer = answer_ssh_keys },
    { "DOMAIN_AUTHORIZED_SSH_KEYS_SET", .verb = "domain.ssh_keys_set", .args = "user",
      .flags = FLAGS ({ 1, NULL }, { 2, "remove" }), .prepare = prepare_ssh_keys },
    { 0 },
};
