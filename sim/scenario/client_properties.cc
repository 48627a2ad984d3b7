#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/property_table.h"

// Producer and consumer properties.
namespace sim::scenario::rows {

namespace {

using client::CommonClientConfig;
using client::ConsumerConfig;
using client::ProducerConfig;

void acks(const Targets& targets, const std::string& value) {
  if (targets.producer != nullptr) targets.producer->acks = value == "all" ? -1 : value == "1" ? 1 : 0;
}

// librdkafka's: what is hashed how, and where records without a key go.
void partitioner(const Targets& targets, const std::string& value) {
  if (targets.producer == nullptr) return;
  using client::KeyHash;
  targets.producer->partitioner_ignore_keys = value == "random";
  targets.producer->key_hash = value.starts_with("murmur2") ? KeyHash::murmur2
                               : value.starts_with("fnv1a") ? KeyHash::fnv1a
                                                            : KeyHash::crc32;
  targets.producer->hashes_missing_keys = !value.ends_with("random");
}

void auto_offset_reset(const Targets& targets, const std::string& value) {
  if (targets.consumer == nullptr) return;
  targets.consumer->auto_offset_reset = value == "earliest" ? client::AutoOffsetReset::earliest
                                        : value == "none"   ? client::AutoOffsetReset::none
                                                            : client::AutoOffsetReset::latest;
  if (const std::size_t colon = value.find(':'); colon != std::string::npos) {  // by_duration:PT1H
    targets.consumer->auto_offset_reset = client::AutoOffsetReset::by_duration;
    targets.consumer->auto_offset_reset_duration_ms =
        read_iso_duration_ms(std::string_view(value).substr(colon + 1)).value_or(0);
  }
}

void isolation_level(const Targets& targets, const std::string& value) {
  if (targets.consumer == nullptr) return;
  targets.consumer->isolation_level = value == "read_committed" ? client::IsolationLevel::read_committed
                                                                : client::IsolationLevel::read_uncommitted;
}

void assignment_strategy(const Targets& targets, const std::string& value) {
  if (targets.consumer == nullptr) return;
  std::vector<client::Assignor>& assignors = targets.consumer->partition_assignment_strategy;
  assignors.clear();
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t end = std::min(value.find(',', at), value.size());
    const std::string_view name = std::string_view(value).substr(at, end - at);
    assignors.push_back(name == "range"        ? client::Assignor::range
                        : name == "roundrobin" ? client::Assignor::roundrobin
                        : name == "sticky"     ? client::Assignor::sticky
                                               : client::Assignor::cooperative_sticky);
    at = end + 1;
  }
}

void group_protocol(const Targets& targets, const std::string& value) {
  if (targets.consumer == nullptr) return;
  targets.consumer->group_protocol =
      value == "consumer" ? client::GroupProtocol::consumer : client::GroupProtocol::classic;
}

void remote_assignor(const Targets& targets, const std::string& value) {
  if (targets.consumer != nullptr && value != "null") targets.consumer->group_remote_assignor = value;
}

constexpr Property kClientRows[] = {
    // Producer
    modelled("acks", kProducer, text, "all", any(), acks,
             "What a producer waits for: 0 nothing, 1 the leader's append, all the in-sync replicas.",
             "all|-1|0|1"),
    modelled("linger.ms", kProducer, int64, "5", within(0, kMaxInt), field<&ProducerConfig::linger_ms>,
             "How long a batch waits for more records before it is sent."),
    modelled("batch.size", kProducer, int32, "16384", from(0), field<&ProducerConfig::batch_size>,
             "Bytes of records for one partition that are sent as one batch."),
    modelled("buffer.memory", kProducer, int64, "33554432", from(0), field<&ProducerConfig::buffer_memory>,
             "Bytes of records a producer may hold unsent; beyond, send() blocks."),
    modelled("max.block.ms", kProducer, int64, "60000", from(0), field<&ProducerConfig::max_block_ms>,
             "How long send() may block for metadata or buffer memory."),
    modelled("max.request.size", kProducer, int32, "1048576", from(0),
             field<&ProducerConfig::max_request_size>,
             "The largest request, and so the largest record, a producer sends."),
    modelled("retries", kProducer, int32, kMaxIntText, within(0, kMaxInt), field<&ProducerConfig::retries>,
             "How often a failed batch is sent again within delivery.timeout.ms."),
    modelled("delivery.timeout.ms", kProducer, int32, "120000", from(0),
             field<&ProducerConfig::delivery_timeout_ms>,
             "How long a record may take from send() to its acknowledgement, retries included."),
    modelled("max.in.flight.requests.per.connection", kProducer, int32, "5", from(1),
             field<&ProducerConfig::max_in_flight_requests_per_connection>,
             "Requests a producer sends to a broker before it waits for a response."),
    modelled("enable.idempotence", kProducer, boolean, "true", any(),
             field<&ProducerConfig::enable_idempotence>,
             "Whether the broker drops what a retry sends twice."),
    modelled("partitioner.ignore.keys", kProducer, boolean, "false", any(),
             field<&ProducerConfig::partitioner_ignore_keys>,
             "Whether records with a key are partitioned as if they had none."),
    modelled("partitioner.adaptive.partitioning.enable", kProducer, boolean, "true", any(),
             field<&ProducerConfig::partitioner_adaptive_partitioning_enable>,
             "Whether keyless records go less often to partitions with a queue."),
    modelled("partitioner.availability.timeout.ms", kProducer, int64, "0", from(0),
             field<&ProducerConfig::partitioner_availability_timeout_ms>,
             "A broker that takes no batch for this long gets no keyless records; 0 turns it off."),
    modelled("partitioner", kProducer, text, "null", any(), partitioner,
             "Of client: librdkafka: how keys are hashed (CRC-32 unless told otherwise; murmur2 is what "
             "Kafka's own client "
             "takes); with _random, records without a key go to random partitions.",
             "consistent_random|consistent|murmur2_random|murmur2|fnv1a_random|fnv1a|random"),
    modelled(
        "sticky.partitioning.linger.ms", kProducer, int64, "null", within(0, 900'000),
        field<&ProducerConfig::sticky_partitioning_linger_ms>,
        "Of client: librdkafka: how long records without a key go to one partition; 0: each draws anew."),
    accepted("partitioner.class", kProducer, text, "null",
             "The class that chooses partitions; Kafka's own partitioners are played."),
    accepted("compression.type", kProducer, text, "none",
             "Codec of a batch; a topic's compression ratio is set by topics.<name>.compression here.", {},
             "none|gzip|snappy|lz4|zstd"),
    accepted("compression.gzip.level", kProducer, int32, "-1", "Level of gzip compression.", within(-1, 9)),
    accepted("compression.lz4.level", kProducer, int32, "9", "Level of lz4 compression.", within(1, 17)),
    accepted("compression.zstd.level", kProducer, int32, "3", "Level of zstd compression.",
             within(-131'072, 22)),
    modelled("transactional.id", kProducer, text, "null", any(), field<&ProducerConfig::transactional_id>,
             "Names a transactional producer; clients.<name>.transactional.id says it here."),
    modelled("transaction.timeout.ms", kProducer, int32, "60000", from(1),
             field<&ProducerConfig::transaction_timeout_ms>,
             "How long a transaction may stay open before its coordinator aborts it."),
    accepted("transaction.two.phase.commit.enable", kProducer, boolean, "false",
             "Whether transactions take part in a two-phase commit."),
    accepted("key.serializer", kProducer, text, "null", "The class that turns keys into bytes."),
    accepted("value.serializer", kProducer, text, "null", "The class that turns values into bytes."),
    modelled("metadata.max.idle.ms", kProducer, int64, "300000", from(5000),
             field<&CommonClientConfig::metadata_max_idle_ms>,
             "How long a producer keeps metadata of a topic it does not send to."),
    // Consumer
    modelled("group.id", kConsumer, text, "null", any(), field<&ConsumerConfig::group_id>,
             "The group a consumer belongs to."),
    modelled("group.instance.id", kConsumer, text, "null", any(), field<&ConsumerConfig::group_instance_id>,
             "Makes a static member: its restart within the session causes no rebalance."),
    modelled("group.protocol", kConsumer, text, "classic", any(), group_protocol,
             "How a consumer is a member of its group: by the classic protocol, in which the members' leader "
             "assigns, or by that of KIP-848, in which the coordinator does.",
             "classic|consumer"),
    modelled("group.remote.assignor", kConsumer, text, "null", any(), remote_assignor,
             "With group.protocol=consumer: the assignor of the group coordinator that this member asks for.",
             "uniform|range"),
    modelled("partition.assignment.strategy", kConsumer, list, "range,cooperative-sticky", any(),
             assignment_strategy,
             "How a group's partitions are dealt out: range, roundrobin, sticky, cooperative-sticky, or "
             "Kafka's class names.",
             "range|roundrobin|sticky|cooperative-sticky"),
    modelled("session.timeout.ms", kConsumer, int32, "45000", from(0),
             field<&ConsumerConfig::session_timeout_ms>,
             "A member whose heartbeats stay away for this long is removed from the group."),
    modelled("heartbeat.interval.ms", kConsumer, int32, "3000", from(0),
             field<&ConsumerConfig::heartbeat_interval_ms>,
             "Time between two heartbeats of a member to its coordinator."),
    modelled("max.poll.interval.ms", kConsumer, int32, "300000", from(1),
             field<&ConsumerConfig::max_poll_interval_ms>,
             "A member that does not poll for this long leaves the group."),
    modelled("max.poll.records", kConsumer, int32, "500", from(1), field<&ConsumerConfig::max_poll_records>,
             "The most records one poll returns."),
    modelled("enable.auto.commit", kConsumer, boolean, "true", any(),
             field<&ConsumerConfig::enable_auto_commit>,
             "Whether the consumer commits from time to time by itself; clients.<name>.commit says it here."),
    modelled("auto.commit.interval.ms", kConsumer, int32, "5000", from(0),
             field<&ConsumerConfig::auto_commit_interval_ms>, "Time between two automatic commits."),
    modelled(
        "auto.offset.reset", kConsumer, text, "latest", any(), auto_offset_reset,
        "Where a group starts that has committed nothing: earliest, latest, none (an error), or with the "
        "orders of the last while (by_duration:PT1H).",
        "earliest|latest|none"),
    modelled(
        "isolation.level", kConsumer, text, "read_uncommitted", any(), isolation_level,
        "Whether records of open and aborted transactions are returned (read_uncommitted), or only what is "
        "committed, up to the last stable offset.",
        "read_uncommitted|read_committed"),
    modelled("fetch.min.bytes", kConsumer, int32, "1", from(0), field<&ConsumerConfig::fetch_min_bytes>,
             "Bytes a fetch waits for."),
    modelled("fetch.max.wait.ms", kConsumer, int32, "500", from(0), field<&ConsumerConfig::fetch_max_wait_ms>,
             "The longest a broker holds a fetch for fetch.min.bytes."),
    modelled("fetch.max.bytes", kConsumer, int32, "52428800", from(0),
             field<&ConsumerConfig::fetch_max_bytes>, "The most bytes a consumer asks for in one fetch."),
    modelled("max.partition.fetch.bytes", kConsumer, int32, "1048576", from(0),
             field<&ConsumerConfig::max_partition_fetch_bytes>,
             "The most bytes a consumer asks for of each partition."),
    modelled("client.rack", kConsumer, text, "", any(), field<&ConsumerConfig::client_rack>,
             "The rack a consumer says it is in."),
    modelled("default.api.timeout.ms", kConsumer, int32, "60000", from(0),
             field<&ConsumerConfig::default_api_timeout_ms>,
             "How long a commit or another blocking call may take."),
    modelled("allow.auto.create.topics", kConsumer, boolean, "true", any(),
             field<&ConsumerConfig::allow_auto_create_topics>,
             "Whether a consumer's request for metadata may create a topic."),
    accepted("check.crcs", kConsumer, boolean, "true", "Whether the checksum of each batch is verified."),
    accepted("share.acknowledgement.mode", kConsumer, text, "implicit",
             "How the records of a share group are acknowledged.", {}, "implicit|explicit"),
    accepted("exclude.internal.topics", kConsumer, boolean, "true",
             "Whether a subscription by pattern leaves out internal topics."),
    accepted("key.deserializer", kConsumer, text, "null", "The class that turns bytes into keys."),
    accepted("value.deserializer", kConsumer, text, "null", "The class that turns bytes into values."),
    // Both
    modelled("client.id", kClient, text, "", any(), field<&CommonClientConfig::client_id>,
             "The name a client gives in its requests."),
    modelled("request.timeout.ms", kClient, int32, "30000", from(0),
             field<&CommonClientConfig::request_timeout_ms>,
             "How long a client waits for a response before it drops the connection and tries again."),
    modelled("retry.backoff.ms", kClient, int64, "100", from(0), field<&CommonClientConfig::retry_backoff_ms>,
             "Pause before a failed request is sent again."),
    modelled("retry.backoff.max.ms", kClient, int64, "1000", from(0),
             field<&CommonClientConfig::retry_backoff_max_ms>, "The most that pause grows to."),
    modelled("reconnect.backoff.ms", kClient, int64, "50", from(0),
             field<&CommonClientConfig::reconnect_backoff_ms>,
             "Pause before a client connects again to a broker."),
    modelled("reconnect.backoff.max.ms", kClient, int64, "1000", from(0),
             field<&CommonClientConfig::reconnect_backoff_max_ms>, "The most that pause grows to."),
    modelled("socket.connection.setup.timeout.ms", kClient, int64, "10000", any(),
             field<&CommonClientConfig::socket_connection_setup_timeout_ms>,
             "How long a client waits for a connection."),
    modelled("socket.connection.setup.timeout.max.ms", kClient, int64, "30000", any(),
             field<&CommonClientConfig::socket_connection_setup_timeout_max_ms>,
             "The most that wait grows to after failures."),
    modelled("connections.max.idle.ms", kClient, int64, "540000", any(),
             field<&CommonClientConfig::connections_max_idle_ms>,
             "A connection without traffic for this long is closed by the client."),
    modelled("metadata.max.age.ms", kClient, int64, "300000", from(0),
             field<&CommonClientConfig::metadata_max_age_ms>,
             "How old metadata may get before it is asked for anew."),
    accepted("metadata.recovery.strategy", kClient, text, "rebootstrap",
             "What a client does when it knows no broker that answers.", {}, "none|rebootstrap"),
    accepted("metadata.recovery.rebootstrap.trigger.ms", kClient, int64, "300000",
             "How long it waits before it does that.", from(0)),
    accepted("bootstrap.servers", kClient, list, "",
             "Where a client finds its first broker; it knows all brokers here."),
    accepted("client.dns.lookup", kClient, text, "use_all_dns_ips", "How a client uses DNS.", {},
             "use_all_dns_ips|resolve_canonical_bootstrap_servers_only"),
    accepted("send.buffer.bytes", kClient, int32, "131072", "Send buffer of a client's sockets.", from(-1)),
    accepted("receive.buffer.bytes", kProducer, int32, "32768", "Receive buffer of a client's sockets.",
             from(-1)),
    accepted("receive.buffer.bytes", kConsumer, int32, "65536", "Receive buffer of a client's sockets.",
             from(-1)),
    accepted("interceptor.classes", kClient, list, "", "Classes that see each record."),
    accepted("enable.metrics.push", kClient, boolean, "true",
             "Whether a client pushes its metrics to the brokers."),
};

}  // namespace

std::span<const Property> client_rows() {
  return kClientRows;
}

}  // namespace sim::scenario::rows
