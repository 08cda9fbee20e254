#   sys_virt.pl URI: what a Perl program does with libvirt's binding, on simulated guests. It prints
#   the Test Anything Protocol (perldoc Test::More); test_libvirt_perl runs it.

use strict;
use warnings;
use Sys::Virt;
use Test::More;

my ($uri) = @ARGV;

#   Nothing of expected errors on stderr.
open STDERR, ">", "/dev/null" or die "stderr: $!";
Sys::Virt::Event::register_default ();

sub document {
    my ($name, $extra) = @_;
    $extra //= "";
    return "<domain type='test'><name>$name</name><memory unit='MiB'>64</memory><vcpu>2</vcpu>"
        . "<os><type>hvm</type></os>$extra<devices><console type='pty'/></devices></domain>";
}

#   CALL fails with this code of libvirt's; what it says.
sub fails {
    my ($code, $what, $call) = @_;
    eval { $call->(); };
    my $error = $@;
    isa_ok ($error, "Sys::Virt::Error", $what);
    is ($error->code, $code, "$what: the code");
    return $error->message;
}

my $connection = Sys::Virt->new (uri => $uri);

#   Runs the event loop until CONDITION () is true. The timer has the loop look at it again.
my $timer = Sys::Virt::Event::add_timeout (20, sub { });
my $patience = 60;
sub until_true {
    my ($what, $condition) = @_;
    my $end = time + $patience;
    Sys::Virt::Event::run_default () while !$condition->() && time < $end;
    ok ($condition->(), $what);
}

#   The connection.
is ($connection->get_type, "TEST", "type");
is ($connection->get_uri, $uri, "uri");
ok ($connection->is_alive, "alive");
ok ($connection->is_secure, "secure");
ok (!$connection->is_encrypted, "a socket of this host is not encrypted");
is ($connection->get_library_version, 9000000, "library version");
like ($connection->get_hostname, qr/./, "host name");
my $node = $connection->get_node_info;
cmp_ok ($node->{cpus}, ">", 0, "processors of the host");
cmp_ok ($node->{memory}, ">", 0, "memory of the host");
like ($connection->get_capabilities, qr/<capabilities>/, "capabilities");
cmp_ok ($connection->get_node_memory_stats->{total}, ">", 0, "memory statistics");
is_deeply ([$connection->list_all_domains], [], "no domains");

#   Events, of everything that follows.
my (@lifecycle, @titles);
my $lifecycle = $connection->domain_event_register_any (
    undef, Sys::Virt::Domain::EVENT_ID_LIFECYCLE,
    sub { my ($c, $domain, $event, $detail) = @_; push @lifecycle, $domain->get_name . ":$event:$detail"; });
my $metadata = $connection->domain_event_register_any (
    undef, Sys::Virt::Domain::EVENT_ID_METADATA_CHANGE,
    sub { my ($c, $domain, $type, $namespace) = @_; push @titles, $domain->get_name; });

#   A domain's life.
my $domain = $connection->define_domain (document ("web"));
is ($domain->get_name, "web", "name");
is ($domain->get_id, -1, "no id while it is off");
ok ($domain->is_persistent, "persistent");
ok (!$domain->is_active, "off");
is ($connection->num_of_defined_domains, 1, "defined domains");
$domain->create;
cmp_ok ($domain->get_id, ">", 0, "id");
is ($connection->num_of_domains, 1, "running domains");
is (($domain->get_state)[0], Sys::Virt::Domain::STATE_RUNNING, "runs");
my $info = $domain->get_info;
is ($info->{state}, Sys::Virt::Domain::STATE_RUNNING, "info: state");
is ($info->{memory}, 65536, "info: memory");
is ($info->{nrVirtCpu}, 2, "info: virtual processors");
is ($domain->get_max_memory, 65536, "most memory");
is ($domain->get_os_type, "hvm", "kind of guest");
like ($domain->get_xml_description, qr/<domain type='test' id='\d+'>/, "document");
unlike ($domain->get_xml_description (Sys::Virt::Domain::XML_INACTIVE), qr/ id=/, "definition");
$domain->suspend;
is (($domain->get_state)[0], Sys::Virt::Domain::STATE_PAUSED, "paused");
$domain->resume;
$domain->set_autostart (1);
ok ($domain->get_autostart, "autostart");
$domain->set_metadata (Sys::Virt::Domain::METADATA_TITLE, "A guest", undef, undef);
is ($domain->get_metadata (Sys::Virt::Domain::METADATA_TITLE, undef), "A guest", "title");

#   Lookups and lists.
is ($connection->get_domain_by_name ("web")->get_uuid_string, $domain->get_uuid_string, "by name");
is ($connection->get_domain_by_uuid ($domain->get_uuid)->get_name, "web", "by uuid");
is ($connection->get_domain_by_id ($domain->get_id)->get_name, "web", "by id");
my $once = $connection->create_domain (document ("once"));
ok (!$once->is_persistent, "transient");
is_deeply ([sort map { $_->get_name } $connection->list_all_domains], ["once", "web"], "list");
is_deeply ([map { $_->get_name } $connection->list_all_domains (Sys::Virt::Domain::LIST_TRANSIENT)],
    ["once"], "list of transient domains");
is_deeply ([sort map { $_->get_name } $connection->list_domains], ["once", "web"], "list as of old");

#   Statistics of all at once.
my @stats = $connection->get_all_domain_stats (Sys::Virt::Domain::STATS_STATE | Sys::Virt::Domain::STATS_VCPU);
is (scalar @stats, 2, "statistics of both");
for my $each (@stats) {
    is ($each->{data}->{"state.state"}, Sys::Virt::Domain::STATE_RUNNING, "state of " . $each->{dom}->get_name);
    is ($each->{data}->{"vcpu.maximum"}, 2, "processors of " . $each->{dom}->get_name);
}

#   Streams: the console asks who is there, and answers.
my $stream = $connection->new_stream;
$domain->open_console ($stream, undef, 0);
sub read_until {
    my ($words) = @_;
    my $seen = "";
    while (index ($seen, $words) < 0) {
        my $length = $stream->recv (my $data, 4096);
        die "the console ended: $seen" if $length <= 0;
        $seen .= substr ($data, 0, $length);
    }
    return $seen;
}
read_until ("web login: ");
$stream->send ("root\r", 5);
read_until ("# ");
$stream->send ("help\r", 5);
like (read_until ("logs out"), qr/ends this guest/, "the console answers");
$stream->finish;
my $other = $connection->new_stream;
$domain->open_console ($other, undef, 0);
$other->abort;

#   One that is refused.
my $picture = $connection->new_stream;
fails (Sys::Virt::Error::ERR_NO_SUPPORT, "a simulated guest's screen", sub { $domain->screenshot ($picture, 0) });

#   Errors: the code that programs go by, and words for people.
like (fails (Sys::Virt::Error::ERR_NO_DOMAIN, "unknown name", sub { $connection->get_domain_by_name ("nobody") }),
    qr/nobody/, "the name is said");
like (fails (Sys::Virt::Error::ERR_OPERATION_INVALID, "started twice", sub { $domain->create }),
    qr/already/, "why it is not started");
fails (Sys::Virt::Error::ERR_XML_DETAIL, "no document", sub { $connection->define_domain ("<domain") });
fails (Sys::Virt::Error::ERR_NO_SUPPORT, "storage pools", sub { $connection->list_all_storage_pools });
fails (Sys::Virt::Error::ERR_NO_NETWORK, "unknown network", sub { $connection->get_network_by_name ("nowhere") });
my $readonly = Sys::Virt->new (uri => $uri, readonly => 1);
fails (Sys::Virt::Error::ERR_OPERATIONED_DENIED, "read only", sub { $readonly->get_domain_by_name ("web")->destroy });

#   Ends.
$once->destroy;
$domain->destroy;
$domain->undefine;
is_deeply ([$connection->list_all_domains], [], "all gone");

#   In the order in which things happened: 0 defined, 1 undefined, 2 started, 3 suspended, 4 resumed, 5 stopped.
until_true ("the last event", sub { grep { /^web:1:/ } @lifecycle });
my @events = map { (split /:/)[1] } grep { /^web:/ } @lifecycle;
my @kinds = grep { $_ != Sys::Virt::Domain::EVENT_RESUMED } @events;
is_deeply (\@kinds, [0, 2, 3, 5, 1], "events of web");
ok ((grep { $_ == Sys::Virt::Domain::EVENT_RESUMED } @events), "it was resumed");
ok ((grep { /^once:5:/ } @lifecycle), "the end of the transient one");
is_deeply (\@titles, ["web"], "the title's event");
$connection->domain_event_deregister_any ($_) for $lifecycle, $metadata;
Sys::Virt::Event::remove_timeout ($timer);

done_testing ();
