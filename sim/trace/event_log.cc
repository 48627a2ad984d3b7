#include "trace/event_log.h"

#include <algorithm>
#include <charconv>

#include "base/overloaded.h"
#include "protocol/message_contents.h"
#include "trace/fact_fields.h"

namespace sim::trace {
namespace {

bool needs_escape(char c) {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

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
                        [](const observe::RebalanceBegan&) { return true; },
                        [](const observe::MemberDeparted&) { return true; },
                        [](const observe::PartitionsRevoked&) { return true; },
                        [](const observe::TransactionStateChanged& f) {
                          return f.state == TransactionState::prepare_abort;
                        },
                        [](const observe::TransactionMarkerWritten&) { return false; },
                        [](const observe::LastStableOffsetAdvanced&) { return false; },
                        [](const observe::ProducerFenced&) { return true; },
                        [](const observe::MemberAssignmentChanged&) { return true; },
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
                        [](const observe::RoleMissed&) { return true; },
                        [](const observe::FaultEnded&) { return true; },
                        [](const observe::AdminAnswered&) { return true; },
                        [](const observe::OffsetsReset&) { return true; },
                        [](const observe::TopicDeleted&) { return true; },
                        [](const observe::ClientThrottled&) { return true; },
                        [](const observe::ProducerTransactionChanged&) { return true; },
                        [](const observe::RecordDerived&) { return false; },
                        [](const observe::OffsetsAddedToTransaction&) { return false; },
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

}  // namespace

EventLog::EventLog(Sink& sink, Level level, const observe::Names& names)
    : sink_(sink),
      level_(level),
      processes_(all_in_quotes(names.processes)),
      flows_(all_in_quotes(names.flows)),
      faults_(names.faults),
      services_(all_in_quotes(names.services)) {
  buffer_.resize(kFlushAt + 64 * 1024);
}

void EventLog::on(const observe::Observation& observation) {
  if (const auto* created = std::get_if<observe::TopicCreated>(&observation.fact)) name_topic(*created);
  if (level_ == Level::control && !is_control(observation.fact)) return;
  raw("{\"t\":");
  digits(nanos(observation.at));
  raw(",\"seq\":");
  digits(static_cast<std::int64_t>(observation.seq));
  raw(",\"node\":");
  raw(process(observation.process));
  raw(",\"ev\":\"");
  raw(observe::name(observation.fact));
  raw("\",\"cause\":");
  digits(static_cast<std::int64_t>(observation.cause));
  std::visit([this](const auto& fact) { describe(fact, *this); }, observation.fact);
  raw("}\n");
  if (used_ >= kFlushAt) flush();
}

void EventLog::flush() {
  if (used_ > 0) sink_.write(std::string_view(buffer_.data(), used_));
  used_ = 0;
}

// ---- Words

void EventLog::digits(std::int64_t value) {
  constexpr std::size_t kMost = 20;  // of the longest number, its sign included
  make_room(kMost);
  char* const at = buffer_.data() + used_;
  used_ += static_cast<std::size_t>(std::to_chars(at, at + kMost, value).ptr - at);
}

void EventLog::escaped(std::string_view text) {
  if (std::none_of(text.begin(), text.end(), needs_escape)) return raw(text);
  std::string safe;
  append_escaped(safe, text);
  raw(safe);
}

void EventLog::key_of(std::string_view key) {
  make_room(key.size() + 4);
  char* at = buffer_.data() + used_;
  *at++ = ',';
  *at++ = '"';
  at += key.copy(at, key.size());
  *at++ = '"';
  *at++ = ':';
  used_ += key.size() + 4;
}

void EventLog::number(std::string_view key, std::int64_t value) {
  key_of(key);
  digits(value);
}

void EventLog::text(std::string_view key, std::string_view value) {
  key_of(key);
  raw("\"");
  escaped(value);
  raw("\"");
}

void EventLog::nodes(std::string_view key, const std::vector<NodeId>& ids) {
  key_of(key);
  raw("[");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) raw(",");
    digits(ids[i].value());
  }
  raw("]");
}

std::string_view EventLog::process(ProcessId id) const {
  const auto index = static_cast<std::size_t>(id.value());
  return id != kNoProcess && index < processes_.size() ? std::string_view(processes_[index]) : "null";
}

// What was told of its partitions before it was named, was told under its id.
void EventLog::name_topic(const observe::TopicCreated& created) {
  topics_.on(created);
  for (std::int32_t partition = 0; partition < created.partitions; ++partition)
    partitions_[{created.id, partition}].clear();
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
  number("order", number_of(id));
  if (hop_of(id) != 0) number("hop", hop_of(id));
  if (flows_.size() < 2) return;
  raw(",\"flow\":");
  raw(flows_[static_cast<std::size_t>(flow_of(id).value())]);
}

void EventLog::who(observe::ServiceId service, std::int32_t member) {
  raw(",\"service\":");
  raw(services_[static_cast<std::size_t>(service.value())]);
  number("member", member);
}

void EventLog::batch(const BatchData& data) {
  number("records", data.record_count());
  number("bytes", data.size_bytes);
  if (data.producer_id != kNoProducerId) {
    number("producer_id", data.producer_id.value());
    number("producer_epoch", data.producer_epoch.value());
    number("base_sequence", data.base_sequence);
  }
  if (data.transactional) flag("transactional", true);
  if (const EndTransactionMarker* marker = data.end_transaction_marker())
    text("marker", marker->committed ? "COMMIT" : "ABORT");
  const auto& records = data.application_records();
  if (records.empty()) return;
  raw(",\"orders\":[");
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i > 0) raw(",");
    digits(number_of(records[i].id));
  }
  raw("]");
}

void EventLog::channel(const Channel& channel) {
  raw(",\"client\":");
  raw(process(channel.client));
  raw(",\"server\":");
  raw(process(channel.server));
  text("lane", text_of(channel.lane));
}

void EventLog::message(const Envelope& envelope) {
  text("msg", sim::name(envelope.message));
  raw(",\"from\":");
  raw(process(envelope.from()));
  raw(",\"to\":");
  raw(process(envelope.to()));
  text("lane", text_of(envelope.channel.lane));
  number("correlation", envelope.correlation);
  if (envelope.response) errors(envelope.message);
}

// What an answer says went wrong: of the whole request, or of each partition or topic.
void EventLog::errors(const Message& response) {
  bool is_first = true;
  for (const SaidError& said : errors_of(response)) {
    if (!said.tp && said.resource.empty()) {
      error(said.error);
      continue;
    }
    raw(is_first ? ",\"errors\":{" : ",");
    is_first = false;
    raw(said.tp ? quoted(*said.tp) : in_quotes(said.resource));
    raw(":\"");
    raw(sim::name(said.error));
    raw("\"");
  }
  if (!is_first) raw("}");
}

void EventLog::error(ErrorCode error) {
  text("error", sim::name(error));
}

void EventLog::flag(std::string_view key, bool value) {
  key_of(key);
  raw(value ? "true" : "false");
}

void EventLog::partitions(std::string_view key, const std::vector<TopicPartition>& tps) {
  key_of(key);
  raw("[");
  for (std::size_t i = 0; i < tps.size(); ++i) {
    if (i > 0) raw(",");
    raw(quoted(tps[i]));
  }
  raw("]");
}

void EventLog::process(std::string_view key, ProcessId id) {
  key_of(key);
  raw(process(id));
}

void EventLog::processes(std::string_view key, const std::vector<ProcessId>& ids) {
  key_of(key);
  raw("[");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) raw(",");
    raw(process(ids[i]));
  }
  raw("]");
}

void EventLog::fault(FaultId id) {
  text("fault", faults_[static_cast<std::size_t>(id.value())]);
}

void EventLog::topic(TopicId id) {
  text("topic", topics_[id]);
}

}  // namespace sim::trace
