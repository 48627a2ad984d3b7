#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "history/table.h"
#include "judge/metric.h"
#include "scenario/profiles.h"
#include "scenario/schema.h"

namespace sim::scenario {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kYear = 366 * 86'400 * kSecond;
constexpr std::int64_t kMostRate = 10'000'000'000;  // ten million orders a second
constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;

constexpr Key scalar_key(std::string_view path, UnitKind unit, std::string_view fallback, std::int64_t least,
                         std::int64_t most, std::string_view meaning, std::string_view only_with = {}) {
  return Key{.path = path,
             .type = KeyType::scalar,
             .fallback = fallback,
             .meaning = meaning,
             .unit = unit,
             .least = least,
             .most = most,
             .only_with = only_with};
}
constexpr Key distribution(std::string_view path, UnitKind unit, std::string_view fallback,
                           std::string_view meaning, std::string_view only_with = {}) {
  return Key{.path = path,
             .type = KeyType::distribution,
             .fallback = fallback,
             .meaning = meaning,
             .unit = unit,
             .least = 0,
             .most = unit == UnitKind::size ? kMostBytes : kYear,
             .only_with = only_with};
}
constexpr Key section(std::string_view path, std::string_view meaning, std::string_view only_with = {}) {
  return Key{.path = path, .type = KeyType::section, .meaning = meaning, .only_with = only_with};
}
constexpr Key alternative(Key key, std::string_view example) {
  key.alternative = 1;
  key.example = example;
  return key;
}
constexpr Key any_of(Key key, std::string_view example) {
  key.alternative = kAnyOf;
  key.example = example;
  return key;
}
constexpr Key not_with(std::string_view companion, Key key) {
  key.not_with = companion;
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
  return Key{.path = path,
             .type = KeyType::limit,
             .meaning = meaning,
             .alternative = 2,
             .only_with = "metric",
             .example = example};
}

constexpr Key targets(std::string_view path, std::string_view meaning,
                      std::string_view example = "broker-2") {
  return Key{.path = path, .type = KeyType::targets, .meaning = meaning, .example = example};
}
constexpr Key direction(std::string_view path, std::string_view only_with = {}) {
  return Key{
      .path = path,
      .type = KeyType::word,
      .fallback = "both",
      .meaning = "Which way, as seen from the target: what is sent to it, what comes from it, or both.",
      .words = "both|to|from",
      .only_with = only_with};
}
constexpr Key only_with(std::string_view companion, Key key) {
  key.only_with = companion;
  return key;
}
constexpr std::string_view kRequests =
    "AddOffsetsToTxn|AddPartitionsToTxn|AddRaftVoter|AllocateProducerIds|AlterPartition|"
    "AlterPartitionReassignments|ApiVersions|AssignReplicasToDirs|BeginQuorumEpoch|BrokerHeartbeat|"
    "BrokerRegistration|ConsumerGroupHeartbeat|ControllerRegistration|CreatePartitions|CreateTopics|"
    "DeleteTopics|"
    "ElectLeaders|EndQuorumEpoch|EndTxn|Fetch|FetchSnapshot|FindCoordinator|Heartbeat|"
    "IncrementalAlterConfigs|InitProducerId|JoinGroup|LeaveGroup|ListOffsets|Metadata|OffsetCommit|"
    "OffsetFetch|OffsetForLeaderEpoch|Produce|RemoveRaftVoter|SyncGroup|TxnOffsetCommit|"
    "UpdateRaftVoter|Vote|WriteTxnMarkers";

constexpr std::string_view kHistory = "cluster/history";

constexpr Key kKeys[] = {
    {.path = "schema",
     .type = KeyType::word,
     .meaning = "The version of this format.",
     .words = "kraftsim/v1",
     .required = true},
    {.path = "name",
     .type = KeyType::name,
     .fallback = "=the file's name without its ending",
     .meaning = "What the run and its folder are called."},
    {.path = "about", .type = KeyType::text, .meaning = "What the scenario shows, in a sentence or two."},
    required(with_example(
        scalar_key("duration", UnitKind::duration, "", 1, kYear, "How long orders are placed."), "120s")),
    scalar_key("warmup", UnitKind::duration, "=10s, or a quarter of the duration if that is less", 0, kYear,
               "Orders intended earlier than this are left out of summaries."),
    scalar_key("drain", UnitKind::duration, "30s", 0, kYear,
               "How long orders under way at the end may take to be finished."),
    {.path = "then",
     .type = KeyType::word,
     .fallback = "=converge with chaos, else settle",
     .meaning =
         "What comes after the duration. settle: the run ends when all orders are settled, or with the "
         "drain. "
         "converge: then every fault ends for good and servers that are down start again, and before the "
         "drain is over every order must have ended, every lag be zero and every ISR full (the expectation "
         "converges; explain expect.metric says more of unconverged).",
     .words = "settle|converge"},
    scalar_key("seed", UnitKind::none, "1", 0, std::numeric_limits<std::int64_t>::max(),
               "Where all randomness comes from."),
    scalar_key("event.budget", UnitKind::none,
               "=20 million, 20 thousand for each second and 500 for each order that may come", 0,
               std::numeric_limits<std::int64_t>::max(),
               "A run that needs more events stops as inconclusive: settings such as heartbeat.interval.ms=0 "
               "let loose a "
               "storm that no machine sees the end of. 0 sets no limit."),

    {.path = "profile",
     .type = KeyType::word,
     .fallback = "none",
     .meaning = "What kind of machines the cluster has: defaults of cluster.network, cluster.disk, "
                "cluster.machine and cluster.cpu. A single one of their settings still overrides.",
     .words = kProfileNames,
     .example = "laptop"},
    required(section("cluster", "The servers and what lies between them.")),
    required(
        with_example(scalar_key("cluster/brokers", UnitKind::none, "", 1, 1000, "How many brokers."), "3")),
    {.path = "cluster/kafka",
     .type = KeyType::word,
     .fallback = "4.4",
     .meaning = "The release of Kafka that servers and clients are of: it selects the switches of "
                "cluster.history and "
                "the defaults of that time. Older releases are played with a quorum of controllers, too.",
     .words = history::kAllVersions,
     .example = "3.6"},
    scalar_key("cluster/controllers", UnitKind::none, "=1, or with combined as many as brokers but at most 3",
               1, 101, "How many servers form the metadata quorum."),
    {.path = "cluster/combined",
     .type = KeyType::boolean,
     .fallback = "false",
     .meaning = "Whether the controllers are brokers too (process.roles=broker,controller)."},
    {.path = "cluster/racks",
     .type = KeyType::name_list,
     .fallback = "[]",
     .meaning = "Servers are dealt out to these racks in turn.",
     .example = "[a, b, c]"},
    {.path = "cluster/config",
     .type = KeyType::properties,
     .meaning = "Properties of all brokers and controllers (server.properties).",
     .components = kBroker | kController},
    section(kHistory,
            "Single switches back to a time before Kafka had something, or forward, whatever cluster.kafka "
            "says."),
    section("cluster/network", "What lies between any two processes."),
    distribution("cluster/network/rtt", UnitKind::duration, "{p50: 400us, p99: 2ms}",
                 "Round-trip time; each direction takes half of a draw of its own."),
    scalar_key("cluster/network/bandwidth", UnitKind::bandwidth, "1Gbit", 0, 1'000 * kSecond,
               "Bandwidth of each direction."),
    section("cluster/network/clients", "Between a client and a server."),
    distribution("cluster/network/clients/rtt", UnitKind::duration, "=as cluster.network.rtt",
                 "Round-trip time between a client and a server."),
    scalar_key("cluster/network/clients/bandwidth", UnitKind::bandwidth, "=as cluster.network.bandwidth", 0,
               1'000 * kSecond, "Bandwidth between a client and a server."),
    {.path = "cluster/network/links",
     .type = KeyType::list,
     .meaning = "Pairs of racks that are farther apart or closer than the rest."},
    {.path = "cluster/network/links/[]/between",
     .type = KeyType::name_list,
     .meaning = "The two racks, or one rack twice for the links inside it.",
     .required = true,
     .example = "[a, b]"},
    distribution("cluster/network/links/[]/rtt", UnitKind::duration, "=as cluster.network.rtt",
                 "Round-trip time between the two racks."),
    scalar_key("cluster/network/links/[]/bandwidth", UnitKind::bandwidth, "=as cluster.network.bandwidth", 0,
               1'000 * kSecond, "Bandwidth between the two racks."),
    {.path = "cluster/network/matrix",
     .type = KeyType::matrix,
     .meaning = "Round-trip times between racks (or zones, or regions), and within one: for each rack its "
                "times to others, each pair once.",
     .unit = UnitKind::duration,
     .least = 0,
     .most = kYear,
     .example = "{east: {west: 60ms, asia: 180ms}, west: {asia: 120ms}}"},
    {.path = "cluster/quotas",
     .type = KeyType::names,
     .meaning = "What a client may use of each broker, by the client's name (its client.id here); default is "
                "for all that have none of their own."},
    section("cluster/quotas/<name>", "The quotas of a client."),
    scalar_key("cluster/quotas/<name>/producer_byte_rate", UnitKind::byte_rate, "", 1, 1'000 * kSecond,
               "Bytes it may send to a broker."),
    scalar_key("cluster/quotas/<name>/consumer_byte_rate", UnitKind::byte_rate, "", 1, 1'000 * kSecond,
               "Bytes it may fetch from a broker."),
    scalar_key("cluster/quotas/<name>/request_percentage", UnitKind::ratio, "", 1, 10'000'000,
               "Time of a broker's request handler threads it may take, in percent of one thread."),
    section("cluster/disk", "The disk of each server."),
    distribution("cluster/disk/append", UnitKind::duration, "{p50: 20us, p99: 200us}",
                 "Time of one write into the page cache."),
    distribution("cluster/disk/flush", UnitKind::duration, "{p50: 2ms, p99: 20ms}", "Time of one fsync."),
    scalar_key("cluster/disk/read", UnitKind::byte_rate, "500MB/s", 0, 1'000 * kSecond,
               "Bytes one thread reads and checks a second, of logs that were not closed in order."),
    scalar_key("cluster/disk/bandwidth", UnitKind::byte_rate, "500MB/s", 0, 1'000 * kSecond,
               "Bytes the disk takes a second, on top of those times."),
    section("cluster/machine", "The processor time of each server's threads."),
    distribution("cluster/machine/network.per.request", UnitKind::duration, "10us",
                 "Time of a network thread for a request and its response."),
    scalar_key("cluster/machine/network.per.kib", UnitKind::duration, "200ns", 0, kSecond,
               "On top, for each KiB of them."),
    distribution("cluster/machine/io.per.request", UnitKind::duration, "{p50: 30us, p99: 120us}",
                 "Time of a request handler (I/O) thread for a request."),
    scalar_key("cluster/machine/io.per.kib", UnitKind::duration, "500ns", 0, kSecond,
               "On top, for each KiB of it."),
    section(
        "cluster/cpu",
        "The cores of each server. Its threads wait for one in a queue, first come, first served: request "
        "handlers, network threads, replica fetchers, what writes to the log, timers."),
    scalar_key(
        "cluster/cpu/cores", UnitKind::none, "0", 0, 128,
        "How many each server has, which its roles and threads share; 0: as many as it has threads, so "
        "that none ever waits."),
    {.path = "cluster/cpu/shared",
     .type = KeyType::boolean,
     .fallback = "false",
     .meaning = "Whether all servers and applications share the cores of one machine, as on a laptop."},
    distribution(
        "cluster/cpu/per.wakeup", UnitKind::duration, "{p50: 20us, p99: 100us}",
        "With cores: what any other thread than those of a request takes each time it wakes up, for "
        "an answer, a timer or a write that is done; with shared, what an application's takes, too."),
    scalar_key("cluster/cpu/others.share", UnitKind::ratio, "0", 0, 95,
               "With cores: the part of their time that other programs on the machine take."),
    distribution("cluster/cpu/others.burst", UnitKind::duration, "{p50: 1ms, p99: 4ms}",
                 "How long one of them has a core at a time, at least 100us on average."),
    section("cluster/cpu/pauses",
            "All threads of a server stand still at once, as in the pauses of a garbage collector; with or "
            "without cores."),
    distribution("cluster/cpu/pauses/interval", UnitKind::duration, "1s",
                 "From the end of one to the begin of the next, at least 1ms."),
    distribution("cluster/cpu/pauses/length", UnitKind::duration, "0s",
                 "How long one is; 0s: there are none."),
    distribution(
        "cluster/start.time", UnitKind::duration, "{p50: 3100ms, p99: 9s}",
        "From when a server is started again to when it runs: a broker then asks to be registered. As "
        "measured with Kafka 4.1 on two busy cores."),
    distribution("cluster/open.logs.time", UnitKind::duration, "{p50: 1400ms, p99: 2900ms}",
                 "From there until the broker opens its logs; what recovery takes comes on top."),
    distribution(
        "cluster/exit.time", UnitKind::duration, "{p50: 150ms, p99: 400ms}",
        "From when a server is killed until its connections are closed: its operating system takes back "
        "its memory before, and more of it takes longer. Measured with Kafka 4.1 and a heap of 256 MiB: 219 "
        "ms."),

    {.path = "topics",
     .type = KeyType::names,
     .meaning = "Topics created before the clients start; others are created when a client asks for them."},
    section("topics/<name>", "A topic."),
    {.path = "topics/<name>/replicas",
     .type = KeyType::assignment,
     .meaning = "Which brokers have replicas of each partition, as kafka-topics --replica-assignment has it; "
                "the first of a "
                "list is the preferred leader. Without it the controller places them.",
     .example = "[[2, 1, 3], [3, 2, 1]]"},
    {.path = "topics/<name>/directories",
     .type = KeyType::assignment,
     .meaning =
         "In which of the directories of log.dirs each of these replicas lies, counted from 1. Without it "
         "a broker puts it where the fewest are.",
     .only_with = "replicas",
     .example = "[[1, 2, 1], [2, 2, 1]]"},
    scalar_key("topics/<name>/partitions", UnitKind::none,
               "=as many as replicas lists, or num.partitions of cluster.config", 1, 10'000,
               "How many partitions."),
    scalar_key("topics/<name>/replication.factor", UnitKind::none,
               "=as in replicas, or default.replication.factor of cluster.config", 1, 32'767,
               "How many replicas of each partition."),
    scalar_key("topics/<name>/compression", UnitKind::ratio, "1", 1, 100,
               "Compressed size of a producer's batches, as a part of the uncompressed size."),
    {.path = "topics/<name>/config",
     .type = KeyType::properties,
     .meaning = "Properties of the topic; otherwise the brokers' synonyms hold.",
     .components = kTopic},

    {.path = "clients",
     .type = KeyType::names,
     .meaning = "The applications: order services produce, other services consume."},
    section(
        "clients/<name>",
        "An application: it produces orders, or consumes them, or does both: then it sends on one record for "
        "each order that it has handled."),
    any_of({.path = "clients/<name>/produces",
            .type = KeyType::name,
            .meaning = "The topic its orders go to, or, beside consumes, what it sends on."},
           "orders"),
    any_of({.path = "clients/<name>/consumes",
            .type = KeyType::name,
            .meaning = "The topic whose orders it handles."},
           "orders"),
    {.path = "clients/<name>/client",
     .type = KeyType::word,
     .fallback = "java",
     .meaning = "Whose client it is built on: Kafka's own, or librdkafka (confluent-kafka-python, -go, "
                "-dotnet, ...), which "
                "has names, defaults and a partitioner of its own.",
     .words = "java|librdkafka"},
    {.path = "clients/<name>/rack",
     .type = KeyType::name,
     .meaning = "The rack it stands in, one of cluster.racks."},
    not_with(
        "consumes",
        scalar_key("clients/<name>/start", UnitKind::duration, "8s", 0, kYear,
                   "When its first order may come. A group whose members start together forms after twice "
                   "group.initial.rebalance.delay.ms, 6 s, and with "
                   "Kafka's auto.offset.reset=latest it never sees what was sent before.",
                   "produces")),
    scalar_key("clients/<name>/start", UnitKind::duration, "0s", 0, kYear, "When its first member starts.",
               "consumes"),
    distribution("clients/<name>/start.stagger", UnitKind::duration, "0s",
                 "How long after one member the next one starts (a rolling start).", "consumes"),
    distribution("clients/<name>/start.time", UnitKind::duration, "{p50: 3100ms, p99: 9s}",
                 "From when one of its processes is started again, after a fault, to when it runs."),
    not_with("consumes",
             required(with_example(
                 section("clients/<name>/arrivals",
                         "When orders come, whatever the cluster does: the load is open-loop.", "produces"),
                 "{poisson: 500/s}"))),
    alternative(scalar_key("clients/<name>/arrivals/constant", UnitKind::rate, "", 1, kMostRate,
                           "One order after another at equal distances."),
                "500/s"),
    alternative(scalar_key("clients/<name>/arrivals/poisson", UnitKind::rate, "", 1, kMostRate,
                           "Independent customers: exponential gaps with this mean rate."),
                "500/s"),
    alternative(section("clients/<name>/arrivals/ramp",
                        "Independent customers, their rate growing or falling evenly, then staying."),
                "{from: 100/s, to: 2000/s, over: 60s}"),
    required(scalar_key("clients/<name>/arrivals/ramp/from", UnitKind::rate, "", 0, kMostRate,
                        "The rate at the start.")),
    required(scalar_key("clients/<name>/arrivals/ramp/to", UnitKind::rate, "", 0, kMostRate,
                        "The rate at the end.")),
    required(scalar_key("clients/<name>/arrivals/ramp/over", UnitKind::duration, "", 1, kYear,
                        "How long it takes to get there.")),
    alternative(
        section("clients/<name>/arrivals/burst", "Independent customers, with a burst from time to time."),
        "{base: 200/s, peak: 2000/s, every: 30s, length: 3s}"),
    required(scalar_key("clients/<name>/arrivals/burst/base", UnitKind::rate, "", 0, kMostRate,
                        "The rate between bursts.")),
    required(scalar_key("clients/<name>/arrivals/burst/peak", UnitKind::rate, "", 1, kMostRate,
                        "The rate in a burst.")),
    required(scalar_key("clients/<name>/arrivals/burst/every", UnitKind::duration, "", 1, kYear,
                        "From the start of a burst to the start of the next.")),
    required(scalar_key("clients/<name>/arrivals/burst/length", UnitKind::duration, "", 1, kYear,
                        "How long a burst lasts.")),
    alternative(section("clients/<name>/arrivals/daily",
                        "Independent customers, their rate following the time of day."),
                "{low: 20/s, high: 400/s, day: 10min, peak.at: 5min}"),
    required(scalar_key("clients/<name>/arrivals/daily/low", UnitKind::rate, "", 0, kMostRate,
                        "The rate at the quietest time.")),
    required(scalar_key("clients/<name>/arrivals/daily/high", UnitKind::rate, "", 1, kMostRate,
                        "The rate at the busiest time.")),
    scalar_key("clients/<name>/arrivals/daily/day", UnitKind::duration, "24h", 1, kYear,
               "How long a day is."),
    scalar_key("clients/<name>/arrivals/daily/peak.at", UnitKind::duration, "=half of the day", 0, kYear,
               "The busiest time of the day."),
    alternative(
        {.path = "clients/<name>/arrivals/trace",
         .type = KeyType::section,
         .meaning = "Recorded orders, a CSV file whose times, keys and sizes take the place of key and "
                    "record.size. Its name alone will do if the columns are called time, key and size.",
         .short_for = "file"},
        "{file: orders.csv, time: created_at, key: customer, default.size: 1KiB}"),
    {.path = "clients/<name>/arrivals/trace/file",
     .type = KeyType::path,
     .meaning = "The CSV file.",
     .required = true,
     .example = "orders.csv"},
    {.path = "clients/<name>/arrivals/trace/time",
     .type = KeyType::text,
     .fallback = "time",
     .meaning = "The column of the time: seconds or a duration after the start, a Unix time in seconds, "
                "milli-, micro- "
                "or nanoseconds, or a date as ISO 8601 or the log of a web server has it. Dates and Unix "
                "times count from the earliest "
                "order. Rows "
                "need not be sorted."},
    {.path = "clients/<name>/arrivals/trace/key",
     .type = KeyType::text,
     .fallback = "key",
     .meaning = "The column of the key, whose bytes decide the partition; none: orders without keys."},
    {.path = "clients/<name>/arrivals/trace/size",
     .type = KeyType::text,
     .fallback = "size",
     .meaning = "The column of the size in bytes."},
    scalar_key("clients/<name>/arrivals/trace/default.size", UnitKind::size, "", 0, kMostBytes,
               "The size of orders that have none; with it the column of sizes may be missing."),
    {.path = "clients/<name>/arrivals/trace/dates",
     .type = KeyType::word,
     .fallback = "iso",
     .meaning = "How dates are written: as in 2026-03-01 10:15 (iso), 3/1/2026 10:15 PM (us) or 1.3.2026 "
                "22:15 (eu). "
                "ISO dates are always understood.",
     .words = "iso|us|eu"},
    scalar_key("clients/<name>/arrivals/trace/speed", UnitKind::factor, "1x", 1, 1'000'000'000,
               "How many times as fast as recorded the orders come: 60x plays an hour in a minute."),
    scalar_key("clients/<name>/arrivals/orders", UnitKind::none, "=all that come within the duration", 1,
               std::int64_t{1} << 40, "At most this many orders."),
    {.path = "clients/<name>/key",
     .type = KeyType::key_choice,
     .fallback = "none",
     .meaning =
         "Whose orders they are: the record's key, which chooses the partition. What is sent on keeps it.",
     .only_with = "produces",
     .not_with = "consumes",
     .example = "{zipf: {n: 100000, s: 1.1}}"},
    distribution("clients/<name>/record.size", UnitKind::size, "1KiB",
                 "Bytes of an order, the record's value; or of what is sent on.", "produces"),
    {.path = "clients/<name>/group.id",
     .type = KeyType::text,
     .fallback = "=the client's name",
     .meaning = "The consumer group.",
     .only_with = "consumes"},
    scalar_key("clients/<name>/members", UnitKind::none, "1", 1, 1000,
               "How many instances share the work as members of the group.", "consumes"),
    distribution("clients/<name>/service", UnitKind::duration, "1ms", "Time the service needs for one order.",
                 "consumes"),
    {.path = "clients/<name>/commit",
     .type = KeyType::word,
     .fallback = "auto",
     .meaning = "When offsets are committed: auto as enable.auto.commit does it, after each poll's records "
                "(after-batch), after each record, or before "
                "handling them (at most once); or in a transaction with all that is sent on because of a "
                "poll, which "
                "needs produces and a transactional.id.",
     .words = "auto|after-batch|after-each|before|transaction",
     .only_with = "consumes"},
    {.path = "clients/<name>/transactional.id",
     .type = KeyType::text,
     .meaning =
         "Names a transactional producer; a new start of it fences the one before. Of a service it is what "
         "the ids of its members begin with: payment-0, payment-1.",
     .only_with = "produces",
     .example = "payment"},
    {.path = "clients/<name>/transactional.id.per",
     .type = KeyType::word,
     .fallback = "member",
     .meaning =
         "Whether a member keeps its transactional.id over restarts, or takes another at each start, so that "
         "nobody fences what it was.",
     .words = "member|start",
     .only_with = "transactional.id",
     .also_with = "consumes"},
    {.path = "clients/<name>/group.metadata",
     .type = KeyType::boolean,
     .fallback = "true",
     .meaning =
         "Whether offsets are given to a transaction with the member's generation (KIP-447), by which the "
         "group's coordinator knows one that has been replaced.",
     .only_with = "transactional.id",
     .also_with = "consumes"},
    {.path = "clients/<name>/transaction",
     .type = KeyType::section,
     .meaning = "How the application goes about its transactions.",
     .only_with = "transactional.id"},
    scalar_key(
        "clients/<name>/transaction/orders", UnitKind::none, "", 1, 1'000'000,
        "Orders in one transaction of an order service, 1 if it is not said; those of a service are what a "
        "poll returns (max.poll.records)."),
    scalar_key(
        "clients/<name>/transaction/abort", UnitKind::share, "0%", 0, 1'000'000,
        "Share of the transactions that the application aborts once all has been sent. A service then reads "
        "and handles its orders again."),
    {.path = "clients/<name>/producer.config",
     .type = KeyType::properties,
     .meaning = "Properties of the producer of a service that sends on (producer.properties).",
     .components = kProducer,
     .only_with = "consumes",
     .also_with = "produces"},
    scalar_key("clients/<name>/workers", UnitKind::none, "1", 1, 1000,
               "How many orders a member handles side by side. With more than one it goes on polling, its "
               "partitions paused while max.poll.records orders wait for a worker.",
               "consumes"),
    {.path = "clients/<name>/order",
     .type = KeyType::word,
     .fallback = "partition",
     .meaning = "With several workers: what they do not handle side by side, orders of one partition, of one "
                "key, or nothing.",
     .words = "partition|key|none",
     .only_with = "consumes"},
    {.path = "clients/<name>/commit.position",
     .type = KeyType::word,
     .fallback = "low-water",
     .meaning =
         "With several workers and commit: after-batch: what is committed of a partition, all up to the "
         "first order that is not finished, or all up to the highest that is.",
     .words = "low-water|highest",
     .only_with = "consumes"},
    {.path = "clients/<name>/config",
     .type = KeyType::properties,
     .meaning = "Properties of the producer (producer.properties).",
     .components = kProducer,
     .only_with = "produces",
     .not_with = "consumes"},
    {.path = "clients/<name>/config",
     .type = KeyType::properties,
     .meaning = "Properties of the consumers (consumer.properties).",
     .components = kConsumer,
     .only_with = "consumes"},

    {.path = "let",
     .type = KeyType::fixed_targets,
     .meaning =
         "Names for targets, each fixed at an instant: faults that name it hit whoever played the role "
         "then, whatever has become of the role since. A random one is drawn once.",
     .example = "{b1: \"leader(orders-0) at 29s\"}"},
    {.path = "faults",
     .type = KeyType::list,
     .meaning = "What goes wrong, and when. Whom a role means is found out when the fault strikes."},
    {.path = "faults/[]/name",
     .type = KeyType::name,
     .fallback = "=made of the kind and the target",
     .meaning = "What the fault is called, in results and expectations."},
    required(with_example(scalar_key("faults/[]/at", UnitKind::duration, "", 0, kYear,
                                     "When it strikes; with when: from when on it waits, from the beginning "
                                     "if it is left out."),
                          "30s")),
    {.path = "faults/[]/when",
     .type = KeyType::text,
     .meaning =
         "It strikes at the first instant at which this holds: lag(GROUP) or lag_offsets(GROUP) above "
         "a limit, looked at ten times a second; or just after append(TOPIC-0) (written by the leader, "
         "neither flushed nor acknowledged), isr_change(TOPIC-0), leader_change(TOPIC-0), each also of "
         "a topic or of any, rebalance(GROUP) or controller_change.",
     .example = "\"lag(payment) > 5s\""},
    only_with("when", scalar_key("faults/[]/wait", UnitKind::duration, "", 1, kYear,
                                 "How long it waits for that at most; without it, as long as it takes.")),
    {.path = "faults/[]/may.miss",
     .type = KeyType::boolean,
     .fallback = "false",
     .meaning = "Whether a run in which it touches nothing may be conclusive all the same."},
    scalar_key(
        "faults/[]/every", UnitKind::duration, "", 1, kYear,
        "From one strike to the next: it strikes again and again until the load ends. Without it, once."),
    scalar_key("faults/[]/for", UnitKind::duration, "", 1, kYear,
               "How long it lasts; then it is undone: restarted, resumed, healed. Without it, to the end of "
               "the run."),
    scalar_key("faults/[]/until", UnitKind::duration, "", 1, kYear,
               "When it is undone, as a time of the run, instead of for."),
    alternative(section("faults/[]/kill",
                        "Processes die at once (SIGKILL). The machine goes on: its page cache survives, its "
                        "connections are reset."),
                "{target: \"leader(orders-0)\"}"),
    required(targets("faults/[]/kill/target", "Who dies.", "\"leader(orders-0)\"")),
    alternative(section("faults/[]/powerloss",
                        "Machines lose power: what was not flushed to disk is lost, and nobody is told; "
                        "peers find out by their time-outs."),
                "{target: broker-2}"),
    required(targets("faults/[]/powerloss/target", "Whose machines.")),
    {.path = "faults/[]/powerloss/tail",
     .type = KeyType::word,
     .fallback = "lost",
     .meaning = "What becomes of what a log had not flushed: all of it is lost, or a random part is on the "
                "disk all the same, torn off in the middle of a batch, which recovery then finds out.",
     .words = "lost|torn"},
    alternative(section("faults/[]/wipe",
                        "Servers die, and their disks are replaced by empty ones: logs, quorum state and "
                        "directory ids are gone. They start again when the fault ends."),
                "{target: broker-2}"),
    required(targets("faults/[]/wipe/target", "Whose disks.")),
    alternative(section("faults/[]/stop",
                        "Processes are asked to stop (SIGTERM): a broker hands over its leaderships first, a "
                        "consumer leaves its group."),
                "{target: broker-2}"),
    required(targets("faults/[]/stop/target", "Who stops.")),
    scalar_key(
        "faults/[]/stop/down", UnitKind::duration, "", 1, kYear,
        "How long they stay down once the last of them has exited; a controlled shutdown takes its time. "
        "Instead of for, which counts from the signal."),
    alternative(section("faults/[]/restart", "A clean stop, and a new start as soon as it has wound up."),
                "{target: broker-2}"),
    required(targets("faults/[]/restart/target", "Who is restarted.")),
    alternative(
        section("faults/[]/deploy",
                "A new release of an application: each of its processes is stopped in order and starts "
                "again with other settings. What is not named stays as clients has it."),
        "{target: client(payment), config: {max.poll.records: 50}}"),
    required(targets("faults/[]/deploy/target", "Clients, or members of one such as client(payment[1]).",
                     "client(payment)")),
    {.path = "faults/[]/deploy/config",
     .type = KeyType::properties,
     .meaning = "Properties of the producer or the consumers that are other than before.",
     .components = kProducer | kConsumer,
     .example = "{max.poll.records: 50}"},
    distribution("faults/[]/deploy/service", UnitKind::duration, "",
                 "Time the service then needs for one order."),
    alternative(section("faults/[]/pause",
                        "Processes stand still (SIGSTOP, a long garbage collection): what arrives waits, "
                        "what is due is late."),
                "{target: broker-2}"),
    required(targets("faults/[]/pause/target", "Who stands still.")),
    alternative(
        {.path = "faults/[]/partition",
         .type = KeyType::section,
         .meaning = "The network is cut: bytes are lost, and connections stay open until somebody's time is "
                    "over. halves splits the servers in two at random, clients "
                    "with the half that is not smaller; in a bridge one server goes on hearing both halves; "
                    "in a majorities-ring every server hears a majority, and no two hear the same.",
         .words = "halves|bridge|majorities-ring"},
        "{isolate: \"leader(orders-0)\"}"),
    alternative(targets("faults/[]/partition/isolate", "Who is cut off from everybody else."),
                "\"leader(orders-0)\""),
    only_with("isolate", targets("faults/[]/partition/from",
                                 "Only from these; without it, from everybody else.", "clients")),
    direction("faults/[]/partition/direction", "isolate"),
    alternative({.path = "faults/[]/partition/groups",
                 .type = KeyType::target_groups,
                 .meaning = "Each group hears only itself; who is in none hears everybody."},
                "[[broker-1, controller-1], [broker-2, broker-3]]"),
    alternative(section("faults/[]/io-delay",
                        "A server's disk is slow: its writes and flushes take longer, one after the other."),
                "{target: broker-2, factor: 20}"),
    required(targets("faults/[]/io-delay/target", "Whose disk.")),
    scalar_key("faults/[]/io-delay/factor", UnitKind::none, "1", 1, 1'000'000,
               "So many times as long as they would."),
    distribution("faults/[]/io-delay/by", UnitKind::duration, "0s", "And so much longer on top of that."),
    scalar_key("faults/[]/io-delay/dir", UnitKind::none, "", 1, 31,
               "Which of the directories of log.dirs, counted from 1; without it, all of them."),
    alternative(
        section("faults/[]/io-error",
                "A server's disk is broken: nothing can be written to it, nor read when a server starts. A "
                "broker takes the log directory offline with the first write that fails, and halts "
                "if it is the first one, which holds the metadata log too. What ends the fault repairs the "
                "disk; the directory comes back with a restart after that."),
        "{target: broker-2, dir: 2}"),
    required(targets("faults/[]/io-error/target", "Whose disk.")),
    scalar_key("faults/[]/io-error/dir", UnitKind::none, "", 1, 31,
               "Which of the directories of log.dirs, counted from 1; without it, all of them."),
    alternative(section("faults/[]/disk-full",
                        "A server's disk is full: nothing can be appended, which is an I/O error to Kafka "
                        "like any other; it can be read."),
                "{target: broker-2}"),
    required(targets("faults/[]/disk-full/target", "Whose disk.")),
    scalar_key("faults/[]/disk-full/dir", UnitKind::none, "", 1, 31,
               "Which of the directories of log.dirs, counted from 1; without it, all of them."),
    alternative(section("faults/[]/slow-cpu",
                        "Processors are slow: a server's network and I/O threads, and what a service does "
                        "for an order, take longer."),
                "{target: broker-2, factor: 10}"),
    required(targets("faults/[]/slow-cpu/target", "Whose processors.")),
    required(scalar_key("faults/[]/slow-cpu/factor", UnitKind::none, "", 2, 1'000'000,
                        "So many times as long as they would.")),
    alternative(section("faults/[]/delay", "Messages take longer."),
                "{target: broker-2, to: controllers, by: 50ms}"),
    required(targets("faults/[]/delay/target", "Whose messages.")),
    targets("faults/[]/delay/to", "Only those exchanged with these; without it, with everybody.",
            "controllers"),
    direction("faults/[]/delay/direction"),
    required(
        with_example(distribution("faults/[]/delay/by", UnitKind::duration, "", "How much longer."), "50ms")),
    scalar_key("faults/[]/delay/jitter", UnitKind::duration, "0s", 0, kYear,
               "Evenly from so much less to so much more than that."),
    scalar_key("faults/[]/delay/correlation", UnitKind::share, "0%", 0, 1'000'000,
               "How much each delay on a way between two machines resembles the one before it."),
    alternative(section("faults/[]/loss", "Segments are lost and sent again by TCP: messages arrive late."),
                "{target: broker-2, rate: 5%}"),
    required(targets("faults/[]/loss/target", "Whose messages.")),
    targets("faults/[]/loss/to", "Only those exchanged with these; without it, with everybody.",
            "controllers"),
    direction("faults/[]/loss/direction"),
    required(with_example(scalar_key("faults/[]/loss/rate", UnitKind::share, "", 1, 990'000,
                                     "Share of the segments that is lost."),
                          "5%")),
    scalar_key("faults/[]/loss/burst", UnitKind::none, "1", 1, 1'000,
               "How many in a row are lost on average, on a way between two machines; 1: independently of "
               "each other."),
    alternative(section("faults/[]/bandwidth",
                        "A network card gives less: what its machine sends shares a lower rate, and so does "
                        "what it is sent."),
                "{target: broker-2, limit: 10Mbit}"),
    required(targets("faults/[]/bandwidth/target", "Whose card.")),
    targets("faults/[]/bandwidth/to", "Only what is exchanged with these; without it, with everybody.",
            "brokers"),
    direction("faults/[]/bandwidth/direction"),
    required(with_example(scalar_key("faults/[]/bandwidth/limit", UnitKind::bandwidth, "", 1, 1'000 * kSecond,
                                     "The rate, in each direction."),
                          "10Mbit")),
    alternative(section("faults/[]/reset",
                        "Connections break at once (RST): both ends hear of it, and what was under way is "
                        "lost. Nothing stops them from connecting again."),
                "{target: broker-2, to: clients}"),
    required(targets("faults/[]/reset/target", "Whose connections.")),
    targets("faults/[]/reset/to", "Only those with these; without it, with everybody.", "clients"),
    alternative(
        section("faults/[]/hold",
                "Requests of one kind, or the replies to them, are held back on their connection, and "
                "what follows them there, until the fault ends."),
        "{target: \"leader(orders-0)\", request: AlterPartition}"),
    required(targets("faults/[]/hold/target", "Whose requests.")),
    targets("faults/[]/hold/to", "Only those exchanged with these; without it, with everybody.",
            "controllers"),
    direction("faults/[]/hold/direction"),
    {.path = "faults/[]/hold/request",
     .type = KeyType::word,
     .meaning = "Kafka's name of the request.",
     .words = kRequests,
     .required = true,
     .example = "AlterPartition"},
    {.path = "faults/[]/hold/replies",
     .type = KeyType::boolean,
     .fallback = "false",
     .meaning =
         "Whether the replies are held and not the requests: what was asked for is carried out, and who "
         "asked does not learn of it."},
    {.path = "faults/[]/hold/partition",
     .type = KeyType::text,
     .meaning = "Only messages that name this partition. An incremental fetch request names what has changed "
                "(KIP-227), its reply what there is something to tell of.",
     .example = "orders-0"},
    scalar_key("faults/[]/hold/count", UnitKind::none, "", 1, 1'000'000'000,
               "Only the first so many of them; what follows on their connections waits all the same."),
    scalar_key("faults/[]/hold/connections", UnitKind::none, "", 1, 1'000'000,
               "Only on the first so many connections: those opened later are free."),
    alternative(section("faults/[]/time-offset",
                        "Wall clocks of machines are off, and set right when the fault ends: records bear "
                        "wrong times, retention goes by them. Time-outs go by "
                        "monotonic clocks."),
                "{target: \"client(order-service)\", by: -10s}"),
    required(targets("faults/[]/time-offset/target", "Whose clocks.")),
    required(with_example(scalar_key("faults/[]/time-offset/by", UnitKind::duration, "", -20 * kYear,
                                     20 * kYear, "How far they are ahead; negative: behind."),
                          "-10s")),
    alternative(section("faults/[]/drift",
                        "Clocks of machines run fast or slow, wall clocks and time-outs; when the fault ends "
                        "the wall clock is set right."),
                "{target: broker-2, ppm: 200}"),
    required(targets("faults/[]/drift/target", "Whose clocks.")),
    required(with_example(scalar_key("faults/[]/drift/ppm", UnitKind::none, "", -500'000, 1'000'000,
                                     "Microseconds they gain in a second; negative: they lose."),
                          "200")),
    alternative(section("faults/[]/admin",
                        "An operator asks the cluster for something with one of Kafka's tools, on a machine "
                        "of its own: a client like any other, which tries again for "
                        "up to a minute. It is over when that was answered; there is nothing to undo."),
                "{elect-leaders: {type: preferred, partitions: all}}"),
    alternative(
        {.path = "faults/[]/admin/elect-leaders",
         .type = KeyType::section,
         .meaning = "kafka-leader-election: partitions get their preferred leader, the first of their "
                    "replicas; or those without a leader get any replica that "
                    "is up, at the price of lost records.",
         .short_for = "type"},
        "{type: preferred, partitions: all}"),
    {.path = "faults/[]/admin/elect-leaders/type",
     .type = KeyType::word,
     .fallback = "preferred",
     .meaning = "Which election.",
     .words = "preferred|unclean"},
    {.path = "faults/[]/admin/elect-leaders/partitions",
     .type = KeyType::partitions,
     .fallback = "all",
     .meaning = "Of which partitions.",
     .example = "[orders-0, orders-1]"},
    alternative(
        {.path = "faults/[]/admin/reassign",
         .type = KeyType::replica_lists,
         .meaning = "kafka-reassign-partitions: partitions get these replicas, the first of which is to lead "
                    "them. New ones copy the log first. cancel takes back what is under way."},
        "{orders-0: [broker-2, broker-3, broker-4]}"),
    alternative(section("faults/[]/admin/move-replicas",
                        "kafka-reassign-partitions: all replicas of one broker go to another that does not "
                        "have the partition yet."),
                "{from: broker-1, to: broker-4}"),
    required(targets("faults/[]/admin/move-replicas/from", "The broker that is emptied.", "broker-1")),
    required(targets("faults/[]/admin/move-replicas/to", "The broker that takes its place.", "broker-4")),
    alternative(
        section("faults/[]/admin/create-topic",
                "kafka-topics --create: the controller makes the topic, and clients learn of it with their "
                "next metadata. Who asked for it before is refused, or has it created as num.partitions "
                "has it (auto.create.topics.enable)."),
        "{topic: orders, partitions: 6, replication.factor: 3}"),
    {.path = "faults/[]/admin/create-topic/topic",
     .type = KeyType::name,
     .meaning = "The topic.",
     .required = true,
     .example = "orders"},
    scalar_key("faults/[]/admin/create-topic/partitions", UnitKind::none, "", 1, 10'000,
               "How many partitions; num.partitions of cluster.config without it."),
    scalar_key("faults/[]/admin/create-topic/replication.factor", UnitKind::none, "", 1, 32'767,
               "How many replicas of each; default.replication.factor of cluster.config without it."),
    {.path = "faults/[]/admin/create-topic/replicas",
     .type = KeyType::assignment,
     .meaning =
         "kafka-topics --replica-assignment: the brokers of each partition, the preferred leader first. "
         "Instead of partitions and replication.factor.",
     .example = "[[2, 1, 3], [3, 2, 1]]"},
    {.path = "faults/[]/admin/create-topic/config",
     .type = KeyType::properties,
     .meaning = "Properties of the topic; otherwise the brokers' synonyms hold.",
     .components = kTopic},
    alternative({.path = "faults/[]/admin/delete-topic",
                 .type = KeyType::name,
                 .meaning = "kafka-topics --delete: the topic and all its records are gone. A client that "
                            "asks for it may create it anew."},
                "orders"),
    alternative(section("faults/[]/admin/alter-configs",
                        "kafka-configs --alter: settings of a topic change while it is used."),
                "{topic: orders, config: {min.insync.replicas: 1}}"),
    {.path = "faults/[]/admin/alter-configs/topic",
     .type = KeyType::name,
     .meaning = "The topic.",
     .required = true,
     .example = "orders"},
    {.path = "faults/[]/admin/alter-configs/config",
     .type = KeyType::properties,
     .meaning = "What is set; what is not named stays as it is.",
     .components = kTopic,
     .required = true,
     .example = "{min.insync.replicas: 1}"},
    alternative(section("faults/[]/admin/create-partitions",
                        "kafka-topics --alter: a topic gets more partitions. Keys then belong to other "
                        "partitions than before."),
                "{topic: orders, count: 12}"),
    {.path = "faults/[]/admin/create-partitions/topic",
     .type = KeyType::name,
     .meaning = "The topic.",
     .required = true,
     .example = "orders"},
    required(with_example(scalar_key("faults/[]/admin/create-partitions/count", UnitKind::none, "", 1, 10'000,
                                     "How many it has in all from then on."),
                          "12")),
    alternative(
        section("faults/[]/admin/reset-offsets",
                "kafka-consumer-groups --reset-offsets --execute: where a group goes on in a topic. Its "
                "coordinator refuses (UNKNOWN_MEMBER_ID) while the group has members: stop them first, "
                "or reset before they start."),
        "{group: payment, topic: orders, to: earliest}"),
    {.path = "faults/[]/admin/reset-offsets/group",
     .type = KeyType::name,
     .meaning = "The group.id.",
     .required = true,
     .example = "payment"},
    {.path = "faults/[]/admin/reset-offsets/topic",
     .type = KeyType::name,
     .meaning = "The topic.",
     .required = true,
     .example = "orders"},
    {.path = "faults/[]/admin/reset-offsets/partitions",
     .type = KeyType::partitions,
     .fallback = "all",
     .meaning = "Of which partitions of it.",
     .example = "[orders-0, orders-1]"},
    {.path = "faults/[]/admin/reset-offsets/to",
     .type = KeyType::text,
     .meaning = "earliest, latest, or an offset, which is brought into the log's range.",
     .example = "earliest"},
    scalar_key("faults/[]/admin/reset-offsets/by-duration", UnitKind::duration, "", 0, kYear,
               "To the first record that is not older than this, by the operator's clock. Instead of to."),
    section("chaos",
            "Faults drawn at random, in addition to those listed: kinds, targets, times, lengths and the "
            "moments they wait for come from a stream of their own. What was drawn stands as explicit faults "
            "in scenario.resolved.yaml, which runs by itself."),
    scalar_key("chaos/budget", UnitKind::none, "6", 1, 1'000,
               "How many faults in all; a swizzle counts as one."),
    scalar_key("chaos/at.once", UnitKind::none, "2", 1, 100, "How many may last at any one time."),
    {.path = "chaos/kinds",
     .type = KeyType::name_list,
     .fallback = "[]",
     .meaning =
         "Of which kinds: kill, powerloss, stop, restart, pause, partition, swizzle (brokers are cut off "
         "one by one and come back in another order), delay, loss, reset, io-delay, slow-cpu; none "
         "named: all of them."},
    distribution("chaos/gap", UnitKind::duration, "{p50: 5s, p99: 20s}",
                 "From one strike to the next, or to when there is room for it."),
    distribution("chaos/for", UnitKind::duration, "{p50: 5s, p99: 25s}", "How long each lasts."),
    scalar_key("chaos/from", UnitKind::duration, "=the warm-up's end", 0, kYear, "None strikes earlier."),
    scalar_key("chaos/until", UnitKind::duration, "=three quarters of the duration", 1, kYear,
               "All have ended by then, but for those that had to wait for their moment."),
    {.path = "chaos/swarm",
     .type = KeyType::boolean,
     .fallback = "true",
     .meaning =
         "Whether each run plays only some of the kinds, drawn anew (swarm testing): one kind may hide "
         "what another would have shown."},
    {.path = "chaos/moments",
     .type = KeyType::boolean,
     .fallback = "true",
     .meaning =
         "Whether half of the faults wait for a sensitive moment: just after an append, a change of an "
         "ISR, at the beginning of a rebalance."},
    {.path = "vary",
     .type = KeyType::variations,
     .meaning =
         "Keys of this scenario that are drawn for each seed: from a list, or evenly from a range. What "
         "was drawn stands in scenario.resolved.yaml.",
     .example =
         "{clients.order-service.config.linger.ms: [0, 5, 20], cluster.network.rtt: {from: 200us, to: 2ms}}"},

    {.path = "invariants",
     .type = KeyType::names,
     .meaning = "Invariants that this scenario does not ask for, by name: all others are always looked at."},
    section("invariants/<name>", "An invariant that is switched off."),
    {.path = "invariants/<name>/because",
     .type = KeyType::text,
     .meaning = "Why this scenario may break it.",
     .required = true},
    {.path = "expect", .type = KeyType::list, .meaning = "What must hold for the run to pass."},
    {.path = "expect/[]/id",
     .type = KeyType::name,
     .fallback = "=made of the metric, the statistic and of",
     .meaning = "What the expectation is called."},
    {.path = "expect/[]/metric",
     .type = KeyType::word,
     .meaning = "What is measured.",
     .alternative = 1,
     .example = "e2e_latency"},
    {.path = "expect/[]/recovery",
     .type = KeyType::name,
     .meaning = "The fault from whose end it is measured how long the system takes to recover; of several "
                "strikes the slowest counts.",
     .alternative = 1,
     .example = "isolate-leader"},
    {.path = "expect/[]/until",
     .type = KeyType::text,
     .meaning = "What must hold again, and go on to hold for three seconds: a metric, whose it is, a "
                "statistic, and a limit.",
     .required = true,
     .only_with = "recovery",
     .example = "\"lag(payment) < 1s\""},
    required(with_example(scalar_key("expect/[]/within", UnitKind::duration, "", 1, kYear,
                                     "How long that may take.", "recovery"),
                          "30s")),
    {.path = "expect/[]/of",
     .type = KeyType::name,
     .meaning = "Whose: a client, or of metrics of the cluster a topic, a partition (orders-0) or a broker "
                "(broker-2). Without it, all.",
     .only_with = "metric"},
    {.path = "expect/[]/fault",
     .type = KeyType::name,
     .meaning = "Times that count from strikes (time_to_...): of which fault. Without it, of all that "
                "touched what is measured.",
     .only_with = "metric"},
    {.path = "expect/[]/window",
     .type = KeyType::text,
     .fallback = "all",
     .meaning = "Which part of the run: all, steady, faults (from each strike until its effect is over: "
                "until nothing is worse than before it, 60 s after its end at most), during(FAULT), "
                "after(FAULT), or from one time until another, such as 30s..45s.",
     .only_with = "metric",
     .example = "steady"},
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

// The texts that the keys made here point to.
const std::string& kept(std::string text) {
  static std::deque<std::string> texts;
  return texts.emplace_back(std::move(text));
}

// "on: Who has heard nothing of a leader asks ... (KIP-996, Kafka 4.0). off: An isolated voter ..."
Key key_of(const history::Switch& one) {
  std::string meaning(one.meaning);
  std::string words;
  for (const history::Behaviour& behaviour : one.behaviours) {
    std::string said(behaviour.meaning);
    if (const std::string source = history::source_of(behaviour); !source.empty())
      said.insert(said.size() - 1, " (" + source + ")");
    meaning += " " + std::string(behaviour.word) + ": " + said;
    words += (words.empty() ? "" : "|") + std::string(behaviour.word);
  }
  return Key{.path = kept(std::string(kHistory) + "/" + std::string(one.name)),
             .type = KeyType::word,
             .fallback = "=as it was in the release of cluster.kafka",
             .meaning = kept(std::move(meaning)),
             .words = kept(std::move(words))};
}

std::string metric_words() {
  std::string words;
  for (const judge::Metric& metric : judge::known_metrics())
    words += (words.empty() ? "" : "|") + std::string(metric.name);
  return words;
}

std::vector<Key> make_keys() {
  std::vector<Key> all;
  for (const Key& key : kKeys) {
    all.push_back(key);
    if (key.path == "expect/[]/metric") all.back().words = kept(metric_words());
    if (key.path != kHistory) continue;
    for (const history::Switch& one : history::switches()) all.push_back(key_of(one));
  }
  return all;
}

}  // namespace

std::string_view Key::last() const {
  return path.substr(path.rfind('/') + 1);
}

std::span<const Key> keys() {
  static const std::vector<Key> all = make_keys();
  return all;
}

std::vector<const Key*> keys_below(std::string_view path) {
  std::vector<const Key*> below;
  for (const Key& key : keys()) {
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

void write_out(Value& value, const Key& key) {
  Value map = empty_map(value.place);
  map.entries.push_back(Entry{std::string(key.short_for), value.place, std::move(value)});
  value = std::move(map);
}

std::string describe(const Key& key) {
  switch (key.type) {
    case KeyType::section: {
      std::string text = key.example.empty() ? "a map" : "a map such as " + std::string(key.example);
      if (!key.short_for.empty())
        text = (key.short_for == "file" ? "the name of a file, or "
                                        : "its " + std::string(key.short_for) + ", or ") +
               text;
      for (const char c : key.words.empty() ? std::string{} : "|" + std::string(key.words))
        text += c == '|' ? std::string(" or ") : std::string(1, c);
      return text;
    }
    case KeyType::names: return "a map from names to maps";
    case KeyType::list: return "a list of maps";
    case KeyType::scalar: {
      // Unlimited is written 0 inside.
      std::string text(describe(key.unit));
      const std::size_t unlimited = text.find(" or unlimited");
      if (key.least == 0 || unlimited == std::string::npos) return text;
      text.resize(unlimited);
      return text.replace(text.rfind(", "), 2, " or ");
    }
    case KeyType::boolean: return "true or false";
    case KeyType::text: return key.example.empty() ? "a text" : "a text such as " + std::string(key.example);
    case KeyType::name: return "a name";
    case KeyType::word: {
      std::string text;
      for (const char c : key.words) text += c == '|' ? std::string(", ") : std::string(1, c);
      if (const std::size_t comma = text.rfind(", "); comma != std::string::npos)
        text.replace(comma, 2, " or ");
      return text;
    }
    case KeyType::name_list: return "a list of names such as [a, b]";
    case KeyType::matrix:
      return "a map from racks to maps of round-trip times such as " + std::string(key.example);
    case KeyType::path: return "the name of a file";
    case KeyType::distribution:
      return std::string(describe(key.unit)) + ", or how it varies: " +
             (key.unit == UnitKind::size ? "{p50: 1KiB, p99: 8KiB}" : "{p50: 2ms, p99: 9ms}") +
             ", {uniform: {min: .., max: ..}}" + (key.unit == UnitKind::size ? "" : ", {exponential: ..}") +
             ", {constant: ..} or {values: FILE}";
    case KeyType::key_choice: return "none, {zipf: {n: 100000, s: 1.1}} or {uniform: {n: 100000}}";
    case KeyType::properties:
      return "Kafka properties: a map, a pasted block (|) or {file: server.properties}";
    case KeyType::limit: return "a limit such as " + std::string(key.example);
    case KeyType::targets:
      return "a target such as broker-2, controller or leader(orders-0), or a list of them";
    case KeyType::target_groups:
      return "a list of groups such as [[broker-1, controller-1], [broker-2, broker-3]]";
    case KeyType::partitions: return "all, a partition such as orders-0, or a list of them";
    case KeyType::replica_lists:
      return "a map from partitions to brokers such as {orders-0: [broker-2, broker-3]}";
    case KeyType::fixed_targets: return "a map from names to targets, such as " + std::string(key.example);
    case KeyType::assignment:
      return "a list with the list of its brokers for each partition, such as " + std::string(key.example);
    case KeyType::variations: return "a map such as " + std::string(key.example);
  }
  return {};
}

}  // namespace sim::scenario
