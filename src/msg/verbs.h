//  verbs.h: the verb table, the one list of what the system can do (verbs.def). From it come
//  routing, access checks, argument checks, job admission, the command line and its help, and
//  docs/protocol.md.

#ifndef TROUPE_VERBS_H
#define TROUPE_VERBS_H

#include "msg/value.h"

//  Where a call is answered. GATEWAY: from the published snapshots, without asking anybody.
typedef enum {
    OWNER_GATEWAY,
    OWNER_HOST,
    OWNER_DOMAIN,
    OWNER_SWITCHBOARD,
    OWNER_NETWORK,
    OWNER_LINKS,
    OWNER_DEVICES
} verb_owner_t;

typedef enum {
    ACCESS_READ,
    ACCESS_WRITE,
    ACCESS_ADMIN
} access_t;

//  What the domain's admission table (actors/domain/admission.h) goes by.
typedef enum {
    CLASS_QUERY,     //  never a job
    CLASS_MODIFY,    //  a synchronous change
    CLASS_SUSPEND,   //  suspend and resume
    CLASS_START,     //  async job: start, restore
    CLASS_JOB,       //  async job on a running guest: save, dump
    CLASS_DESTROY,   //  at once, always
    CLASS_STREAM,    //  console: beside everything
    CLASS_MIGRATION, //  what steers a migration under way
    CLASS_HOTPLUG,   //  devices come and go
    CLASS_AGENT,     //  the guest's agent is asked: beside everything
    CLASS_LIMITS,    //  of the migration under way, or of the next one
    CLASS_COUNT
} verb_class_t;

typedef enum {
    TYPE_STR,
    TYPE_NAME,   //  a string that is not empty, without '/', control characters; 255 bytes at most
    TYPE_XML,    //  a document of at most 4 MiB; the command line reads it from a file
    TYPE_DOMAIN, //  name, uuid or id of a domain: a string or an integer
    TYPE_U64,
    TYPE_I64,
    TYPE_BOOL,
    TYPE_BIN,
    TYPE_STRS,   //  an array of strings
    TYPE_NETWORK //  name or uuid of a network
} arg_type_t;

enum {
    ARG_REQUIRED = 1
};

typedef struct {
    const char *name;
    arg_type_t type;
    unsigned flags;
    const char *choices; //  "a|b|c", or NULL: anything of the type
    const char *help;
} verb_arg_t;

typedef struct {
    const char *name; //  "domain.create"
    verb_owner_t owner;
    access_t access;
    verb_class_t class;
    const char *command;    //  of the command line; NULL: none of its own
    const verb_arg_t *args; //  name NULL at the end
    const char *result;     //  in words, for the documentation
    const char *help;       //  one line
} verb_t;

extern const verb_t verbs[]; //  name NULL at the end
const verb_t *verb_find (const char *name);
const verb_t *verb_of_command (const char *command);

//  Does it change something, so that a client may give a key with it (docs/protocol.md)?
bool verb_takes_key (const verb_t *self);

//  Is there an event of this name that owners publish (docs/protocol.md)?
bool verb_is_event (const char *name);

//  Is TEXT one of the words in "a|b|c"?
bool verb_is_choice (const char *choices, const char *text);
//  Is TEXT what TYPE_NAME takes?
bool verb_is_name (const char *text);

//  Are ARGS (a map; NULL counts as empty) what VERB takes? Unknown names, wrong types and missing
//  arguments are ERR_INVALID_ARG, naming verb and argument.
int verb_check_args (const verb_t *self, const value_t *args, error_t *err);

const char *arg_type_name (arg_type_t type);
const char *access_name (access_t access);

#endif
