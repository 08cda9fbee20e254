//  jobs_pci.c: what is done to a host's PCI device: by troupe-pci, a process of its own that the
//  job can leave, since the kernel may take as long as it likes.

#include "actors/jobs/jobs.h"

#include "drivers/run_program.h"
#include "util/text.h"

#include <string.h>

enum {
    PCI_MS = 100000,
    UNUSED_MS = 30000, //  for a device that goes back: until nobody uses it
    ARGUMENTS_MAX = 5
};

//  ARGUMENTS: what comes behind the address, NULL at the end; OUTPUT: as run_program has it.
static int run_pci (job_actor_t *self, const char *command, const char *what,
                    const char *const *arguments, char **output, error_t *err)
{
    static const char *const env[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
    const char *address = value_str (job_arg (self, "address"));
    autofree char *program = text_format ("%s/troupe-pci", self->helpers);
    autofree char *log = text_format ("%s/pci/%s.output", self->config->paths->run, address);
    autofree char *name = text_format ("%s PCI device '%s'", what, address);
    const char *argv[ARGUMENTS_MAX + 5] = { program, value_str (job_arg (self, "sysfs")), command,
                                            address };
    for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i]; i++)
        argv[4 + i] = arguments[i];
    //  Whose files a process has open is the business of the privileged.
    spawn_t spawn = { .argv = argv, .env = env, .log = log, .tied = true, .privileged = true };
    return run_program (&self->base, &spawn, name, PCI_MS, output, err);
}

static const char *text_of (job_actor_t *self, const char *name)
{
    const char *text = value_str (job_arg (self, name));
    return text ? text : "";
}

int job_run_pci_detach (job_actor_t *self, error_t *err)
{
    const char *arguments[] = { text_of (self, "returns_to"), text_of (self, "override"),
                                text_of (self, "wanted"),     text_of (self, "saved"),
                                text_of (self, "user"),       NULL };
    return run_pci (self, "detach", "to detach", arguments, NULL, err);
}

int job_run_pci_return (job_actor_t *self, error_t *err)
{
    autofree char *wait = text_format ("%d", UNUSED_MS);
    const char *arguments[] = { text_of (self, "returns_to"), text_of (self, "override"), wait,
                                text_of (self, "saved"), NULL };
    return run_pci (self, "return", "to give back", arguments, NULL, err);
}

int job_run_pci_reset (job_actor_t *self, error_t *err)
{
    const char *arguments[] = { NULL };
    return run_pci (self, "reset", "to reset", arguments, NULL, err);
}

int job_run_pci_read (job_actor_t *self, error_t *err)
{
    autofree char *said = NULL;
    const char *arguments[] = { NULL };
    if (run_pci (self, "read", "to read what its card has set for", arguments, &said, err))
        return -1;
    said[strcspn (said, "\n")] = 0;
    pack_map (&self->value);
    pack_key_str (&self->value, "settings", said);
    pack_end (&self->value);
    return 0;
}

int job_run_pci_restore (job_actor_t *self, error_t *err)
{
    const char *arguments[] = { text_of (self, "saved"), NULL };
    return run_pci (self, "restore", "to restore what its card had set for", arguments, NULL, err);
}
