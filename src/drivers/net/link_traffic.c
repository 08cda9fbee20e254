//  link_traffic.c: see link_traffic.h. The messages are those of linux/pkt_sched.h and pkt_cls.h.

#include "drivers/net/link_traffic.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <string.h>

enum {
    TICK_SHIFT = 6, //  the scheduler's clock ticks every 64 ns: /proc/net/psched
    HTB_VERSION = 3,
    RATE_TO_QUANTUM = 10,
    CLASS = 1,
    TABLE_CELLS = 256,
    MTU_BYTES = 65535,      //  what GSO makes of packets comes in one
    LEAST_BURST = 2 * 65536 //  less, and one such packet would never pass
};

#define KB 1000u
#define KIB 1024u
#define NS_A_SECOND UINT64_C (1000000000)

//  How long BYTES take at RATE, in ticks.
static uint32_t ticks (uint64_t bytes, uint64_t rate)
{
    uint64_t value = (uint64_t) ((double) bytes * NS_A_SECOND / (double) rate) >> TICK_SHIFT;
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t) value;
}

static struct tc_ratespec ratespec (uint64_t rate)
{
    return (struct tc_ratespec){ .linklayer = TC_LINKLAYER_ETHERNET,
                                 .rate = rate > UINT32_MAX ? UINT32_MAX : (uint32_t) rate };
}

static void put_large_rate (struct nl_msg *msg, int type, uint64_t rate)
{
    if (rate > UINT32_MAX)
        netlink_put (msg, type, &rate, sizeof rate);
}

//  A quarter of a second's worth, if nothing is said.
static uint64_t burst_of (const link_rate_t *limit)
{
    uint64_t bytes = limit->burst_kib ? limit->burst_kib * KIB : limit->average_kb * KB / 4;
    return bytes > LEAST_BURST || limit->burst_kib ? bytes : LEAST_BURST;
}

static struct nl_msg *tc_message (int type, int flags, uint32_t ifindex, uint32_t parent,
                                  uint32_t handle, const char *kind)
{
    struct tcmsg head = { .tcm_family = AF_UNSPEC,
                          .tcm_ifindex = (int) ifindex,
                          .tcm_parent = parent,
                          .tcm_handle = handle };
    if (type == RTM_NEWTFILTER)
        head.tcm_info = TC_H_MAKE (1u << 16, htons (ETH_P_ALL));
    struct nl_msg *msg = netlink_message (type, flags, &head, sizeof head);
    if (kind)
        netlink_put_text (msg, TCA_KIND, kind);
    return msg;
}

//  What leaves the link.

static struct nl_msg *make_root (uint32_t ifindex)
{
    struct tc_htb_glob options = { .version = HTB_VERSION,
                                   .rate2quantum = RATE_TO_QUANTUM,
                                   .defcls = CLASS };
    struct nl_msg *msg = tc_message (RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex, TC_H_ROOT,
                                     TC_H_MAKE (1u << 16, 0), "htb");
    struct nlattr *nest = netlink_nest (msg, TCA_OPTIONS);
    netlink_put (msg, TCA_HTB_INIT, &options, sizeof options);
    nla_nest_end (msg, nest);
    return msg;
}

static struct nl_msg *make_class (uint32_t ifindex, const link_rate_t *limit)
{
    uint64_t rate = limit->average_kb * KB;
    uint64_t peak = limit->peak_kb > limit->average_kb ? limit->peak_kb * KB : rate;
    uint64_t burst = burst_of (limit);
    struct tc_htb_opt options = { .rate = ratespec (rate),
                                  .ceil = ratespec (peak),
                                  .buffer = ticks (burst, rate),
                                  .cbuffer = ticks (LEAST_BURST, peak) };
    struct nl_msg *msg = tc_message (RTM_NEWTCLASS, NLM_F_CREATE | NLM_F_EXCL, ifindex,
                                     TC_H_MAKE (1u << 16, 0), TC_H_MAKE (1u << 16, CLASS), "htb");
    struct nlattr *nest = netlink_nest (msg, TCA_OPTIONS);
    netlink_put (msg, TCA_HTB_PARMS, &options, sizeof options);
    put_large_rate (msg, TCA_HTB_RATE64, rate);
    put_large_rate (msg, TCA_HTB_CEIL64, peak);
    nla_nest_end (msg, nest);
    return msg;
}

//  So that one connection does not keep the others waiting. A kernel without it has a plain queue.
static struct nl_msg *make_leaf (uint32_t ifindex)
{
    return tc_message (RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, ifindex,
                       TC_H_MAKE (1u << 16, CLASS), TC_H_MAKE (2u << 16, 0), "fq_codel");
}

static size_t add_queue (uint32_t ifindex, const link_rate_t *limit, link_step_t *steps)
{
    size_t count = 0;
    steps[count++] =
        (link_step_t){ .msg = tc_message (RTM_DELQDISC, 0, ifindex, TC_H_ROOT, 0, NULL),
                       .fine = { ENOENT, EINVAL } };
    if (limit->average_kb == 0)
        return count;
    steps[count++] =
        (link_step_t){ .msg = make_root (ifindex), .missing = "HTB queues (CONFIG_NET_SCH_HTB)" };
    steps[count++] = (link_step_t){ .msg = make_class (ifindex, limit) };
    steps[count++] = (link_step_t){ .msg = make_leaf (ifindex), .fine = { ENOENT } };
    return count;
}

//  What comes in.

//  How long packets of so many bytes take; the kernel still wants the table of old.
static void put_rate_table (struct nl_msg *msg, int type, struct tc_ratespec *rate, uint64_t bytes)
{
    uint32_t table[TABLE_CELLS];
    while (MTU_BYTES >> rate->cell_log >= TABLE_CELLS)
        rate->cell_log++;
    for (uint32_t i = 0; i < TABLE_CELLS; i++)
        table[i] = ticks ((uint64_t) (i + 1) << rate->cell_log, bytes);
    netlink_put (msg, type, table, sizeof table);
}

static void put_police (struct nl_msg *msg, const link_rate_t *limit)
{
    uint64_t rate = limit->average_kb * KB;
    struct tc_police police = { .action = TC_POLICE_SHOT,
                                .rate = ratespec (rate),
                                .burst = ticks (burst_of (limit), rate),
                                .mtu = MTU_BYTES };
    struct nlattr *nest = netlink_nest (msg, TCA_U32_POLICE);
    put_rate_table (msg, TCA_POLICE_RATE, &police.rate, rate);
    netlink_put (msg, TCA_POLICE_TBF, &police, sizeof police);
    put_large_rate (msg, TCA_POLICE_RATE64, rate);
    nla_nest_end (msg, nest);
}

//  u32 with a key that fits every packet: older kernels have it, too.
static struct nl_msg *make_filter (uint32_t ifindex, const link_rate_t *limit)
{
    struct {
        struct tc_u32_sel head;
        struct tc_u32_key key;
    } all = { .head = { .flags = TC_U32_TERMINAL, .nkeys = 1 } };
    struct nl_msg *msg =
        tc_message (RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex, 0xffff0000, 0, "u32");
    struct nlattr *nest = netlink_nest (msg, TCA_OPTIONS);
    netlink_put_u32 (msg, TCA_U32_CLASSID, CLASS);
    netlink_put (msg, TCA_U32_SEL, &all, sizeof all);
    put_police (msg, limit);
    nla_nest_end (msg, nest);
    return msg;
}

static size_t add_police (uint32_t ifindex, const link_rate_t *limit, link_step_t *steps)
{
    size_t count = 0;
    steps[count++] =
        (link_step_t){ .msg = tc_message (RTM_DELQDISC, 0, ifindex, TC_H_INGRESS, 0, NULL),
                       .fine = { ENOENT, EINVAL } };
    if (limit->average_kb == 0)
        return count;
    steps[count++] =
        (link_step_t){ .msg = tc_message (RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex,
                                          TC_H_INGRESS, 0xffff0000, "ingress"),
                       .missing = "ingress queues (CONFIG_NET_SCH_INGRESS)" };
    steps[count++] =
        (link_step_t){ .msg = make_filter (ifindex, limit),
                       .missing = "policing (CONFIG_NET_ACT_POLICE, CONFIG_NET_CLS_U32)" };
    return count;
}

size_t link_traffic_steps (uint32_t ifindex, link_kind_t kind, const link_bandwidth_t *bandwidth,
                           link_step_t steps[LINK_TRAFFIC_STEPS])
{
    const link_bandwidth_t none = { 0 };
    const bool swapped = kind == LINK_MACVTAP || kind == LINK_MACVLAN;
    if (!bandwidth)
        bandwidth = &none;
    const link_rate_t *out = swapped ? &bandwidth->outbound : &bandwidth->inbound;
    const link_rate_t *in = swapped ? &bandwidth->inbound : &bandwidth->outbound;
    size_t count = add_police (ifindex, in, steps);
    return count + add_queue (ifindex, out, steps + count);
}
