//  completion.c: a bash script that completes command lines, made from the table of commands.
//  What it can't know by itself, the names of domains, it asks troupe for.

#include "cli/globals.h"
#include "cli/run.h"

#include <stdio.h>

static const char script_start[] =
    "# bash completion for troupe; made by 'troupe completion bash'\n"
    "_troupe_domains () {\n"
    "    troupe \"${globals[@]}\" --no-start list --all --name 2>/dev/null\n"
    "}\n"
    "_troupe () {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local command= options= values= kind= i word\n"
    "    local -a globals=()\n"
    "    COMPREPLY=()\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        case $word in\n";

static const char script_scan[] = "        -*) ;;\n"
                                  "        *) command=$word; break ;;\n"
                                  "        esac\n"
                                  "    done\n"
                                  "    case $prev in\n";

static const char script_end[] =
    "    *) [[ -n $command ]] || values=$commands ;;\n"
    "    esac\n"
    "    if [[ $cur == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$options $all\" -- \"$cur\"))\n"
    "    elif [[ $kind == *file* ]]; then\n"
    "        compopt -o filenames\n"
    "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
    "    elif [[ $kind == *domain* ]]; then\n"
    "        local IFS=$'\\n'\n"
    "        COMPREPLY=($(compgen -W \"$(_troupe_domains)\" -- \"$cur\"))\n"
    "    else\n"
    "        COMPREPLY=($(compgen -W \"$values\" -- \"$cur\"))\n"
    "    fi\n"
    "}\n"
    "complete -F _troupe troupe\n";

//  "--output|--timeout", the global options that have a value, by both their names.
static void print_valued_globals (void)
{
    bool first = true;
    for (const global_option_t *option = global_options; option->name; option++) {
        if (!option->value)
            continue;
        printf ("%s--%s", first ? "        " : "|", option->name);
        if (option->letter)
            printf ("|-%c", option->letter);
        first = false;
    }
    printf (") globals+=(\"$word\" \"${COMP_WORDS[i+1]}\"); ((i++)) ;;\n");
}

static void print_choices (const char *choices)
{
    for (const char *c = choices; *c; c++)
        putchar (*c == '|' ? ' ' : *c);
}

static void print_global_values (void)
{
    for (const global_option_t *option = global_options; option->name; option++)
        if (option->choices) {
            printf ("    --%s) COMPREPLY=($(compgen -W '", option->name);
            print_choices (option->choices);
            printf ("' -- \"$cur\")); return ;;\n");
        }
    printf ("    --root) compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n");
    printf ("    esac\n");
}

static void print_word_lists (void)
{
    command_t command;
    printf ("    local commands='");
    for (size_t i = 0; command_at (i, &command); i++)
        printf ("%s%s", i > 0 ? " " : "", command.name);
    printf ("'\n    local all='");
    for (const global_option_t *option = global_options; option->name; option++)
        printf ("%s--%s", option == global_options ? "" : " ", option->name);
    printf ("'\n");
}

//  What stands for the command's values: choices, or a kind.
static void print_values (const command_t *command)
{
    const verb_arg_t *arg;
    for (size_t i = 0; (arg = command_arg (command, i)); i++)
        if (arg->choices) {
            printf (" values='");
            print_choices (arg->choices);
            printf ("'");
            break;
        }
    for (size_t i = 0; (arg = command_arg (command, i)); i++)
        if (arg->type == TYPE_DOMAIN || arg->type == TYPE_XML) {
            //  The choices follow the option that takes them.
            printf (" kind=%s", arg->type == TYPE_XML ? "file" : "domain");
            break;
        }
}

static void print_command (const command_t *command)
{
    const verb_arg_t *arg;
    printf ("    %s) options='", command->name);
    for (size_t i = 0; (arg = command_arg (command, i)); i++) {
        autofree char *name = option_name (arg);
        printf ("%s--%s", i > 0 ? " " : "", name);
    }
    printf ("'");
    print_values (command);
    for (size_t i = 0; (arg = command_arg (command, i)); i++)
        if (arg->choices) {
            autofree char *name = option_name (arg);
            printf ("; [[ $prev == --%s ]] && kind=", name);
        }
    printf (" ;;\n");
}

int run_completion (cli_t *cli, const options_t *options, error_t *err)
{
    (void) cli;
    (void) options;
    (void) err;
    fputs (script_start, stdout);
    print_valued_globals ();
    fputs (script_scan, stdout);
    print_global_values ();
    print_word_lists ();
    printf ("    case $command in\n    help) values=$commands ;;\n");
    command_t command;
    for (size_t i = 0; command_at (i, &command); i++)
        print_command (&command);
    fputs (script_end, stdout);
    return 0;
}
