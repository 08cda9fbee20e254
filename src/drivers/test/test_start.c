//  test_start.c: starts a simulated guest: effects one by one, each with its undo pushed before.

#include "drivers/test/test_behaviour.h"
#include "drivers/test/test_driver.h"

#include <string.h>

const char *const test_files[] = { "marker", "devices", "console", NULL };

char *test_path (const job_t *job, const char *suffix)
{
    return text_format ("%s/test/%s.%s", job->paths->run, job->guest->uuid, suffix);
}

//  Aliases as a running guest's document has them: a serial console is its serial port.
static void add_aliases (xml_node_t *devices)
{
    xml_foreach (device, devices, NULL) {
        const char *kind = xml_name (device), *target = xml_string (device, "target/@type");
        if (xml_string (device, "alias/@name") || xml_is (device, "emulator"))
            continue;
        int index = 0;
        for (const xml_node_t *other = xml_first (devices, kind); other != device;
             other = xml_next (other, kind))
            index++;
        if (xml_is (device, "interface"))
            kind = "net";
        else if (xml_is (device, "console") && (!target || strcmp (target, "serial") == 0))
            kind = "serial";
        xml_setf (device, "alias/@name", "%s%d", kind, index);
    }
}

static void make_live (guest_t *guest, const xml_t *document)
{
    xml_destroy (&guest->live);
    guest->live = xml_copy (document);
    xml_node_t *domain = xml_root (guest->live);
    xml_setf (domain, "@id", "%d", guest->id);
    add_aliases (xml_find (domain, "devices"));
}

static int make_record (job_t *job, bool running, int64_t ran, error_t *err)
{
    process_t self;
    if (process_identify (getpid (), &self, err))
        return -1;
    guest_t *guest = job->guest;
    xml_destroy (&guest->record);
    guest->record = xml_parse ("<driver/>", strlen ("<driver/>"), "record", err);
    if (!guest->record)
        return -1;
    xml_node_t *facts = xml_add (xml_root (guest->record), "guest");
    xml_set (facts, "@boot", self.boot_id);
    xml_set_u64 (facts, "@ran", (uint64_t) ran);
    if (running)
        xml_setf (facts, "@resumed", "%lld", (long long) job_now (job));
    return 0;
}

//  What a file of the guest says; the caller frees it.
static char *file_text (const guest_t *guest, const char *suffix)
{
    auto(text_t) text = text_new ();
    if (strcmp (suffix, "console") == 0)
        test_console_boot (guest->live, text);
    else if (strcmp (suffix, "devices") == 0) {
        xml_foreach (device, xml_find (xml_root (guest->live), "devices"), NULL)
            if (xml_string (device, "alias/@name"))
                text_addf (text, "%s\n", xml_string (device, "alias/@name"));
    } else
        text_addf (text, "%s\n", guest->name);
    return text_finish (&text);
}

static int run_step (job_t *job, int step, error_t *err)
{
    const char *suffix = test_files[step - 1];
    autofree char *path = test_path (job, suffix);
    autofree char *text = file_text (job->guest, suffix);
    job_progress (job, &(job_progress_t){ .step = suffix,
                                          .processed = (uint64_t) step,
                                          .total = TEST_STEPS,
                                          .remaining = TEST_STEPS - (uint64_t) step });
    if (job_undo (job, "file", path, err) || job_record (job, err) ||
        job_write_file (job, path, text, err))
        return -1;
    return test_behave (job, job->guest->live, "start", step, err);
}

int test_start_from (job_t *job, const xml_t *document, bool running, int64_t ran, error_t *err)
{
    make_live (job->guest, document);
    if (make_record (job, running, ran, err))
        return -1;
    for (int step = 1; step <= TEST_STEPS; step++)
        if (run_step (job, step, err))
            return -1;
    //  It runs from now on, whatever its start took.
    return make_record (job, running, ran, err);
}

int test_start (job_t *job, unsigned flags, error_t *err)
{
    const xml_t *definition = job->guest->definition;
    if (test_behave (job, definition, "start", 0, err))
        return -1;
    return test_start_from (job, definition, !(flags & START_PAUSED), 0, err);
}
