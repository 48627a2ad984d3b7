#include <algorithm>
#include <cstddef>

#include "scenario/schema.h"

namespace sim::scenario {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kYear = 366 * 86'400 * kSecond;
constexpr std::int64_t kMostRate = 10'000'000'000;  // ten million orders a second
constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;

constexpr Key scalar_key(std::string_view path, UnitKind unit, std::string_view fallback, std::int64_t least, std::int64_t most, std::string_view meaning,
                         std::string_view only_with = {}) {
  return Key{.path = path, .type = KeyType::scalar, .fallback = fallback, .meaning = meaning, .unit = unit, .least = least, .most = most, .only_with = only_with};
}
constexpr Key distribution(std::string_view path, UnitKind unit, std::string_view fallback, std::string_view meaning, std::string_view only_with = {}) {
  return Key{.path = path, .type = KeyType::distribution, .fallback = fallback, .meaning = meaning, .unit = unit, .least = 0, .most = unit == UnitKind::size ? kMostBytes : kYear, .only_with = only_with};
}
constexpr Key section(std::string_view path, std::string_view meaning, std::string_view only_with = {}) {
  return Key{.path = path, .type = KeyType::section, .meaning = meaning, .only_with = only_with};
}
constexpr Key alternative(Key key, std::string_view example) {
  key.alternative = 1;
  key.example = example;
  return key;
}
constexpr Key required(Key key) {
  key.required = true;
  return key;
}
constexpr Key with_example(Key key, std::string_view example) {
  key.example = example;
  return key;
}
constexpr Key limit(std::string_view path, std::string_view meaning, std::string_view example) {
  return Key{.path = path, .type = KeyType::limit, .meaning = meaning, .alternative = 2, .only_with = "metric", .example = example};
}

constexpr Key targets(std::string_view path, std::string_view meaning, std::string_view example = "broker-2") {
  return Key{.path = path, .type = KeyType::targets, .meaning = meaning, .example = example};
}
constexpr Key direction(std::string_view path, std::string_view only_with = {}) {
  return Key{.path = path, .type = KeyType::word, .fallback = "both", .meaning = "Which way, as seen from the target: what is sent to it, what comes from it, or both.",
             .words = "both|to|from", .only_with = only_with};
}
// A switch of cluster.history.
constexpr Key history(std::string_view path, std::string_view meaning) {
  return Key{.path = path, .type = KeyType::word, .fallback = "on", .meaning = meaning, .words = "on|off"};
}

constexpr std::string_view kRequests =
    "AddRaftVoter|AllocateProducerIds|AlterPartition|ApiVersions|BeginQuorumEpoch|BrokerHeartbeat|BrokerRegistration|CreateTopics|EndQuorumEpoch|Fetch|FetchSnapshot|"
    "FindCoordinator|Heartbeat|InitProducerId|JoinGroup|LeaveGroup|ListOffsets|Metadata|OffsetCommit|OffsetFetch|OffsetForLeaderEpoch|Produce|RemoveRaftVoter|SyncGroup|"
    "UpdateRaftVoter|Vote";

constexpr Key kKeys[] = {
    {.path = "schema", .type = KeyType::word, .meaning = "The version of this format.", .words = "kraftsim/v1", .required = true},
    {.path = "name", .type = KeyType::name, .fallback = "=the file's name without its ending", .meaning = "What the run and its folder are called."},
    {.path = "about", .type = KeyType::text, .meaning = "What the scenario shows, in a sentence or two."},
    required(with_example(scalar_key("duration", UnitKind::duration, "", 1, kYear, "How long orders are placed."), "120s")),
    scalar_key("warmup", UnitKind::duration, "=10s, or a quarter of the duration if that is less", 0, kYear,
               "Orders intended earlier than this are left out of summaries."),
    scalar_key("drain", UnitKind::duration, "30s", 0, kYear, "How long orders under way at the end may take to be finished."),
    scalar_key("seed", UnitKind::none, "1", 0, std::numeric_limits<std::int64_t>::max(), "Where all randomness comes from."),
    scalar_key("event.budget", UnitKind::none, "0", 0, std::numeric_limits<std::int64_t>::max(),
               "A run that needs more events stops as inconclusive; 0 sets no limit."),

    required(section("cluster", "The servers and what lies between them.")),
    required(with_example(scalar_key("cluster/brokers", UnitKind::none, "", 1, 1000, "How many brokers."), "3")),
    scalar_key("cluster/controllers", UnitKind::none, "=1, or with combined as many as brokers but at most 3", 1, 101,
               "How many servers form the metadata quorum."),
    {.path = "cluster/combined", .type = KeyType::boolean, .fallback = "false", .meaning = "Whether the controllers are brokers too (process.roles=broker,controller)."},
    {.path = "cluster/racks", .type = KeyType::name_list, .fallback = "[]", .meaning = "Servers are dealt out to these racks in turn.", .example = "[a, b, c]"},
    {.path = "cluster/config", .type = KeyType::properties, .meaning = "Properties of all brokers and controllers (server.properties).", .components = kBroker | kController},
    section("cluster/history", "Switches back to a time before Kafka had something, to see what it cured."),
    history("cluster/history/pre-vote", "Who has heard nothing of a leader asks whether it would be elected before it raises the epoch (KIP-996, Kafka 4.0). Off: an isolated voter "
            "comes back with a higher epoch and deposes the leader."),
    history("cluster/history/check-quorum", "A leader of the quorum that hears of no majority within 1.5 times controller.quorum.fetch.timeout.ms resigns (KAFKA-15489, Kafka 3.7). Off: "
            "cut off, it believes in itself for ever."),
    history("cluster/history/directory-ids", "Voters are known by the id of their log directory too (KIP-853, kraft.version 1, Kafka 3.9). Off: one that has lost its disk may vote twice."),
    history("cluster/history/fetch-high-watermark", "A parked fetch of the metadata log is answered when the high watermark moves (KIP-1166, Kafka 4.1). Off: followers learn of a commit "
            "up to half a second late."),
    history("cluster/history/eligible-leader-replicas", "Replicas that left the ISR while min.insync.replicas was not met may still be elected (KIP-966, on for new clusters from Kafka 4.1). Off: as with "
            "eligible.leader.replicas.version=0."),
    section("cluster/network", "What lies between any two processes."),
    distribution("cluster/network/rtt", UnitKind::duration, "{p50: 400us, p99: 2ms}", "Round-trip time; each direction takes half of a draw of its own."),
    scalar_key("cluster/network/bandwidth", UnitKind::bandwidth, "1Gbit", 0, 1'000 * kSecond, "Bandwidth of each direction."),
    section("cluster/network/clients", "Between a client and a server."),
    distribution("cluster/network/clients/rtt", UnitKind::duration, "=as cluster.network.rtt", "Round-trip time between a client and a server."),
    scalar_key("cluster/network/clients/bandwidth", UnitKind::bandwidth, "=as cluster.network.bandwidth", 0, 1'000 * kSecond,
               "Bandwidth between a client and a server."),
    {.path = "cluster/network/links", .type = KeyType::list, .meaning = "Pairs of racks that are farther apart or closer than the rest."},
    {.path = "cluster/network/links/[]/between", .type = KeyType::name_list, .meaning = "The two racks, or one rack twice for the links inside it.", .required = true, .example = "[a, b]"},
    distribution("cluster/network/links/[]/rtt", UnitKind::duration, "=as cluster.network.rtt", "Round-trip time between the two racks."),
    scalar_key("cluster/network/links/[]/bandwidth", UnitKind::bandwidth, "=as cluster.network.bandwidth", 0, 1'000 * kSecond,
               "Bandwidth between the two racks."),
    section("cluster/disk", "The disk of each server."),
    distribution("cluster/disk/append", UnitKind::duration, "{p50: 20us, p99: 200us}", "Time of one write into the page cache."),
    distribution("cluster/disk/flush", UnitKind::duration, "{p50: 2ms, p99: 20ms}", "Time of one fsync."),
    scalar_key("cluster/disk/bandwidth", UnitKind::byte_rate, "500MB/s", 0, 1'000 * kSecond, "Bytes the disk takes a second, on top of those times."),
    section("cluster/machine", "The processor time of each server's threads."),
    distribution("cluster/machine/network.per.request", UnitKind::duration, "10us", "Time of a network thread for a request and its response."),
    scalar_key("cluster/machine/network.per.kib", UnitKind::duration, "200ns", 0, kSecond, "On top, for each KiB of them."),
    distribution("cluster/machine/io.per.request", UnitKind::duration, "{p50: 30us, p99: 120us}", "Time of a request handler (I/O) thread for a request."),
    scalar_key("cluster/machine/io.per.kib", UnitKind::duration, "500ns", 0, kSecond, "On top, for each KiB of it."),

    {.path = "topics", .type = KeyType::names, .meaning = "Topics created before the clients start; others are created when a client asks for them."},
    section("topics/<name>", "A topic."),
    scalar_key("topics/<name>/partitions", UnitKind::none, "=num.partitions of cluster.config", 1, 10'000, "How many partitions."),
    scalar_key("topics/<name>/replication.factor", UnitKind::none, "=default.replication.factor of cluster.config", 1, 32'767,
               "How many replicas of each partition."),
    scalar_key("topics/<name>/compression", UnitKind::ratio, "1", 1, 100, "Compressed size of a producer's batches, as a part of the uncompressed size."),
    {.path = "topics/<name>/config", .type = KeyType::properties, .meaning = "Properties of the topic; otherwise the brokers' synonyms hold.", .components = kTopic},

    {.path = "clients", .type = KeyType::names, .meaning = "The applications: order services produce, other services consume."},
    section("clients/<name>", "An application: it either produces or consumes."),
    alternative({.path = "clients/<name>/produces", .type = KeyType::name, .meaning = "The topic its orders go to."}, "orders"),
    alternative({.path = "clients/<name>/consumes", .type = KeyType::name, .meaning = "The topic whose orders it handles."}, "orders"),
    {.path = "clients/<name>/rack", .type = KeyType::name, .meaning = "The rack it stands in, one of cluster.racks."},
    scalar_key("clients/<name>/start", UnitKind::duration, "8s", 0, kYear,
               "When its first order may come. A group whose members start together forms after twice group.initial.rebalance.delay.ms, 6 s, and with "
               "Kafka's auto.offset.reset=latest it never sees what was sent before.",
               "produces"),
    scalar_key("clients/<name>/start", UnitKind::duration, "0s", 0, kYear, "When its members start.", "consumes"),
    required(with_example(section("clients/<name>/arrivals", "When orders come, whatever the cluster does: the load is open-loop.", "produces"), "{poisson: 500/s}")),
    alternative(scalar_key("clients/<name>/arrivals/constant", UnitKind::rate, "", 1, kMostRate, "One order after another at equal distances."), "500/s"),
    alternative(scalar_key("clients/<name>/arrivals/poisson", UnitKind::rate, "", 1, kMostRate, "Independent customers: exponential gaps with this mean rate."), "500/s"),
    alternative(section("clients/<name>/arrivals/ramp", "Independent customers, their rate growing or falling evenly, then staying."), "{from: 100/s, to: 2000/s, over: 60s}"),
    required(scalar_key("clients/<name>/arrivals/ramp/from", UnitKind::rate, "", 0, kMostRate, "The rate at the start.")),
    required(scalar_key("clients/<name>/arrivals/ramp/to", UnitKind::rate, "", 0, kMostRate, "The rate at the end.")),
    required(scalar_key("clients/<name>/arrivals/ramp/over", UnitKind::duration, "", 1, kYear, "How long it takes to get there.")),
    alternative(section("clients/<name>/arrivals/burst", "Independent customers, with a burst from time to time."), "{base: 200/s, peak: 2000/s, every: 30s, length: 3s}"),
    required(scalar_key("clients/<name>/arrivals/burst/base", UnitKind::rate, "", 0, kMostRate, "The rate between bursts.")),
    required(scalar_key("clients/<name>/arrivals/burst/peak", UnitKind::rate, "", 1, kMostRate, "The rate in a burst.")),
    required(scalar_key("clients/<name>/arrivals/burst/every", UnitKind::duration, "", 1, kYear, "From the start of a burst to the start of the next.")),
    required(scalar_key("clients/<name>/arrivals/burst/length", UnitKind::duration, "", 1, kYear, "How long a burst lasts.")),
    alternative(section("clients/<name>/arrivals/daily", "Independent customers, their rate following the time of day."), "{low: 20/s, high: 400/s, day: 10min, peak.at: 5min}"),
    required(scalar_key("clients/<name>/arrivals/daily/low", UnitKind::rate, "", 0, kMostRate, "The rate at the quietest time.")),
    required(scalar_key("clients/<name>/arrivals/daily/high", UnitKind::rate, "", 1, kMostRate, "The rate at the busiest time.")),
    scalar_key("clients/<name>/arrivals/daily/day", UnitKind::duration, "24h", 1, kYear, "How long a day is."),
    scalar_key("clients/<name>/arrivals/daily/peak.at", UnitKind::duration, "=half of the day", 0, kYear, "The busiest time of the day."),
    alternative({.path = "clients/<name>/arrivals/trace", .type = KeyType::path, .meaning = "Recorded orders, a CSV file with the columns time, key and size, which take the place of key and record.size."}, "orders.csv"),
    scalar_key("clients/<name>/arrivals/orders", UnitKind::none, "=all that come within the duration", 1, std::int64_t{1} << 40, "At most this many orders."),
    {.path = "clients/<name>/key", .type = KeyType::key_choice, .fallback = "none", .meaning = "Whose orders they are: the record's key, which chooses the partition.", .only_with = "produces", .example = "{zipf: {n: 100000, s: 1.1}}"},
    distribution("clients/<name>/record.size", UnitKind::size, "1KiB", "Bytes of an order, the record's value.", "produces"),
    {.path = "clients/<name>/group.id", .type = KeyType::name, .fallback = "=the client's name", .meaning = "The consumer group.", .only_with = "consumes"},
    scalar_key("clients/<name>/members", UnitKind::none, "1", 1, 1000, "How many instances share the work as members of the group.", "consumes"),
    distribution("clients/<name>/service", UnitKind::duration, "1ms", "Time the service needs for one order.", "consumes"),
    {.path = "clients/<name>/commit", .type = KeyType::word, .fallback = "auto", .meaning = "When offsets are committed: auto as enable.auto.commit does it, after each poll's records (after-batch), after each record, or before "
                 "handling them (at most once).", .words = "auto|after-batch|after-each|before", .only_with = "consumes"},
    {.path = "clients/<name>/config", .type = KeyType::properties, .meaning = "Properties of the producer (producer.properties).", .components = kProducer, .only_with = "produces"},
    {.path = "clients/<name>/config", .type = KeyType::properties, .meaning = "Properties of the consumers (consumer.properties).", .components = kConsumer, .only_with = "consumes"},

    {.path = "faults", .type = KeyType::list, .meaning = "What goes wrong, and when. Whom a role means is found out when the fault strikes."},
    {.path = "faults/[]/name", .type = KeyType::name, .fallback = "=made of the kind and the target", .meaning = "What the fault is called, in results and expectations."},
    required(with_example(scalar_key("faults/[]/at", UnitKind::duration, "", 0, kYear, "When it strikes."), "30s")),
    {.path = "faults/[]/when", .type = KeyType::not_yet, .meaning = "A condition under which it strikes.", .example = "give the time at which it strikes, such as at: 30s"},
    scalar_key("faults/[]/every", UnitKind::duration, "", 1, kYear, "From one strike to the next: it strikes again and again until the load ends. Without it, once."),
    scalar_key("faults/[]/for", UnitKind::duration, "", 1, kYear, "How long it lasts; then it is undone: restarted, resumed, healed. Without it, to the end of the run."),
    alternative(section("faults/[]/kill", "Processes die at once (SIGKILL). The machine goes on: its page cache survives, its connections are reset."), "{target: \"leader(orders-0)\"}"),
    required(targets("faults/[]/kill/target", "Who dies.", "\"leader(orders-0)\"")),
    alternative(section("faults/[]/powerloss", "Machines lose power: what was not flushed to disk is lost, and nobody is told; peers find out by their time-outs."), "{target: broker-2}"),
    required(targets("faults/[]/powerloss/target", "Whose machines.")),
    alternative(section("faults/[]/stop", "Processes are asked to stop (SIGTERM): a broker hands over its leaderships first, a consumer leaves its group."), "{target: broker-2}"),
    required(targets("faults/[]/stop/target", "Who stops.")),
    alternative(section("faults/[]/restart", "A clean stop, and a new start as soon as it has wound up."), "{target: broker-2}"),
    required(targets("faults/[]/restart/target", "Who is restarted.")),
    alternative(section("faults/[]/pause", "Processes stand still (SIGSTOP, a long garbage collection): what arrives waits, what is due is late."), "{target: broker-2}"),
    required(targets("faults/[]/pause/target", "Who stands still.")),
    alternative({.path = "faults/[]/partition", .type = KeyType::section,
                 .meaning = "The network is cut: bytes are lost, and connections stay open until somebody's time is over. halves splits the servers in two at random, clients "
                            "with the half that is not smaller; in a majorities-ring every server hears a majority, and no two hear the same.",
                 .words = "halves|majorities-ring"}, "{isolate: \"leader(orders-0)\"}"),
    alternative(targets("faults/[]/partition/isolate", "Who is cut off from everybody else."), "\"leader(orders-0)\""),
    direction("faults/[]/partition/direction", "isolate"),
    alternative({.path = "faults/[]/partition/groups", .type = KeyType::target_groups, .meaning = "Each group hears only itself; who is in none hears everybody."}, "[[broker-1, controller-1], [broker-2, broker-3]]"),
    alternative(section("faults/[]/delay", "Messages take longer."), "{target: broker-2, to: controllers, by: 50ms}"),
    required(targets("faults/[]/delay/target", "Whose messages.")),
    targets("faults/[]/delay/to", "Only those exchanged with these; without it, with everybody.", "controllers"),
    direction("faults/[]/delay/direction"),
    required(with_example(distribution("faults/[]/delay/by", UnitKind::duration, "", "How much longer."), "50ms")),
    alternative(section("faults/[]/loss", "Segments are lost and sent again by TCP: messages arrive late."), "{target: broker-2, rate: 5%}"),
    required(targets("faults/[]/loss/target", "Whose messages.")),
    targets("faults/[]/loss/to", "Only those exchanged with these; without it, with everybody.", "controllers"),
    direction("faults/[]/loss/direction"),
    required(with_example(scalar_key("faults/[]/loss/rate", UnitKind::share, "", 1, 990'000, "Share of the segments that is lost."), "5%")),
    alternative(section("faults/[]/hold", "Requests of one kind are held back on their connection, and what follows them there, until the fault ends."), "{target: \"leader(orders-0)\", request: AlterPartition}"),
    required(targets("faults/[]/hold/target", "Whose requests.")),
    targets("faults/[]/hold/to", "Only those exchanged with these; without it, with everybody.", "controllers"),
    direction("faults/[]/hold/direction"),
    {.path = "faults/[]/hold/request", .type = KeyType::word, .meaning = "Kafka's name of the request.", .words = kRequests, .required = true, .example = "AlterPartition"},
    {.path = "chaos", .type = KeyType::not_yet, .meaning = "Faults drawn at random.", .example = "list them under faults; random(brokers, 1) draws whom one hits"},

    {.path = "expect", .type = KeyType::list, .meaning = "What must hold for the run to pass."},
    {.path = "expect/[]/id", .type = KeyType::name, .fallback = "=made of the metric, the statistic and of", .meaning = "What the expectation is called."},
    {.path = "expect/[]/metric", .type = KeyType::word, .meaning = "What is measured.",
     .words = "e2e_latency|produce_latency|lag|lag_offsets|lost_orders|failed_orders|fulfilled_orders|unhandled_orders|open_orders|retried_orders|duplicate_effects|throughput|"
              "time_to_new_controller|time_to_new_leader|time_to_fence|unavailability|leader_elections|controller_elections|fenced_brokers|under_replicated|offline_partitions",
     .alternative = 1, .example = "e2e_latency"},
    {.path = "expect/[]/recovery", .type = KeyType::name, .meaning = "The fault from whose end it is measured how long the system takes to recover; of several strikes the slowest counts.",
     .alternative = 1, .example = "isolate-leader"},
    {.path = "expect/[]/until", .type = KeyType::text, .meaning = "What must hold again, and go on to hold for three seconds: a metric, whose it is, a statistic, and a limit.", .required = true,
     .only_with = "recovery", .example = "\"lag(payment) < 1s\""},
    required(with_example(scalar_key("expect/[]/within", UnitKind::duration, "", 1, kYear, "How long that may take.", "recovery"), "30s")),
    {.path = "expect/[]/of", .type = KeyType::name, .meaning = "Whose: a client, or of metrics of the cluster a topic, a partition (orders-0) or a broker (broker-2). Without it, all.", .only_with = "metric"},
    {.path = "expect/[]/fault", .type = KeyType::name, .meaning = "Times that count from strikes (time_to_...): of which fault. Without it, of all that touched what is measured.", .only_with = "metric"},
    {.path = "expect/[]/window", .type = KeyType::text, .fallback = "all", .meaning = "Which part of the run: all, steady, faults, or after(FAULT).", .only_with = "metric", .example = "steady"},
    limit("expect/[]/p50", "The median and its limit.", "\"< 20ms\""),
    limit("expect/[]/p90", "The 90th percentile and its limit.", "\"< 50ms\""),
    limit("expect/[]/p95", "The 95th percentile and its limit.", "\"< 80ms\""),
    limit("expect/[]/p99", "The 99th percentile and its limit.", "\"< 500ms\""),
    limit("expect/[]/p99.9", "The 99.9th percentile and its limit.", "\"< 1s\""),
    limit("expect/[]/min", "The smallest value and its limit.", "\"> 1s\""),
    limit("expect/[]/max", "The largest value and its limit; a range includes its ends.", "\"9s..11s\""),
    limit("expect/[]/mean", "The mean and its limit.", "\"< 20ms\""),
    limit("expect/[]/value", "A count or a rate and its limit.", "\">= 450/s\""),
    limit("expect/[]/equals", "A count that must be met exactly.", "0"),
};

}  // namespace

std::string_view Key::last() const { return path.substr(path.rfind('/') + 1); }

std::span<const Key> keys() { return kKeys; }

std::vector<const Key*> keys_below(std::string_view path) {
  std::vector<const Key*> below;
  for (const Key& key : kKeys) {
    if (key.path.size() <= path.size() || !key.path.starts_with(path)) continue;
    std::string_view rest = key.path.substr(path.size());
    if (!path.empty()) {
      if (rest.front() != '/') continue;
      rest.remove_prefix(1);
    }
    if (rest.find('/') == std::string_view::npos) below.push_back(&key);
  }
  return below;
}

std::string dotted(std::string_view path) {
  std::string text(path);
  std::replace(text.begin(), text.end(), '/', '.');
  for (std::size_t at = text.find(".[]"); at != std::string::npos; at = text.find(".[]")) text.erase(at, 1);
  return text;
}

std::string describe(const Key& key) {
  switch (key.type) {
    case KeyType::section: {
      std::string text = key.example.empty() ? "a map" : "a map such as " + std::string(key.example);
      for (const char c : key.words.empty() ? std::string{} : "|" + std::string(key.words)) text += c == '|' ? std::string(" or ") : std::string(1, c);
      return text;
    }
    case KeyType::names: return "a map from names to maps";
    case KeyType::list: return "a list of maps";
    case KeyType::scalar: return std::string(describe(key.unit));
    case KeyType::boolean: return "true or false";
    case KeyType::text: return key.example.empty() ? "a text" : "a text such as " + std::string(key.example);
    case KeyType::name: return "a name";
    case KeyType::word: {
      std::string text;
      for (const char c : key.words) text += c == '|' ? std::string(", ") : std::string(1, c);
      if (const std::size_t comma = text.rfind(", "); comma != std::string::npos) text.replace(comma, 2, " or ");
      return text;
    }
    case KeyType::name_list: return "a list of names such as [a, b]";
    case KeyType::path: return "the name of a file";
    case KeyType::distribution:
      return std::string(describe(key.unit)) + ", or how it varies: " +
             (key.unit == UnitKind::size ? "{p50: 1KiB, p99: 8KiB}" : "{p50: 2ms, p99: 9ms}") + ", {uniform: {min: .., max: ..}}" +
             (key.unit == UnitKind::size ? "" : ", {exponential: ..}") + ", {constant: ..} or {values: FILE}";
    case KeyType::key_choice: return "none, {zipf: {n: 100000, s: 1.1}} or {uniform: {n: 100000}}";
    case KeyType::properties: return "Kafka properties: a map, a pasted block (|) or {file: server.properties}";
    case KeyType::limit: return "a limit such as " + std::string(key.example);
    case KeyType::targets: return "a target such as broker-2, controller or leader(orders-0), or a list of them";
    case KeyType::target_groups: return "a list of groups such as [[broker-1, controller-1], [broker-2, broker-3]]";
    case KeyType::not_yet: return "nothing yet";
  }
  return {};
}

}  // namespace sim::scenario
