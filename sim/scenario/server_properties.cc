#include "scenario/property_table.h"
#include "scenario/property_values.h"

// Broker and controller properties, without those that stand for a topic's setting (topic_properties.cc).
namespace sim::scenario::rows {

namespace {

using controller::ControllerConfig;
using metadata::SnapshotConfig;
using raft::RaftConfig;
using server::BrokerConfig;

// Which level it is stands in History: cluster.history and the release decide with it.
void eligible_leader_replicas(const Targets& targets, const std::string& value) {
  if (targets.controller != nullptr) targets.controller->history.eligible_leader_replicas = value == "1";
}

void replica_selector(const Targets& targets, const std::string& value) {
  if (targets.broker != nullptr)
    targets.broker->rack_aware_replica_selector = value.ends_with("RackAwareReplicaSelector");
}

template <Duration raft::RaftConfig::*member>
void quorum_ms(const Targets& targets, const std::string& value) {
  std::int64_t count = 0;
  assign(count, value);
  if (targets.quorum != nullptr) targets.quorum->*member = from_millis(count);
}

// Negative: without a limit.
void metadata_retention_ms(const Targets& targets, const std::string& value) {
  std::int64_t count = 0;
  assign(count, value);
  if (targets.quorum != nullptr) targets.quorum->retention = count < 0 ? kEndless : from_millis(count);
}

void metadata_retention_bytes(const Targets& targets, const std::string& value) {
  std::int64_t count = 0;
  assign(count, value);
  if (count < 0) count = std::numeric_limits<std::int64_t>::max();
  if (targets.quorum != nullptr) targets.quorum->retention_bytes = count;
}

void log_dirs(const Targets& targets, const std::string& value) {
  if (targets.broker != nullptr) targets.broker->log_dirs = static_cast<std::int32_t>(log_directories(value));
}

void rebalance_protocols(const Targets& targets, const std::string& value) {
  if (targets.broker == nullptr) return;
  targets.broker->group_consumer_protocol = ("," + value + ",").find(",consumer,") != std::string::npos;
}

void consumer_assignors(const Targets& targets, const std::string& value) {
  if (targets.broker == nullptr) return;
  std::vector<std::string>& assignors = targets.broker->group_consumer_assignors;
  assignors.clear();
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t end = std::min(value.find(',', at), value.size());
    assignors.push_back(value.substr(at, end - at));
    at = end + 1;
  }
}

void migration_policy(const Targets& targets, const std::string& value) {
  if (targets.broker == nullptr) return;
  using server::GroupMigrationPolicy;
  targets.broker->group_consumer_migration_policy = value == "disabled"  ? GroupMigrationPolicy::disabled
                                                    : value == "upgrade" ? GroupMigrationPolicy::upgrade
                                                    : value == "downgrade"
                                                        ? GroupMigrationPolicy::downgrade
                                                        : GroupMigrationPolicy::bidirectional;
}

constexpr Property kServerRows[] = {
    // Request path
    modelled("num.network.threads", kServer, int32, "3", from(1), field<&BrokerConfig::num_network_threads>,
             "Network threads of a listener: they read requests off the connections and send the responses."),
    modelled("num.io.threads", kServer, int32, "8", from(1), field<&BrokerConfig::num_io_threads>,
             "Request handler threads, which take requests from the queue and carry them out."),
    modelled("queued.max.requests", kServer, int32, "500", from(1), field<&BrokerConfig::queued_max_requests>,
             "Requests that may wait for a handler thread; when it is full, network threads stop reading."),
    accepted("queued.max.request.bytes", kServer, int64, "-1",
             "Bytes of requests that may be queued; -1 sets no limit."),
    modelled("connections.max.idle.ms", kServer, int64, "600000", any(),
             field<&BrokerConfig::connections_max_idle_ms>,
             "A connection without traffic for this long is closed by the server."),
    modelled("request.timeout.ms", kServer, int32, "30000", any(), field<&BrokerConfig::request_timeout_ms>,
             "How long the broker's own clients wait for a response before they give up or try again."),
    accepted("socket.send.buffer.bytes", kServer, int32, "102400", "Send buffer of the server's sockets."),
    accepted("socket.receive.buffer.bytes", kServer, int32, "102400",
             "Receive buffer of the server's sockets."),
    accepted("socket.request.max.bytes", kServer, int32, "104857600", "The largest request a server reads.",
             from(1)),
    accepted("socket.listen.backlog.size", kServer, int32, "50", "Connections that may wait to be accepted.",
             from(1)),
    accepted("socket.connection.setup.timeout.ms", kServer, int64, "10000",
             "How long the broker's own clients wait for a connection."),
    accepted("socket.connection.setup.timeout.max.ms", kServer, int64, "30000",
             "The most that wait grows to after failures."),
    accepted("max.connections", kServer, int32, kMaxIntText, "The most connections a broker accepts.",
             from(0)),
    accepted("max.connections.per.ip", kServer, int32, kMaxIntText, "The most connections from one address.",
             from(0)),
    accepted("max.connections.per.ip.overrides", kServer, text, "",
             "Limits of connections for single addresses."),
    accepted("max.connection.creation.rate", kServer, int32, kMaxIntText,
             "The most new connections a second.", from(0)),
    accepted("connection.failed.authentication.delay.ms", kServer, int32, "100",
             "Delay before a connection is closed that failed to authenticate.", from(0)),
    accepted("max.request.partition.size.limit", kServer, int32, "2000",
             "The most partitions one describe request may ask for.", from(1)),
    accepted("background.threads", kServer, int32, "10", "Threads for background work.", from(1)),
    // Identity and listeners: a scenario says it in its own words
    accepted("process.roles", kServer, list, "null",
             "The role of a server: broker,controller is what cluster.combined says.", {},
             "broker|controller"),
    accepted("node.id", kServer, int32, "null", "The id of a server; servers are numbered from 1 here.",
             from(0)),
    accepted("broker.id", kServer, int32, "-1", "The id of a broker; servers are numbered from 1 here."),
    accepted("broker.rack", kServer, text, "null",
             "The rack of all brokers; cluster.racks gives them different ones."),
    accepted("listeners", kServer, text, "PLAINTEXT://:9092", "Addresses a server listens at."),
    accepted("advertised.listeners", kServer, text, "null", "Addresses a server tells its clients."),
    accepted("listener.security.protocol.map", kServer, text,
             "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
             "The security protocol of each listener."),
    accepted("inter.broker.listener.name", kServer, text, "null",
             "The listener brokers use among themselves."),
    accepted("controller.listener.names", kServer, text, "null", "The listeners of the controller."),
    accepted("early.start.listeners", kServer, text, "null",
             "Listeners opened before the server is initialised."),
    accepted("security.inter.broker.protocol", kServer, text, "PLAINTEXT",
             "The security protocol among brokers."),
    accepted("authorizer.class.name", kServer, text, "", "The class that decides who may do what."),
    accepted("principal.builder.class", kServer, text,
             "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
             "The class that names who is connected."),
    accepted("security.providers", kServer | kClient, text, "null", "Security algorithms of one's own."),
    accepted("security.protocol", kClient, text, "PLAINTEXT", "The security protocol towards the brokers."),
    accepted("super.users", kServer, text, "null", "Users to whom everything is allowed."),
    accepted("allow.everyone.if.no.acl.found", kServer, boolean, "false",
             "Whether what no rule names is allowed to all."),
    accepted("ssl.*", kServer | kClient, text, "null", "TLS: certificates, key stores, ciphers."),
    accepted("sasl.*", kServer | kClient, text, "null", "SASL: mechanisms, credentials, login."),
    accepted("listener.name.*", kServer, text, "null", "A property of one listener only."),
    accepted("delegation.token.*", kServer, text, "null", "Delegation tokens."),
    accepted("password.encoder.*", kServer, text, "null", "How passwords are stored."),
    accepted("connections.max.reauth.ms", kServer, int64, "0", "How long an authentication is good for."),
    // KRaft
    accepted("controller.quorum.voters", kServer, list, "",
             "The voters of the metadata quorum: as many controllers, which cluster.controllers says, too."),
    accepted("controller.quorum.bootstrap.servers", kServer, list, "",
             "Where to find the quorum; cluster.controllers says it here."),
    modelled(
        "controller.quorum.election.timeout.ms", kServer, int32, "1000", from(1),
        quorum_ms<&RaftConfig::election_timeout>,
        "How long a candidate waits for votes before it tries again: a draw between this and twice this."),
    modelled("controller.quorum.fetch.timeout.ms", kServer, int32, "2000", from(1),
             quorum_ms<&RaftConfig::fetch_timeout>,
             "How long a follower does without an answer to a fetch before it stands for election; a leader "
             "that hears of no majority for 1.5 times this "
             "resigns."),
    modelled("controller.quorum.election.backoff.max.ms", kServer, int32, "1000", from(0),
             quorum_ms<&RaftConfig::election_backoff_max>, "The longest pause between elections."),
    modelled("controller.quorum.request.timeout.ms", kServer, int32, "2000", from(1),
             quorum_ms<&RaftConfig::request_timeout>, "How long a request within the quorum may take."),
    modelled("controller.quorum.retry.backoff.ms", kServer, int32, "20", from(0),
             quorum_ms<&RaftConfig::retry_backoff>,
             "Pause before a failed request within the quorum is sent again."),
    modelled("controller.quorum.append.linger.ms", kServer, int32, "25", from(0),
             quorum_ms<&RaftConfig::append_linger>,
             "How long the quorum's leader gathers records before it writes them."),
    modelled(
        "metadata.max.idle.interval.ms", kServer, int32, "500", from(0),
        field<&ControllerConfig::metadata_max_idle_interval_ms>,
        "How often the active controller writes a no-op record when there is nothing else; 0 turns it off."),
    accepted("metadata.log.dir", kServer, text, "null", "Where the metadata log lies."),
    accepted("metadata.log.segment.bytes", kServer, int32, "1073741824",
             "Size of a segment of the metadata log.", from(8'388'608)),
    accepted("controller.performance.sample.period.ms", kServer, int64, "60000",
             "How often a controller tells how long its events took.", from(100)),
    accepted("controller.performance.always.log.threshold.ms", kServer, int64, "2000",
             "From when on a controller's event is told as slow.", from(0)),
    accepted("internal.*", kServer | kTopic | kClient, text, "null",
             "Settings that Kafka keeps for its own tests."),
    accepted("metadata.log.segment.ms", kServer, int64, "604800000",
             "Age at which a segment of the metadata log is closed."),
    modelled("metadata.max.retention.bytes", kServer, int64, "104857600", any(), metadata_retention_bytes,
             "Size to which the metadata log and its snapshots are cut."),
    modelled("metadata.max.retention.ms", kServer, int64, "604800000", any(), metadata_retention_ms,
             "Age at which snapshots of the metadata log, and the log before them, are deleted."),
    modelled("metadata.log.max.record.bytes.between.snapshots", kServer, int64, "20971520", from(1),
             field<&SnapshotConfig::max_record_bytes>,
             "Bytes of new records after which a snapshot is taken."),
    modelled("metadata.log.max.snapshot.interval.ms", kServer, int64, "3600000", from(0),
             field<&SnapshotConfig::max_interval_ms>,
             "Time after which a snapshot is taken; 0 takes none for time."),
    modelled("initial.broker.registration.timeout.ms", kServer, int32, "60000", any(),
             field<&BrokerConfig::initial_broker_registration_timeout_ms>,
             "How long a starting broker tries to register."),
    modelled(
        "broker.heartbeat.interval.ms", kServer, int32, "2000", from(1),
        field<&BrokerConfig::broker_heartbeat_interval_ms, &ControllerConfig::broker_heartbeat_interval_ms>,
        "Time between two heartbeats of a broker to the active controller."),
    modelled("broker.session.timeout.ms", kServer, int32, "9000", from(1),
             field<&BrokerConfig::broker_session_timeout_ms, &ControllerConfig::broker_session_timeout_ms>,
             "A broker whose heartbeats stay away for this long is fenced: it loses its leaderships."),
    modelled("controlled.shutdown.enable", kServer, boolean, "true", any(),
             field<&BrokerConfig::controlled_shutdown_enable>,
             "Whether a stopping broker hands over its leaderships first."),
    accepted("controlled.shutdown.max.retries", kServer, int32, "3", "Without effect in KRaft mode."),
    accepted("controlled.shutdown.retry.backoff.ms", kServer, int64, "5000", "Without effect in KRaft mode."),
    accepted("controller.socket.timeout.ms", kServer, int32, "30000",
             "Timeout of the broker's requests to the controller."),
    accepted("server.max.startup.time.ms", kServer, int64, kMaxLongText,
             "How long a server may take to start.", from(0)),
    modelled("eligible.leader.replicas.version", kServer, int16, "1", within(0, 1), eligible_leader_replicas,
             "Feature level of eligible leader replicas (KIP-966): 1, on, for new clusters from 4.1."),
    // Leadership
    modelled("auto.leader.rebalance.enable", kServer, boolean, "true", any(),
             field<&ControllerConfig::auto_leader_rebalance_enable>,
             "Whether the controller gives leadership back to preferred replicas from time to time."),
    modelled("leader.imbalance.check.interval.seconds", kServer, int64, "300", from(1),
             field<&ControllerConfig::leader_imbalance_check_interval_seconds>,
             "How often the controller looks for partitions led by another than their preferred replica."),
    accepted("leader.imbalance.per.broker.percentage", kServer, int32, "10", "Without effect in KRaft mode."),
    modelled("unclean.leader.election.interval.ms", kServer, int64, "300000", from(1),
             field<&ControllerConfig::unclean_leader_election_interval_ms>,
             "How often the controller looks for leaderless partitions that allow an unclean election."),
    // Topics
    modelled("auto.create.topics.enable", kServer, boolean, "true", any(),
             field<&BrokerConfig::auto_create_topics_enable>,
             "Whether a topic that a client asks for and nobody created is created."),
    modelled("num.partitions", kServer, int32, "1", within(1, 10'000),
             field<&BrokerConfig::num_partitions, &ControllerConfig::num_partitions>,
             "Partitions of a topic created without a number of its own."),
    modelled("default.replication.factor", kServer, int32, "1", within(1, 32'767),
             field<&BrokerConfig::default_replication_factor, &ControllerConfig::default_replication_factor>,
             "Replicas of each partition of a topic created without a number of its own."),
    accepted("delete.topic.enable", kServer, boolean, "true", "Whether topics may be deleted."),
    accepted("create.topic.policy.class.name", kServer, text, "null", "A class that judges new topics."),
    accepted("alter.config.policy.class.name", kServer, text, "null",
             "A class that judges changes of settings."),
    // Replication
    modelled("num.replica.fetchers", kServer, int32, "1", within(1, 100),
             field<&BrokerConfig::num_replica_fetchers>,
             "Fetcher threads a follower runs for each broker it follows."),
    modelled("replica.lag.time.max.ms", kServer, int64, "30000", from(0),
             field<&BrokerConfig::replica_lag_time_max_ms>,
             "A follower that has not caught up with the leader for this long is dropped from the ISR."),
    modelled("replica.fetch.wait.max.ms", kServer, int32, "500", from(0),
             field<&BrokerConfig::replica_fetch_wait_max_ms>,
             "The longest a leader holds a follower's fetch when there is nothing new."),
    modelled("replica.fetch.min.bytes", kServer, int32, "1", from(0),
             field<&BrokerConfig::replica_fetch_min_bytes>, "Bytes a follower's fetch waits for."),
    modelled("replica.fetch.max.bytes", kServer, int32, "1048576", from(0),
             field<&BrokerConfig::replica_fetch_max_bytes>,
             "The most bytes a follower asks for of each partition."),
    modelled("replica.fetch.response.max.bytes", kServer, int32, "10485760", from(0),
             field<&BrokerConfig::replica_fetch_response_max_bytes>,
             "The most bytes a follower asks for in one fetch."),
    modelled("replica.fetch.backoff.ms", kServer, int32, "1000", from(0),
             field<&BrokerConfig::replica_fetch_backoff_ms>,
             "Pause of a follower after a fetch that failed."),
    modelled("replica.socket.timeout.ms", kServer, int32, "30000", from(1),
             field<&BrokerConfig::replica_socket_timeout_ms>,
             "How long a follower waits for the response to a fetch."),
    modelled("replica.high.watermark.checkpoint.interval.ms", kServer, int64, "5000", from(1),
             field<&BrokerConfig::replica_high_watermark_checkpoint_interval_ms>,
             "How often a broker writes down its high watermarks."),
    accepted("replica.socket.receive.buffer.bytes", kServer, int32, "65536",
             "Receive buffer of a follower's sockets."),
    modelled("replica.selector.class", kServer, text, "null", any(), replica_selector,
             "The class that sends a consumer to a replica near it: null is the leader.",
             "null|org.apache.kafka.common.replica.LeaderSelector|org.apache.kafka.common.replica."
             "RackAwareReplicaSelector"),
    accepted("num.replica.alter.log.dirs.threads", kServer, int32, "null",
             "Threads that move replicas between disks."),
    // Fetch and purgatory
    modelled("fetch.max.bytes", kServer, int32, "57671680", from(1024), field<&BrokerConfig::fetch_max_bytes>,
             "The most bytes a broker returns to one fetch, whatever it asks for."),
    modelled("max.incremental.fetch.session.cache.slots", kServer, int32, "1000", from(0),
             field<&BrokerConfig::max_incremental_fetch_session_cache_slots>,
             "Incremental fetch sessions a broker keeps."),
    accepted("fetch.purgatory.purge.interval.requests", kServer, int32, "1000",
             "How often finished fetches are swept out of the purgatory."),
    accepted("producer.purgatory.purge.interval.requests", kServer, int32, "1000",
             "How often finished produces are swept out of the purgatory."),
    accepted("delete.records.purgatory.purge.interval.requests", kServer, int32, "1",
             "How often finished deletions are swept out of the purgatory."),
    // Log
    modelled("log.retention.check.interval.ms", kServer, int64, "300000", from(1),
             field<&BrokerConfig::log_retention_check_interval_ms>,
             "How often a broker looks for segments to delete."),
    modelled("log.flush.scheduler.interval.ms", kServer, int64, kMaxLongText, from(1),
             field<&BrokerConfig::log_flush_scheduler_interval_ms>,
             "How often logs are looked through for what must be flushed."),
    modelled("log.flush.offset.checkpoint.interval.ms", kServer, int32, "60000", from(0),
             field<&BrokerConfig::log_flush_offset_checkpoint_interval_ms>,
             "How often the recovery points are written down: a crash of the broker leaves what lies above "
             "them to be read again."),
    accepted("log.flush.start.offset.checkpoint.interval.ms", kServer, int32, "60000",
             "How often the log start offsets are written down.", from(0)),
    modelled("log.initial.task.delay.ms", kServer, int64, "30000", from(0),
             field<&BrokerConfig::log_initial_task_delay_ms>, "Delay of the first background work on logs."),
    accepted("log.dir", kServer, text, "/tmp/kafka-logs", "Where the logs lie."),
    modelled("log.dirs", kServer, text, "null", any(), log_dirs,
             "Where a broker's logs lie, divided by commas: each is a disk of its own. The first holds the "
             "metadata log, too."),
    modelled("log.dir.failure.timeout.ms", kServer, int64, "30000", from(1),
             field<&BrokerConfig::log_dir_failure_timeout_ms>,
             "A broker that cannot tell the controller of a failed log directory for this long shuts down."),
    modelled("num.recovery.threads.per.data.dir", kServer, int32, "2", from(1),
             field<&BrokerConfig::num_recovery_threads_per_data_dir>,
             "Threads that read logs through at the start, after a shutdown that was not clean."),
    modelled("log.cleaner.enable", kServer, boolean, "true", any(), field<&BrokerConfig::log_cleaner_enable>,
             "Whether compacted topics are compacted."),
    modelled("log.cleaner.backoff.ms", kServer, int64, "15000", from(0),
             field<&BrokerConfig::log_cleaner_backoff_ms>,
             "How long the cleaner sleeps when no log is worth its while."),
    accepted("log.cleaner.*", kServer, text, "null", "Threads, buffers and throttle of the log cleaner."),
    accepted("remote.*", kServer, text, "null", "Tiered storage."),
    // Offsets topic and classic groups
    modelled("offsets.topic.num.partitions", kServer, int32, "50", within(1, 10'000),
             field<&BrokerConfig::offsets_topic_num_partitions>,
             "Partitions of __consumer_offsets: the groups are spread over them."),
    modelled("offsets.topic.replication.factor", kServer, int16, "3", within(1, 32'767),
             field<&BrokerConfig::offsets_topic_replication_factor>,
             "Replicas of __consumer_offsets: the topic cannot be created with fewer brokers."),
    modelled("offsets.topic.segment.bytes", kServer, int32, "104857600", from(1),
             field<&BrokerConfig::offsets_topic_segment_bytes>,
             "Segment size of __consumer_offsets, kept small so that a coordinator loads fast."),
    accepted("offsets.topic.compression.codec", kServer, int32, "0", "Codec of __consumer_offsets.",
             within(0, 4)),
    modelled("offsets.retention.minutes", kServer, int32, "10080", from(1),
             field<&BrokerConfig::offsets_retention_minutes>,
             "How long the offsets of an empty group are kept."),
    modelled("offsets.retention.check.interval.ms", kServer, int64, "600000", from(1),
             field<&BrokerConfig::offsets_retention_check_interval_ms>,
             "How often a coordinator looks for offsets to forget."),
    modelled("offsets.commit.timeout.ms", kServer, int32, "5000", from(1),
             field<&BrokerConfig::offsets_commit_timeout_ms>,
             "How long a commit may wait for the replicas of __consumer_offsets."),
    modelled("offsets.load.buffer.size", kServer, int32, "5242880", from(1),
             field<&BrokerConfig::offsets_load_buffer_size>,
             "Bytes a new coordinator reads at a time while it loads its groups."),
    modelled("offset.metadata.max.bytes", kServer, int32, "4096", from(0),
             field<&BrokerConfig::offset_metadata_max_bytes>,
             "The most bytes of text that may go with a committed offset."),
    modelled("group.min.session.timeout.ms", kServer, int32, "6000", from(0),
             field<&BrokerConfig::group_min_session_timeout_ms>,
             "The shortest session.timeout.ms a consumer may ask for."),
    modelled("group.max.session.timeout.ms", kServer, int32, "1800000", from(0),
             field<&BrokerConfig::group_max_session_timeout_ms>,
             "The longest session.timeout.ms a consumer may ask for."),
    modelled("group.initial.rebalance.delay.ms", kServer, int32, "3000", from(0),
             field<&BrokerConfig::group_initial_rebalance_delay_ms>,
             "How long the coordinator of an empty group waits for more members before the first rebalance."),
    modelled("group.max.size", kServer, int32, kMaxIntText, from(1), field<&BrokerConfig::group_max_size>,
             "The most members a group may have."),
    modelled(
        "group.coordinator.append.linger.ms", kServer, int32, "-1", from(-1),
        field<&BrokerConfig::group_coordinator_append_linger_ms>,
        "How long a coordinator gathers records for __consumer_offsets before it appends them; -1: until "
        "it has done what was there when the first of them came."),
    modelled("group.coordinator.threads", kServer, int32, "4", from(1),
             field<&BrokerConfig::group_coordinator_threads>, "Threads of the group coordinator."),
    modelled("group.coordinator.rebalance.protocols", kServer, list, "classic,consumer,streams", any(),
             rebalance_protocols,
             "The group protocols a broker offers; without consumer, consumers with group.protocol=consumer "
             "are refused.",
             "classic|consumer|share|streams"),
    modelled("group.consumer.session.timeout.ms", kServer, int32, "45000", from(1),
             field<&BrokerConfig::group_consumer_session_timeout_ms>,
             "A member of a KIP-848 group whose heartbeats stay away for this long is fenced."),
    modelled("group.consumer.min.session.timeout.ms", kServer, int32, "45000", from(1),
             field<&BrokerConfig::group_consumer_min_session_timeout_ms>,
             "The shortest group.consumer.session.timeout.ms."),
    modelled("group.consumer.max.session.timeout.ms", kServer, int32, "60000", from(1),
             field<&BrokerConfig::group_consumer_max_session_timeout_ms>,
             "The longest group.consumer.session.timeout.ms."),
    modelled("group.consumer.heartbeat.interval.ms", kServer, int32, "5000", from(1),
             field<&BrokerConfig::group_consumer_heartbeat_interval_ms>,
             "Time between two heartbeats, as the coordinator tells the members of a KIP-848 group."),
    modelled("group.consumer.min.heartbeat.interval.ms", kServer, int32, "5000", from(1),
             field<&BrokerConfig::group_consumer_min_heartbeat_interval_ms>,
             "The shortest group.consumer.heartbeat.interval.ms."),
    modelled("group.consumer.max.heartbeat.interval.ms", kServer, int32, "15000", from(1),
             field<&BrokerConfig::group_consumer_max_heartbeat_interval_ms>,
             "The longest group.consumer.heartbeat.interval.ms."),
    modelled("group.consumer.max.size", kServer, int32, kMaxIntText, from(1),
             field<&BrokerConfig::group_consumer_max_size>, "The most members a KIP-848 group may have."),
    modelled("group.consumer.assignors", kServer, list, "uniform,range", any(), consumer_assignors,
             "The assignors of the group coordinator; the first is taken unless members ask for another.",
             "uniform|range"),
    modelled("group.consumer.migration.policy", kServer, text, "bidirectional", any(), migration_policy,
             "Whether a classic group may become one of KIP-848 while members are in it, and the other way "
             "round.",
             "disabled|upgrade|downgrade|bidirectional"),
    modelled("group.consumer.regex.refresh.interval.ms", kServer, int32, "600000", from(10'000),
             field<&BrokerConfig::group_consumer_regex_refresh_interval_ms>,
             "How often the topics of a subscription by regular expression are looked up anew."),
    // Other things, some of which are not played
    accepted("group.share.*", kServer, text, "null", "Share groups."),
    accepted("group.streams.*", kServer, text, "null", "Streams groups."),
    accepted("share.coordinator.*", kServer, text, "null", "The coordinator of share groups."),
    accepted("share.fetch.*", kServer, text, "null", "Fetches of share groups."),
    modelled("transaction.state.log.num.partitions", kServer, int32, "50", within(1, 10'000),
             field<&BrokerConfig::transaction_state_log_num_partitions>,
             "Partitions of __transaction_state: transactional ids are spread over them."),
    modelled("transaction.state.log.replication.factor", kServer, int16, "3", within(1, 32'767),
             field<&BrokerConfig::transaction_state_log_replication_factor>,
             "Replicas of __transaction_state: the topic cannot be created with fewer brokers."),
    modelled("transaction.state.log.min.isr", kServer, int32, "2", from(1),
             field<&BrokerConfig::transaction_state_log_min_isr>,
             "In-sync replicas that __transaction_state needs."),
    modelled("transaction.state.log.segment.bytes", kServer, int32, "104857600", from(1),
             field<&BrokerConfig::transaction_state_log_segment_bytes>,
             "Segment size of __transaction_state."),
    modelled("transaction.state.log.load.buffer.size", kServer, int32, "5242880", from(1),
             field<&BrokerConfig::transaction_state_log_load_buffer_size>,
             "Bytes a new transaction coordinator reads at a time."),
    modelled("transaction.max.timeout.ms", kServer, int32, "900000", from(1),
             field<&BrokerConfig::transaction_max_timeout_ms>,
             "The longest transaction.timeout.ms a producer may ask for."),
    modelled("transactional.id.expiration.ms", kServer, int32, "604800000", from(1),
             field<&BrokerConfig::transactional_id_expiration_ms>,
             "How long an unused transactional id is remembered."),
    modelled(
        "transaction.abort.timed.out.transaction.cleanup.interval.ms", kServer, int32, "10000", from(1),
        field<&BrokerConfig::transaction_abort_timed_out_transaction_cleanup_interval_ms>,
        "How often a coordinator looks for transactions that have been open for too long, to abort them."),
    modelled("transaction.remove.expired.transaction.cleanup.interval.ms", kServer, int32, "3600000", from(1),
             field<&BrokerConfig::transaction_remove_expired_transaction_cleanup_interval_ms>,
             "How often unused transactional ids are removed."),
    modelled(
        "transaction.partition.verification.enable", kServer, boolean, "true", any(),
        field<&BrokerConfig::transaction_partition_verification_enable>,
        "Whether a leader asks the coordinator if its partition is in the transaction before it appends."),
    modelled(
        "add.partitions.to.txn.retry.backoff.ms", kServer, int32, "20", from(1),
        field<&BrokerConfig::add_partitions_to_txn_retry_backoff_ms>,
        "How long a leader waits before it asks to add a partition again, when the last transaction is not "
        "over yet."),
    modelled("add.partitions.to.txn.retry.backoff.max.ms", kServer, int32, "100", from(0),
             field<&BrokerConfig::add_partitions_to_txn_retry_backoff_max_ms>,
             "For how long a leader asks again before the producer is told."),
    accepted("transaction.two.phase.commit.enable", kServer, boolean, "false",
             "Whether transactions may take part in a two-phase commit."),
    modelled("producer.id.expiration.ms", kServer, int32, "86400000", from(1),
             field<&BrokerConfig::producer_id_expiration_ms>,
             "How long a partition remembers the last batches of an unused producer id."),
    modelled("producer.id.expiration.check.interval.ms", kServer, int32, "600000", from(1),
             field<&BrokerConfig::producer_id_expiration_check_interval_ms>,
             "How often a partition looks for unused producer ids to forget."),
    modelled("quota.window.num", kServer, int32, "11", within(1, 1'000),
             field<&BrokerConfig::quota_window_num>, "Samples a client's quota is measured over."),
    modelled("quota.window.size.seconds", kServer, int32, "1", within(1, 86'400),
             field<&BrokerConfig::quota_window_size_seconds>, "Length of such a sample."),
    modelled("replication.quota.window.num", kServer, int32, "11", within(1, 1'000),
             field<&BrokerConfig::replication_quota_window_num>,
             "Samples a throttle of replication is measured over."),
    modelled("replication.quota.window.size.seconds", kServer, int32, "1", within(1, 86'400),
             field<&BrokerConfig::replication_quota_window_size_seconds>, "Length of such a sample."),
    accepted("controller.quota.window.num", kServer, int32, "11",
             "Samples a controller quota is measured over.", from(1)),
    accepted("controller.quota.window.size.seconds", kServer, int32, "1", "Length of such a sample.",
             from(1)),
    accepted("alter.log.dirs.replication.quota.window.num", kServer, int32, "11",
             "Samples the quota of moves between disks is measured over.", from(1)),
    accepted("alter.log.dirs.replication.quota.window.size.seconds", kServer, int32, "1",
             "Length of such a sample.", from(1)),
    accepted("client.quota.callback.class", kServer, text, "null", "A class that decides quotas."),
    modelled("leader.replication.throttled.rate", kServer, int64, kMaxLongText, from(0),
             field<&BrokerConfig::leader_replication_throttled_rate>,
             "Bytes a second a broker sends of the replicas in leader.replication.throttled.replicas, to "
             "those that are not in sync."),
    modelled("follower.replication.throttled.rate", kServer, int64, kMaxLongText, from(0),
             field<&BrokerConfig::follower_replication_throttled_rate>,
             "Bytes a second a broker fetches for the replicas in follower.replication.throttled.replicas, "
             "as long as they are not in sync."),
    accepted("replica.alter.log.dirs.io.max.bytes.per.second", kServer, int64, kMaxLongText,
             "Bytes a second moved between disks.", from(0)),
    accepted("producer_byte_rate", kServer, int64, kMaxLongText,
             "Quota: bytes a second a producer may send."),
    accepted("consumer_byte_rate", kServer, int64, kMaxLongText,
             "Quota: bytes a second a consumer may fetch."),
    accepted("request_percentage", kServer, decimal, "null",
             "Quota: share of the broker's threads a client may use."),
    accepted("controller_mutation_rate", kServer, decimal, "null", "Quota: changes of topics a second."),
    accepted("connection_creation_rate", kServer, int32, kMaxIntText,
             "Quota: connections a second from an address."),
    accepted("telemetry.max.bytes", kServer, int32, "1048576", "The most bytes of metrics a client may push.",
             from(1)),
    accepted("metric.reporters", kServer | kClient, list, "org.apache.kafka.common.metrics.JmxReporter",
             "Classes that metrics are handed to."),
    accepted("metrics.num.samples", kServer | kClient, int32, "2", "Samples a metric is computed from.",
             from(1)),
    accepted("metrics.sample.window.ms", kServer | kClient, int64, "30000", "Length of such a sample.",
             from(1)),
    accepted("metrics.recording.level", kServer | kClient, text, "INFO", "Which metrics are recorded.", {},
             "INFO|DEBUG|TRACE"),
    accepted("kafka.metrics.reporters", kServer, list, "", "Classes that metrics are handed to."),
    accepted("kafka.metrics.polling.interval.secs", kServer, int32, "10",
             "How often those classes are called.", from(1)),
    accepted("auto.include.jmx.reporter", kServer | kClient, boolean, "true",
             "Whether metrics are always shown by JMX."),
    accepted("config.providers", kServer | kClient, text, "null", "Classes that look up settings elsewhere."),
    accepted("unstable.api.versions.enable", kServer, boolean, "false",
             "Whether unreleased request versions are offered."),
    accepted("unstable.feature.versions.enable", kServer, boolean, "false",
             "Whether unreleased features may be turned on."),
    // Gone
    removed("zookeeper.*", kServer, "Kafka 4.0 runs without ZooKeeper"),
    removed("control.plane.listener.name", kServer, "KRaft has controller listeners instead"),
    removed("broker.id.generation.enable", kServer, "it belonged to ZooKeeper"),
    removed("reserved.broker.max.id", kServer, "it belonged to ZooKeeper"),
    removed("inter.broker.protocol.version", kServer, "the feature metadata.version rules"),
    removed("log.message.format.version", kServer, "record batches have format v2 only"),
    removed("log.message.timestamp.difference.max.ms", kServer,
            "see log.message.timestamp.before.max.ms and log.message.timestamp.after.max.ms"),
    removed("log.message.downconversion.enable", kServer, "records are no longer converted to old formats"),
    removed("offsets.commit.required.acks", kServer, "commits always wait for all in-sync replicas"),
    removed("group.coordinator.new.enable", kServer, "there is only the new coordinator"),
    removed("eligible.leader.replicas.enable", kServer, "see eligible.leader.replicas.version"),
};

}  // namespace

std::span<const Property> server_rows() {
  return kServerRows;
}

}  // namespace sim::scenario::rows
