//  troupe_nft.c: a program that carries out one transaction of nftables for the daemon, through
//  libnftables, or shows the chains of one network. It is a process of its own, since the library
//  may wait for the kernel for as long as other programs change rules.
//
//      troupe-nft apply TABLE SUFFIX FILE    carries out the commands in FILE, all or none; then
//                                            prints the chains of the table inet TABLE whose names
//                                            end in SUFFIX
//      troupe-nft remove TABLE SUFFIX FILE   the same, but nothing is printed, and the table goes
//                                            if nothing is in it any more
//      troupe-nft list TABLE SUFFIX FILE     prints them only
//
//  What went wrong is on stderr, and the exit status 1.

#include <errno.h>
#include <linux/netlink.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_tables.h>
#include <nftables/libnftables.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int complain (const char *what, const char *why)
{
    fprintf (stderr, "%s: %s\n", what, why);
    return 1;
}

//  The kernel removes a table with NLM_F_NONREC only if it is empty: nobody's chain, made at the
//  same moment, goes with it. libnftables has no word for that, so the batch is written here.

typedef struct {
    char bytes[512];
    size_t size;
} batch_t;

static struct nlmsghdr *add_message (batch_t *self, uint16_t type, uint16_t flags, uint8_t family,
                                     uint16_t resource)
{
    struct nlmsghdr *head = (struct nlmsghdr *) (void *) (self->bytes + self->size);
    struct nfgenmsg *body = NLMSG_DATA (head);
    *head = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH (sizeof *body),
                               .nlmsg_type = type,
                               .nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags),
                               .nlmsg_seq = 1 };
    *body = (struct nfgenmsg){ .nfgen_family = family,
                               .version = NFNETLINK_V0,
                               .res_id = (uint16_t) ((resource << 8) | (resource >> 8)) };
    self->size += NLMSG_ALIGN (head->nlmsg_len);
    return head;
}

static void add_name (batch_t *self, struct nlmsghdr *head, const char *name)
{
    struct nlattr *attribute = (struct nlattr *) (void *) (self->bytes + self->size);
    size_t size = strlen (name) + 1;
    attribute->nla_type = NFTA_TABLE_NAME;
    attribute->nla_len = (uint16_t) (sizeof *attribute + size);
    memcpy (attribute + 1, name, size);
    size_t room = (attribute->nla_len + 3u) & ~3u; //  what comes next is aligned
    head->nlmsg_len += (uint32_t) room;
    self->size += room;
}

//  Whether it was removed, was in use or was not there is all one to us.
static int drop_empty_table (const char *table)
{
    enum {
        DELETE_TABLE = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_DELTABLE
    };
    batch_t batch = { .size = 0 };
    char answer[4096];
    int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd < 0)
        return complain ("open netlink", strerror (errno));
    add_message (&batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    struct nlmsghdr *head =
        add_message (&batch, DELETE_TABLE, NLM_F_ACK | NLM_F_NONREC, NFPROTO_INET, 0);
    add_name (&batch, head, table);
    add_message (&batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    bool sent = send (fd, batch.bytes, batch.size, 0) == (ssize_t) batch.size &&
                recv (fd, answer, sizeof answer, 0) > 0;
    int rc = sent ? 0 : complain ("remove the empty table", strerror (errno));
    close (fd);
    return rc;
}

static int fail_with (struct nft_ctx *nft)
{
    return complain ("nftables", nft_ctx_get_error_buffer (nft));
}

static void print_chain (struct nft_ctx *nft, const char *table, const char *kind,
                         const char *suffix)
{
    char command[256];
    snprintf (command, sizeof command, "list chain inet %s %s_%s", table, kind, suffix);
    if (nft_run_cmd_from_buffer (nft, command) == 0)
        fputs (nft_ctx_get_output_buffer (nft), stdout);
}

//  Nothing is printed of what is not there.
static int list (struct nft_ctx *nft, const char *table, const char *suffix)
{
    nft_ctx_buffer_output (nft);
    nft_ctx_output_set_flags (nft, NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_ALL);
    print_chain (nft, table, "forward", suffix);
    print_chain (nft, table, "nat", suffix);
    return 0;
}

static int run (struct nft_ctx *nft, char **argv)
{
    const char *command = argv[1], *table = argv[2], *suffix = argv[3], *path = argv[4];
    if (strcmp (command, "list") == 0)
        return list (nft, table, suffix);
    if (nft_run_cmd_from_filename (nft, path))
        return fail_with (nft);
    return strcmp (command, "apply") == 0 ? list (nft, table, suffix) : drop_empty_table (table);
}

int main (int argc, char **argv)
{
    if (argc != 5)
        return complain (argv[0], "usage: apply|remove|list TABLE SUFFIX FILE");
    struct nft_ctx *nft = nft_ctx_new (NFT_CTX_DEFAULT);
    if (!nft)
        return complain ("nftables", "out of memory");
    nft_ctx_buffer_error (nft);
    int rc = run (nft, argv);
    nft_ctx_free (nft);
    return rc;
}
