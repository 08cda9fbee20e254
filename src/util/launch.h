//  launch.h: the daemon's side of troupe-launch's protocol (launcher/launch_protocol.h), as pure
//  functions; who owns the socket moves the bytes.

#ifndef TROUPE_LAUNCH_H
#define TROUPE_LAUNCH_H

#include "launcher/launch_protocol.h"
#include "util/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    const char *const *argv;    //  NULL at the end; argv[0] is absolute
    const char *const *env;     //  the whole environment, NULL at the end
    const char *folder;         //  NULL: "/"
    const char *log;            //  NULL: none
    const char *const *cgroups; //  absolute folders, NULL at the end; may be NULL
    uid_t uid;                  //  both 0: as the daemon
    gid_t gid;
    const gid_t *groups; //  supplementary ones, when uid and gid are given
    size_t group_count;
    bool drop_capabilities;
    bool bounded;           //  no capabilities but the daemon's own, which are inheritable
    bool tied;              //  to the thread that starts the launcher: killed when that ends
    uint64_t memlock_bytes; //  0: as the daemon
    struct {
        const char *path; //  NULL at the end
        int fd;
    } listen[LAUNCH_LIST_MAX];
    const char *const *devices; //  "FD:" and device_text's, NULL at the end; may be NULL
    int keep[LAUNCH_LIST_MAX];  //  0 at the end
} launch_t;

//  What is sent to the launcher first: the spec with its size before it. ERR_INVALID_ARG if it is
//  longer than the launcher takes. The caller frees it.
char *launch_encode (const launch_t *launch, size_t *size, error_t *err);

typedef enum {
    LAUNCH_WAITING, //  no whole line yet
    LAUNCH_READY,
    LAUNCH_FAILED //  ERR is filled
} launch_answer_t;

//  What the launcher said, in SIZE bytes received so far; *USED of them were the answer. The end
//  of the stream after "go" means that the program was executed; before "ready", that the launcher
//  died.
launch_answer_t launch_answer (const char *bytes, size_t size, size_t *used, error_t *err);

//  The longest answer: a buffer of this size always has room for it.
#define LAUNCH_ANSWER_MAX (ERROR_MESSAGE_MAX + 16)

#endif
