//  qmp.h: QEMU's monitor protocol as text: lines, what kind they are, and their ids. No I/O.
//  (QEMU's "QMP protocol specification", docs/interop/qmp-spec.) Guest agents speak it as well.

#ifndef TROUPE_QMP_H
#define TROUPE_QMP_H

#include "util/auto.h"
#include "util/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define QMP_MAX_LINE (16u * 1024 * 1024)
//  Of arrays and objects. A chain of N backing files nests about N deep in query-block.
#define QMP_MAX_DEPTH 512

//  Bytes as they came, cut into lines.
typedef struct {
    char *data;
    size_t begin, scanned, end, room;
} qmp_input_t;

void qmp_input_close (qmp_input_t *self);
//  -1 if a line is longer than QMP_MAX_LINE.
int qmp_input_add (qmp_input_t *self, const void *bytes, size_t size, error_t *err);
//  The next whole line that is not blank, without its end, NUL-terminated; NULL if there is none.
//  Valid until the next qmp_input_add.
const char *qmp_input_next (qmp_input_t *self, size_t *size);
//  Bytes of a line that has not ended.
size_t qmp_input_left (const qmp_input_t *self);

typedef enum {
    QMP_GREETING,
    QMP_RETURN, //  the answer to a command: it succeeded
    QMP_ERROR,  //  ... or it failed
    QMP_EVENT,
    QMP_OTHER //  an object, but none of these
} qmp_kind_t;

#define QMP_NO_ID UINT64_MAX

typedef struct {
    qmp_kind_t kind;
    uint64_t id;     //  of an answer: the number of qmp_command; QMP_NO_ID if it has none of ours
    bool has_id;     //  ours or not
    char desc[512];  //  QMP_ERROR: "CommandNotFound: The command x has not been found"
    char event[128]; //  QMP_EVENT: its name
} qmp_line_t;

//  Which line it is. -1 if it is no JSON object.
int qmp_read (const char *line, size_t size, qmp_line_t *read, error_t *err);

//  COMMAND (an object with execute or exec-oob, and arguments) as the line to send, with newline,
//  under the number ID (QMP_NO_ID: without one). ERR_INVALID_ARG if it is none. The caller frees
//  it.
char *qmp_command (const char *command, uint64_t id, error_t *err);

//  For who asked: what ANSWER (a whole answer's text of WHO, "QEMU") holds under "return", which
//  the caller releases; or NULL with its own words, WHAT naming the command. Integers above
//  INT64_MAX, which QEMU uses for "unknown", become INT64_MAX.
json_t *qmp_result (const char *answer, const char *who, const char *what, error_t *err);
//  The same of WHO answers in this protocol ("the guest agent"), with the code REFUSED for an
//  error.
json_t *qmp_return (const char *answer, const char *who, const char *what, error_code_t refused,
                    error_t *err);

#endif
