//  qmp.c: reading and writing QMP's lines.

#include "actors/monitor/qmp.h"

#include "util/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ID_PREFIX "troupe-"

//  Input.

void qmp_input_close (qmp_input_t *self)
{
    free (self->data);
    memset (self, 0, sizeof *self);
}

//  Moves what is left to the front, and makes room for SIZE more and a NUL.
static void make_room (qmp_input_t *self, size_t size)
{
    if (self->begin > 0) {
        memmove (self->data, self->data + self->begin, self->end - self->begin);
        self->end -= self->begin;
        self->scanned -= self->begin;
        self->begin = 0;
    }
    if (self->room - self->end > size)
        return;
    self->room = (self->end + size + 1) * 2;
    self->data = memory_grow (self->data, self->room, 1);
}

int qmp_input_add (qmp_input_t *self, const void *bytes, size_t size, error_t *err)
{
    if (self->room - self->end <= size)
        make_room (self, size);
    memcpy (self->data + self->end, bytes, size);
    self->end += size;
    bool ends = memchr (bytes, '\n', size) != NULL;
    if (!ends && qmp_input_left (self) > QMP_MAX_LINE)
        return error_set (err, ERR_OVERFLOW, "QEMU sent a line of more than %u MiB",
                          QMP_MAX_LINE / 1024 / 1024);
    return 0;
}

static size_t trim (const char *line, size_t size)
{
    while (size > 0 && strchr (" \t\r", line[size - 1]) && line[size - 1])
        size--;
    return size;
}

const char *qmp_input_next (qmp_input_t *self, size_t *size)
{
    while (self->scanned < self->end) {
        char *line = self->data + self->begin;
        char *newline = memchr (self->data + self->scanned, '\n', self->end - self->scanned);
        if (!newline) {
            self->scanned = self->end;
            break;
        }
        self->begin = self->scanned = (size_t) (newline - self->data) + 1;
        *size = trim (line, (size_t) (newline - line));
        line[*size] = 0;
        if (*size > 0)
            return line;
    }
    return NULL;
}

size_t qmp_input_left (const qmp_input_t *self)
{
    return self->end - self->begin;
}

//  JSON.

//  The parser recurses: what would take its stack is refused before.
static bool too_deep (const char *text, size_t size)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == '[' || text[i] == '{') && ++depth > QMP_MAX_DEPTH)
            return true;
        else if (!quoted && (text[i] == ']' || text[i] == '}'))
            depth--;
    }
    return false;
}

static json_t *parse_object (const char *text, size_t size, size_t flags, error_code_t code,
                             error_t *err)
{
    json_error_t why = { .text = "it nests too deep" };
    json_t *object = too_deep (text, size) ? NULL : json_loadb (text, size, flags, &why);
    if (json_is_object (object))
        return object;
    //  What the parser says may quote half a character: only its place is passed on.
    error_set (err, code, "not a JSON object (%zu bytes, at byte %d)", size,
               object ? 0 : why.position);
    json_decref (object);
    return NULL;
}

static uint64_t read_id (const json_t *object)
{
    const char *text = json_string_value (json_object_get (object, "id"));
    uint64_t id = QMP_NO_ID;
    if (!text || strncmp (text, ID_PREFIX, strlen (ID_PREFIX)) != 0 ||
        !text_to_u64 (text + strlen (ID_PREFIX), &id))
        return QMP_NO_ID;
    return id;
}

static const char *string_of (const json_t *object, const char *key)
{
    const char *text = json_string_value (json_object_get (object, key));
    return text ? text : "";
}

static void describe (const json_t *error, char *text, size_t size)
{
    const char *class = string_of (error, "class");
    snprintf (text, size, "%s%s%s", class, *class ? ": " : "", string_of (error, "desc"));
}

int qmp_read (const char *line, size_t size, qmp_line_t *read, error_t *err)
{
    memset (read, 0, sizeof *read);
    //  With integers as reals: one above INT64_MAX is an error to jansson otherwise.
    json_t *object = parse_object (line, size, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL,
                                   ERR_OPERATION_FAILED, err);
    if (!object)
        return -1;
    const json_t *error = json_object_get (object, "error");
    read->id = read_id (object);
    read->has_id = json_object_get (object, "id") != NULL;
    read->kind = QMP_OTHER;
    if (error) {
        read->kind = QMP_ERROR;
        describe (error, read->desc, sizeof read->desc);
    } else if (json_object_get (object, "return"))
        read->kind = QMP_RETURN;
    else if (json_is_string (json_object_get (object, "event"))) {
        read->kind = QMP_EVENT;
        snprintf (read->event, sizeof read->event, "%s", string_of (object, "event"));
    } else if (json_object_get (object, "QMP"))
        read->kind = QMP_GREETING;
    json_decref (object);
    return 0;
}

//  The first member that no command has, or NULL.
static const char *stranger (json_t *object)
{
    static const char *const members[] = { "execute", "exec-oob", "arguments", "control" };
    const char *key;
    json_t *value;
    json_object_foreach (object, key, value)
    {
        bool known = false;
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            known = known || strcmp (members[i], key) == 0;
        if (!known)
            return key;
    }
    return NULL;
}

static int check_command (json_t *object, error_t *err)
{
    const char *strange = stranger (object);
    if (strange && strcmp (strange, "id") == 0)
        return error_set (err, ERR_INVALID_ARG,
                          "QMP command: leave 'id' out; the monitor numbers the commands itself");
    if (strange)
        return error_set (err, ERR_INVALID_ARG, "QMP command: unknown member '%s'", strange);
    bool named = json_is_string (json_object_get (object, "execute")) !=
                 json_is_string (json_object_get (object, "exec-oob"));
    if (!named)
        return error_set (err, ERR_INVALID_ARG,
                          "QMP command: one of 'execute' and 'exec-oob' has to name the command");
    return 0;
}

char *qmp_command (const char *command, uint64_t id, error_t *err)
{
    json_t *object =
        parse_object (command, strlen (command), JSON_REJECT_DUPLICATES, ERR_INVALID_ARG, err);
    if (!object) {
        error_prefix (err, "QMP command");
        return NULL;
    }
    char *line = NULL;
    if (check_command (object, err) == 0) {
        char text[32];
        snprintf (text, sizeof text, ID_PREFIX "%" PRIu64, id);
        if (id != QMP_NO_ID)
            json_object_set_new (object, "id", json_string (text));
        autofree char *json = json_dumps (object, JSON_COMPACT);
        line = text_format ("%s\n", json ? json : "{}");
    }
    json_decref (object);
    return line;
}

//  Results.

static bool above_int64 (const char *digits, size_t size)
{
    static const char most[] = "9223372036854775807";
    return size > sizeof most - 1 || (size == sizeof most - 1 && memcmp (digits, most, size) > 0);
}

//  A copy in which each integer above INT64_MAX is INT64_MAX.
static char *bound_integers (const char *text)
{
    auto(text_t) bounded = text_new ();
    bool quoted = false;
    for (const char *at = text; *at;) {
        size_t digits = quoted ? 0 : strspn (at, "0123456789");
        bool whole = !strchr (".eE", at[digits]) || !at[digits];
        if (digits > 0 && whole && above_int64 (at, digits)) {
            text_add (bounded, "9223372036854775807");
            at += digits;
            continue;
        }
        size_t size = digits ? digits + strspn (at + digits, ".eE+-0123456789") : 1;
        if (quoted && at[0] == '\\' && at[1])
            size = 2;
        else if (at[0] == '"')
            quoted = !quoted;
        text_add_bytes (bounded, at, size);
        at += size;
    }
    return text_finish (&bounded);
}

json_t *qmp_return (const char *answer, const char *who, const char *what, error_code_t refused,
                    error_t *err)
{
    autofree char *bounded = bound_integers (answer);
    json_t *object =
        parse_object (bounded, strlen (bounded), JSON_ALLOW_NUL, ERR_OPERATION_FAILED, err);
    if (!object) {
        error_prefix (err, "%s's answer to %s", who, what);
        return NULL;
    }
    json_t *result = json_incref (json_object_get (object, "return"));
    const json_t *error = json_object_get (object, "error");
    char desc[512];
    if (error)
        describe (error, desc, sizeof desc);
    if (error)
        error_set (err, refused, "%s refused %s: %s", who, what, desc);
    else if (!result)
        error_set (err, ERR_OPERATION_FAILED, "%s's answer to %s has neither return nor error", who,
                   what);
    json_decref (object);
    return result;
}

json_t *qmp_result (const char *answer, const char *who, const char *what, error_t *err)
{
    return qmp_return (answer, who, what, ERR_OPERATION_FAILED, err);
}
