//  run_program.c: see run_program.h.

#include "drivers/run_program.h"

#include "util/file.h"
#include "util/text.h"

#include <string.h>

#define OUTPUT_MAX_BYTES (4u * 1024 * 1024)

const char *find_program (const char *const *places)
{
    for (; *places; places++)
        if (access (*places, X_OK) == 0)
            return *places;
    return NULL;
}

static int start (job_t *job, const spawn_t *spawn, process_t *process, error_t *err)
{
    char identity[PROCESS_TEXT_SIZE];
    if (job_spawn (job, spawn, process, err))
        return -1;
    process_to_text (process, identity);
    return job_undo (job, "process", identity, err);
}

//  The kernel may keep it, whatever kills it; it goes on then, and ends some day.
static int run (job_t *job, const spawn_t *spawn, const char *name, int ms, int *code, error_t *err)
{
    process_t process;
    if (start (job, spawn, &process, err))
        return -1;
    if (job_run (job, &process, ms, code, err) == 0)
        return 0;
    if (err->code == ERR_OPERATION_TIMEOUT)
        error_set (
            err, ERR_OPERATION_TIMEOUT,
            "%s: '%s' (process %d) did not end within %d s; the kernel's log may say what it "
            "waits for",
            name, spawn->argv[0], (int) process.pid, ms / 1000);
    return -1;
}

int run_program (job_t *job, const spawn_t *spawn, const char *name, int ms, char **output,
                 error_t *err)
{
    return run_program_bytes (job, spawn, name, ms, output, NULL, err);
}

//  What it wrote before it failed may be no text: its words begin with its name. NULL: there are
//  none.
static const char *words_behind (const char *bytes, size_t size, const char *program)
{
    const size_t length = strlen (program);
    for (size_t at = size; at-- > 0;)
        if (size - at > length && memcmp (bytes + at, program, length) == 0)
            return bytes + at;
    return NULL;
}

static int failed (const char *name, const char *said, error_t *err)
{
    autofree char *words = text_copy (said && *said ? said : "it said nothing");
    error_one_line (words);
    return error_set (err, ERR_OPERATION_FAILED, "%s failed: %s", name, words);
}

int run_program_bytes (job_t *job, const spawn_t *spawn, const char *name, int ms, char **output,
                       size_t *size, error_t *err)
{
    int code;
    error_t ignored = { 0 };
    unlink (spawn->log);
    if (run (job, spawn, name, ms, &code, err)) {
        unlink (spawn->log); //  what it wrote so far may be nobody else's to read
        return -1;
    }
    autofree char *said = file_read (spawn->log, OUTPUT_MAX_BYTES, size, &ignored);
    unlink (spawn->log);
    if (code != 0)
        return failed (name, said && size ? words_behind (said, *size, spawn->argv[0]) : said, err);
    if (output)
        *output = said ? take (&said) : text_copy ("");
    return 0;
}
