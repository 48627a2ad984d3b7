#include "trace/event_log.h"

#include <charconv>

#include "base/overloaded.h"

namespace sim::trace {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
}

std::string in_quotes(std::string_view text) {
  std::string quoted = "\"";
  append_escaped(quoted, text);
  return quoted + '"';
}

std::vector<std::string> all_in_quotes(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  for (const std::string& name : names) quoted.push_back(in_quotes(name));
  return quoted;
}

// What a control trace leaves out: whatever comes with each order, batch or message, unless it is an error.
bool is_control(const observe::Fact& fact) {
  return std::visit(Overloaded{
                        [](const observe::OrderPlaced&) { return false; },
                        [](const observe::RecordAccepted&) { return false; },
                        [](const observe::RecordFailed&) { return true; },
                        [](const observe::BatchDrained& f) { return f.attempt > 0; },
                        [](const observe::BatchAppended&) { return false; },
                        [](const observe::BatchAcknowledged& f) { return f.error != ErrorCode::none; },
                        [](const observe::RequestProgress&) { return false; },
                        [](const observe::HighWatermarkAdvanced&) { return false; },
                        [](const observe::BecameLeader&) { return true; },
                        [](const observe::BecameFollower&) { return true; },
                        [](const observe::IsrChanged&) { return true; },
                        [](const observe::LogTruncated&) { return true; },
                        [](const observe::ReplicaAppended&) { return false; },
                        [](const observe::TopicCreated&) { return true; },
                        [](const observe::RecordsPolled&) { return false; },
                        [](const observe::ProcessingStarted&) { return false; },
                        [](const observe::ProcessingDone&) { return false; },
                        [](const observe::CommitSent&) { return false; },
                        [](const observe::CommitAcknowledged& f) { return f.error != ErrorCode::none; },
                        [](const observe::OffsetsStored&) { return false; },
                        [](const observe::PositionReset&) { return true; },
                        [](const observe::GroupStateChanged&) { return true; },
                        [](const observe::AssignmentReceived&) { return true; },
                        [](const observe::MessageSent&) { return false; },
                        [](const observe::MessageDelivered&) { return false; },
                        [](const observe::ConnectionOpened&) { return true; },
                        [](const observe::ConnectionClosed&) { return true; },
                        [](const observe::ProcessStarted&) { return true; },
                        [](const observe::ProcessStopped&) { return true; },
                        [](const observe::QuorumRoleChanged&) { return true; },
                        [](const observe::QuorumStateStored&) { return true; },
                        [](const observe::QuorumVoteAnswered&) { return true; },
                        [](const observe::QuorumVotersChanged&) { return true; },
                        [](const observe::MetadataLogOpened&) { return true; },
                        [](const observe::MetadataAppended&) { return false; },
                        [](const observe::MetadataTruncated&) { return true; },
                        [](const observe::MetadataSnapshotFetched&) { return true; },
                        [](const observe::MetadataCommitted&) { return false; },
                        [](const observe::MetadataReplayed&) { return false; },
                        [](const observe::ControllerChanged&) { return true; },
                        [](const observe::BrokerStateChanged&) { return true; },
                        [](const observe::PartitionChanged&) { return true; },
                        [](const observe::FaultStruck&) { return true; },
                        [](const observe::FaultEnded&) { return true; },
                        [](const observe::AdminAnswered&) { return true; },
                        [](const observe::TopicDeleted&) { return true; },
                        [](const observe::ClientThrottled&) { return true; },
                        [](const observe::IsrProposed&) { return true; },
                        [](const observe::IsrProposalDropped&) { return true; },
                        [](const observe::FollowerHighWatermarkAdvanced&) { return false; },
                        [](const observe::ReplicaOpened&) { return true; },
                        [](const observe::LogStartRaised&) { return true; },
                        [](const observe::LogCleaned&) { return true; },
                        [](const observe::LogDeleted&) { return true; },
                        [](const observe::LogLost&) { return true; },
                    },
                    fact);
}

std::string_view name_of(observe::RequestStage stage) {
  switch (stage) {
    case observe::RequestStage::received: return "received";
    case observe::RequestStage::queued: return "queued";
    case observe::RequestStage::dequeued: return "dequeued";
    case observe::RequestStage::completed: return "completed";
    case observe::RequestStage::sent: return "sent";
  }
  return "?";
}

std::string_view name_of(observe::QuorumRole role) {
  switch (role) {
    case observe::QuorumRole::unattached: return "Unattached";
    case observe::QuorumRole::prospective: return "Prospective";
    case observe::QuorumRole::candidate: return "Candidate";
    case observe::QuorumRole::leader: return "Leader";
    case observe::QuorumRole::follower: return "Follower";
    case observe::QuorumRole::resigned: return "Resigned";
  }
  return "?";
}

std::string_view name_of(observe::GroupState state) {
  switch (state) {
    case observe::GroupState::empty: return "Empty";
    case observe::GroupState::preparing_rebalance: return "PreparingRebalance";
    case observe::GroupState::completing_rebalance: return "CompletingRebalance";
    case observe::GroupState::stable: return "Stable";
    case observe::GroupState::dead: return "Dead";
  }
  return "?";
}

std::string_view name_of(Lane lane) {
  switch (lane) {
    case Lane::data: return "data";
    case Lane::coordinator: return "coordinator";
    case Lane::replica_fetcher: return "replica_fetcher";
    case Lane::heartbeat: return "heartbeat";
    case Lane::alter_partition: return "alter_partition";
    case Lane::directory_assignments: return "directory-assignments";
    case Lane::forwarding: return "forwarding";
    case Lane::raft: return "raft";
  }
  return "replica_fetcher";  // + its index
}

}  // namespace

EventLog::EventLog(Sink& sink, Level level, const observe::Names& names)
    : sink_(sink),
      level_(level),
      processes_(all_in_quotes(names.processes)),
      flows_(all_in_quotes(names.flows)),
      faults_(names.faults),
      services_(all_in_quotes(names.services)) {
  buffer_.reserve(kFlushAt + 64 * 1024);
}

void EventLog::on(const observe::Observation& observation) {
  if (const auto* created = std::get_if<observe::TopicCreated>(&observation.fact)) topics_.on(*created);
  if (level_ == Level::control && !is_control(observation.fact)) return;
  raw("{\"t\":");
  number(nanos(observation.at));
  raw(",\"seq\":");
  number(static_cast<std::int64_t>(observation.seq));
  raw(",\"node\":");
  raw(process(observation.process));
  raw(",\"ev\":\"");
  raw(observe::name(observation.fact));
  raw("\",\"cause\":");
  number(static_cast<std::int64_t>(observation.cause));
  std::visit([this](const auto& fact) { fields(fact); }, observation.fact);
  raw("}\n");
  if (buffer_.size() >= kFlushAt) flush();
}

void EventLog::flush() {
  if (!buffer_.empty()) sink_.write(buffer_);
  buffer_.clear();
}

// ---- Words

void EventLog::number(std::int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  buffer_.append(digits, static_cast<std::size_t>(end - digits));
}

void EventLog::count(std::string_view key, std::int64_t value) {
  raw(",\"");
  raw(key);
  raw("\":");
  number(value);
}

void EventLog::text(std::string_view key, std::string_view value) {
  raw(",\"");
  raw(key);
  raw("\":\"");
  append_escaped(buffer_, value);
  raw("\"");
}

void EventLog::nodes(std::string_view key, const std::vector<NodeId>& ids) {
  raw(",\"");
  raw(key);
  raw("\":[");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) raw(",");
    number(ids[i].value());
  }
  raw("]");
}

std::string_view EventLog::process(ProcessId id) const {
  const auto index = static_cast<std::size_t>(id.value());
  return id != kNoProcess && index < processes_.size() ? std::string_view(processes_[index]) : "null";
}

const std::string& EventLog::quoted(TopicPartition tp) {
  std::string& name = partitions_[tp];
  if (name.empty()) name = in_quotes(topics_[tp]);
  return name;
}

void EventLog::partition(TopicPartition tp) {
  raw(",\"tp\":");
  raw(quoted(tp));
}

void EventLog::order(RecordId id) {
  if (id == kNoRecord) return;
  count("order", number_of(id));
  if (flows_.size() < 2) return;
  raw(",\"flow\":");
  raw(flows_[static_cast<std::size_t>(flow_of(id).value())]);
}

void EventLog::who(observe::ServiceId service, std::int32_t member) {
  raw(",\"service\":");
  raw(services_[static_cast<std::size_t>(service.value())]);
  count("member", member);
}

void EventLog::batch(const BatchData& data) {
  count("records", data.record_count());
  count("bytes", data.size_bytes);
  const auto& records = data.application_records();
  if (records.empty()) return;
  raw(",\"orders\":[");
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i > 0) raw(",");
    number(number_of(records[i].id));
  }
  raw("]");
}

void EventLog::channel(const Channel& channel) {
  raw(",\"client\":");
  raw(process(channel.client));
  raw(",\"server\":");
  raw(process(channel.server));
  text("lane", name_of(channel.lane));
}

void EventLog::message(const Envelope& envelope) {
  text("msg", sim::name(envelope.message));
  raw(",\"from\":");
  raw(process(envelope.from()));
  raw(",\"to\":");
  raw(process(envelope.to()));
  text("lane", name_of(envelope.channel.lane));
  count("correlation", envelope.correlation);
}

void EventLog::error(ErrorCode error) {
  text("error", sim::name(error));
}

// ---- Facts

void EventLog::fields(const observe::OrderPlaced& fact) {
  order(fact.record);
  count("intended", fact.intended_ns);
  if (fact.key >= 0) count("key", fact.key);
  count("value_bytes", fact.value_bytes);
}
void EventLog::fields(const observe::RecordAccepted& fact) {
  order(fact.record);
  partition(fact.tp);
}
void EventLog::fields(const observe::RecordFailed& fact) {
  order(fact.record);
  error(fact.error);
}
void EventLog::fields(const observe::BatchDrained& fact) {
  partition(fact.tp);
  count("attempt", fact.attempt);
  batch(*fact.batch);
}
void EventLog::fields(const observe::BatchAppended& fact) {
  partition(fact.tp);
  count("offset", fact.batch.base_offset);
  count("leader_epoch", fact.batch.leader_epoch.value());
  batch(*fact.batch.data);
}
void EventLog::fields(const observe::BatchAcknowledged& fact) {
  partition(fact.tp);
  error(fact.error);
  count("offset", fact.base_offset);
  raw(fact.will_retry ? ",\"will_retry\":true" : "");
  batch(*fact.batch);
}
void EventLog::fields(const observe::RequestProgress& fact) {
  text("stage", name_of(fact.stage));
  channel(fact.channel);
  count("correlation", fact.correlation);
  if (fact.request != nullptr) text("msg", sim::name(fact.request->message));
}
void EventLog::fields(const observe::HighWatermarkAdvanced& fact) {
  partition(fact.tp);
  count("from", fact.from);
  count("to", fact.to);
}
void EventLog::fields(const observe::BecameLeader& fact) {
  partition(fact.tp);
  count("broker", fact.broker.value());
  count("leader_epoch", fact.leader_epoch.value());
  count("epoch_start", fact.epoch_start);
}
void EventLog::fields(const observe::BecameFollower& fact) {
  partition(fact.tp);
  count("broker", fact.broker.value());
  count("leader_epoch", fact.leader_epoch.value());
  count("leader", fact.leader.value());
}
void EventLog::fields(const observe::IsrChanged& fact) {
  partition(fact.tp);
  nodes("isr", fact.isr);
  count("partition_epoch", fact.partition_epoch.value());
}
void EventLog::fields(const observe::IsrProposed& fact) {
  partition(fact.tp);
  nodes("isr", fact.isr);
  count("partition_epoch", fact.partition_epoch.value());
}
void EventLog::fields(const observe::LogTruncated& fact) {
  partition(fact.tp);
  count("broker", fact.broker.value());
  count("from", fact.from);
  count("to", fact.to);
}
void EventLog::fields(const observe::ReplicaAppended& fact) {
  partition(fact.tp);
  count("broker", fact.broker.value());
  count("log_end_offset", fact.log_end_offset);
}
void EventLog::fields(const observe::IsrProposalDropped& fact) {
  partition(fact.tp);
  count("broker", fact.broker.value());
}
void EventLog::fields(const observe::FollowerHighWatermarkAdvanced& fact) {
  partition(fact.tp);
  count("broker", fact.broker.value());
  count("to", fact.to);
}
void EventLog::fields(const observe::ReplicaOpened& fact) {
  partition(fact.tp);
  count("broker", fact.broker.value());
  count("log_start_offset", fact.log_start_offset);
  count("log_end_offset", fact.log_end_offset);
  count("high_watermark", fact.high_watermark);
}
void EventLog::fields(const observe::LogStartRaised& fact) {
  partition(fact.tp);
  count("broker", fact.broker.value());
  count("from", fact.from);
  count("to", fact.to);
}
void EventLog::fields(const observe::LogCleaned& fact) {
  partition(fact.tp);
  count("broker", fact.broker.value());
  count("end", fact.end);
  count("bytes_before", fact.bytes_before);
  count("bytes_after", fact.bytes_after);
}
void EventLog::fields(const observe::LogDeleted& fact) {
  partition(fact.tp);
  count("broker", fact.broker.value());
}
void EventLog::fields(const observe::LogLost& fact) {
  partition(fact.tp);
  count("broker", fact.broker.value());
  count("from", fact.from);
  count("to", fact.to);
  text("lost_by", fact.cause == observe::LossOfLog::wiped ? "wipe" : "power_loss");
}
void EventLog::fields(const observe::TopicCreated& fact) {
  text("topic", fact.name);
  count("id", fact.id.value());
  count("partitions", fact.partitions);
  count("replication_factor", fact.replication_factor);
}
void EventLog::fields(const observe::RecordsPolled& fact) {
  who(fact.service, fact.member);
  partition(fact.tp);
  count("from", fact.from);
  count("to", fact.to);
}
void EventLog::fields(const observe::ProcessingStarted& fact) {
  who(fact.service, fact.member);
  partition(fact.tp);
  count("offset", fact.offset);
  order(fact.record);
}
void EventLog::fields(const observe::ProcessingDone& fact) {
  who(fact.service, fact.member);
  partition(fact.tp);
  count("offset", fact.offset);
  order(fact.record);
}
void EventLog::fields(const observe::CommitSent& fact) {
  who(fact.service, fact.member);
  partition(fact.tp);
  count("offset", fact.offset);
}
void EventLog::fields(const observe::CommitAcknowledged& fact) {
  who(fact.service, fact.member);
  partition(fact.tp);
  count("offset", fact.offset);
  error(fact.error);
}
void EventLog::fields(const observe::OffsetsStored& fact) {
  text("group", fact.group);
  partition(fact.tp);
  count("offset", fact.offset);
}
void EventLog::fields(const observe::PositionReset& fact) {
  who(fact.service, fact.member);
  partition(fact.tp);
  count("to", fact.to);
}
void EventLog::fields(const observe::GroupStateChanged& fact) {
  text("group", fact.group);
  text("state", name_of(fact.state));
  count("generation", fact.generation.value());
  count("members", fact.members);
}
void EventLog::fields(const observe::AssignmentReceived& fact) {
  who(fact.service, fact.member);
  count("generation", fact.generation.value());
  raw(",\"partitions\":[");
  for (std::size_t i = 0; i < fact.partitions.size(); ++i) {
    if (i > 0) raw(",");
    raw(quoted(fact.partitions[i]));
  }
  raw("]");
}
void EventLog::fields(const observe::MessageSent& fact) {
  message(*fact.envelope);
  count("bytes", fact.bytes);
}
void EventLog::fields(const observe::MessageDelivered& fact) {
  message(*fact.envelope);
}
void EventLog::fields(const observe::ConnectionOpened& fact) {
  channel(fact.channel);
}
void EventLog::fields(const observe::ConnectionClosed& fact) {
  channel(fact.channel);
}
void EventLog::fields(const observe::ClientThrottled& fact) {
  constexpr std::string_view kQuotas[] = {"produce", "fetch", "request"};
  raw(",\"client\":");
  raw(process(fact.client));
  text("quota", kQuotas[static_cast<std::size_t>(fact.quota)]);
  count("throttle_ms", fact.throttle_ms);
}

// ---- The quorum
void EventLog::fields(const observe::QuorumRoleChanged& fact) {
  text("role", name_of(fact.role));
  count("epoch", fact.quorum_epoch.value());
  count("leader", fact.leader.value());
}
void EventLog::fields(const observe::QuorumStateStored& fact) {
  count("epoch", fact.state.quorum_epoch.value());
  count("leader", fact.state.leader.value());
  count("voted", fact.state.voted.id.value());
}
void EventLog::fields(const observe::QuorumVoteAnswered& fact) {
  count("candidate", fact.candidate.value());
  count("epoch", fact.quorum_epoch.value());
  raw(fact.pre_vote ? ",\"pre_vote\":true" : ",\"pre_vote\":false");
  raw(fact.granted ? ",\"granted\":true" : ",\"granted\":false");
}
void EventLog::fields(const observe::QuorumVotersChanged& fact) {
  nodes("voters", fact.voters);
}
void EventLog::fields(const observe::MetadataLogOpened& fact) {
  count("epoch", fact.state.quorum_epoch.value());
  count("start", fact.log_start_offset);
  count("leo", fact.log_end_offset);
}
void EventLog::fields(const observe::MetadataAppended& fact) {
  count("base", fact.batch.base_offset);
  count("epoch", fact.batch.leader_epoch.value());
  batch(*fact.batch.data);
}
void EventLog::fields(const observe::MetadataTruncated& fact) {
  count("to", fact.to);
}
void EventLog::fields(const observe::MetadataSnapshotFetched& fact) {
  count("offset", fact.id.end_offset);
  count("epoch", fact.id.leader_epoch.value());
}
void EventLog::fields(const observe::MetadataCommitted& fact) {
  count("from", fact.from);
  count("to", fact.to);
}

void EventLog::fields(const observe::MetadataReplayed& fact) {
  count("end", fact.end_offset);
}

// ---- Decisions of the active controller
void EventLog::fields(const observe::ControllerChanged& fact) {
  count("controller", fact.node.value());
  count("epoch", fact.quorum_epoch.value());
  raw(fact.active ? ",\"active\":true" : ",\"active\":false");
}
void EventLog::fields(const observe::BrokerStateChanged& fact) {
  count("broker", fact.broker.value());
  count("broker_epoch", fact.broker_epoch.value());
  raw(fact.fenced ? ",\"fenced\":true" : ",\"fenced\":false");
  raw(fact.in_controlled_shutdown ? ",\"in_controlled_shutdown\":true" : "");
}
void EventLog::fields(const observe::PartitionChanged& fact) {
  partition(fact.tp);
  count("leader", fact.leader.value());
  count("leader_epoch", fact.leader_epoch.value());
  count("partition_epoch", fact.partition_epoch.value());
  nodes("isr", fact.isr);
  if (!fact.elr.empty()) nodes("elr", fact.elr);
}

// ---- Faults
void EventLog::fields(const observe::FaultStruck& fact) {
  text("fault", faults_[static_cast<std::size_t>(fact.fault.value())]);
  raw(",\"touched\":[");
  for (std::size_t i = 0; i < fact.touched.size(); ++i) {
    if (i > 0) raw(",");
    raw(process(fact.touched[i]));
  }
  raw("]");
}
void EventLog::fields(const observe::FaultEnded& fact) {
  text("fault", faults_[static_cast<std::size_t>(fact.fault.value())]);
  count("effects", fact.effects);
}
void EventLog::fields(const observe::TopicDeleted& fact) {
  text("topic", topics_[fact.id]);
}
void EventLog::fields(const observe::AdminAnswered& fact) {
  text("fault", faults_[static_cast<std::size_t>(fact.fault.value())]);
  text("resource", fact.resource);
  text("error", name(fact.error));
}

}  // namespace sim::trace
