//  help.c: help, made from the tables of commands and verbs.

#include "cli/globals.h"
#include "cli/run.h"

#include <string.h>

//  "--name", "<name>" or "--name <what>", in brackets unless it is required.
static void print_synopsis_arg (const verb_arg_t *arg)
{
    autofree char *name = option_name (arg);
    bool required = arg->flags & ARG_REQUIRED;
    if (arg->type == TYPE_BOOL)
        printf (" [--%s]", name);
    else if (arg->flags & ARG_NAMED)
        printf (required ? " --%s <value>" : " [--%s <value>]", name);
    else if (arg->flags & ARG_REST)
        printf (required ? " <%s>..." : " [<%s>...]", name);
    else
        printf (required ? " <%s>" : " [<%s>]", name);
}

static const char *const value_names[] = {
    [TYPE_STR] = "text",
    [TYPE_NAME] = "name",
    [TYPE_XML] = "path",
    [TYPE_DOMAIN] = "name, uuid or id",
    [TYPE_U64] = "number",
    [TYPE_I64] = "number",
    [TYPE_BIN] = "text",
    [TYPE_STRS] = "text",
    [TYPE_NETWORK] = "name or uuid",
};

static void print_option (const verb_arg_t *arg)
{
    autofree char *name = option_name (arg);
    autofree char *word = arg->type == TYPE_BOOL ? text_format ("--%s", name)
                          : arg->flags & ARG_NAMED
                              ? text_format ("--%s <%s>", name, value_names[arg->type])
                              : text_format ("[--%s] <%s>", name,
                                             arg->choices ? arg->choices : value_names[arg->type]);
    printf ("    %-30s %s%s\n", word, arg->help, arg->type == TYPE_XML ? "; -: read stdin" : "");
}

int help_command (const command_t *command)
{
    const verb_arg_t *arg;
    printf ("  NAME\n    %s - %s\n\n  SYNOPSIS\n    %s", command->name, command_help (command),
            command->name);
    for (size_t i = 0; (arg = command_arg (command, i)); i++)
        print_synopsis_arg (arg);
    putchar ('\n');
    if (command->about)
        printf ("\n  DESCRIPTION\n    %s\n", command->about);
    if (command_arg (command, 0))
        printf ("\n  OPTIONS\n");
    for (size_t i = 0; (arg = command_arg (command, i)); i++)
        print_option (arg);
    if (command->verb)
        printf ("\n  VERB\n    %s (docs/protocol.md)\n", command->verb->name);
    putchar ('\n');
    return 0;
}

static void print_group (const command_group_t *group)
{
    printf (" %s (help keyword '%s')\n", group->title, group->name);
    command_t command;
    for (size_t i = 0; command_at (i, &command); i++)
        if (strcmp (command.group, group->name) == 0)
            printf ("    %-30s %s\n", command.name, command_help (&command));
    putchar ('\n');
}

static const command_group_t *group_named (const char *name)
{
    for (const command_group_t *group = command_groups; group->name; group++)
        if (strcmp (group->name, name) == 0)
            return group;
    return NULL;
}

static void print_globals (void)
{
    for (const global_option_t *option = global_options; option->name; option++) {
        autofree char *letter =
            option->letter ? text_format ("-%c, ", option->letter) : text_copy ("    ");
        autofree char *word = text_format ("--%s%s%s", option->name, option->value ? " " : "",
                                           !option->value    ? ""
                                           : option->choices ? option->choices
                                                             : option->value);
        printf ("  %s%-24s %s\n", letter, word, option->help);
    }
}

static void print_all (void)
{
    printf ("troupe [options] [<command> [<arguments>]]\n\n");
    print_globals ();
    printf ("\nWithout a command it reads commands from stdin; several in one argument are parted "
            "by ';'.\n'help COMMAND' tells more about one.\n\n");
    for (const command_group_t *group = command_groups; group->name; group++)
        print_group (group);
}

int run_help (cli_t *cli, const options_t *options, error_t *err)
{
    const char *name = options_str (options, "command");
    const command_group_t *group = name ? group_named (name) : NULL;
    command_t command;
    if (!name)
        print_all ();
    else if (group)
        print_group (group);
    else if (command_find (name, &command))
        help_command (&command);
    else
        return cli_usage (cli, err,
                          "help: there is no command or group '%s'; 'troupe help' lists "
                          "them",
                          name);
    return 0;
}
