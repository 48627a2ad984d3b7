#include "trace/meaning.h"

#include "trace/fact_fields.h"

namespace sim::trace {
namespace {

std::vector<std::uint64_t> hashes_of(const std::vector<std::string>& names) {
  std::vector<std::uint64_t> hashes;
  for (const std::string& name : names) hashes.push_back(hash_string(name));
  return hashes;
}

// Whether it is told of every run, traced or not.
bool is_always_told(const observe::Fact& fact) {
  if (std::holds_alternative<observe::MessageSent>(fact) ||
      std::holds_alternative<observe::MessageDelivered>(fact))
    return false;
  if (std::holds_alternative<observe::ConnectionOpened>(fact) ||
      std::holds_alternative<observe::ConnectionClosed>(fact))
    return false;
  const auto* progress = std::get_if<observe::RequestProgress>(&fact);
  if (progress == nullptr) return true;
  return progress->request != nullptr && std::holds_alternative<ProduceRequest>(progress->request->message);
}

}  // namespace

Meaning::Meaning(const observe::Names& names)
    : processes_(hashes_of(names.processes)),
      flows_(hashes_of(names.flows)),
      services_(hashes_of(names.services)),
      faults_(hashes_of(names.faults)),
      fact_names_(std::variant_size_v<observe::AnyFact>),
      chains_(names.processes.size() + 1) {}

void Meaning::on(const observe::Observation& observation) {
  const observe::Fact& fact = observation.fact;
  if (const auto* created = std::get_if<observe::TopicCreated>(&fact)) {
    topics_.on(*created);
    for (std::int32_t partition = 0; partition < created->partitions; ++partition)
      partitions_[{created->id, partition}] = 0;  // perhaps told of under its id
  }
  if (!is_always_told(fact)) return;
  fact_ = Fingerprint();
  std::visit([this](const auto& one) { describe(one, *this); }, fact);
  std::uint64_t& name = fact_names_[fact.index()];
  if (name == 0) name = hash_string(observe::name(fact));
  const auto chain = static_cast<std::size_t>(observation.process.value() + 1);
  chains_[chain].add(static_cast<std::uint64_t>(nanos(observation.at)), name, fact_.value(), 0);
}

std::uint64_t Meaning::value() const {
  Fingerprint all;
  all.add(chains_.front().value());  // what nobody in particular told
  // Names are unique, so that a sum over them has no order.
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < processes_.size(); ++i) sum += mix64(processes_[i] ^ chains_[i + 1].value());
  all.add(sum);
  return all.value();
}

std::uint64_t Meaning::named(ProcessId id) const {
  const auto index = static_cast<std::size_t>(id.value());
  return id != kNoProcess && index < processes_.size() ? processes_[index] : 0;
}

std::uint64_t Meaning::named(TopicPartition tp) {
  std::uint64_t& hash = partitions_[tp];
  if (hash == 0) hash = hash_string(topics_[tp]);
  return hash;
}

void Meaning::nodes(Key key, const std::vector<NodeId>& ids) {
  number(key, static_cast<std::int64_t>(ids.size()));
  for (const NodeId id : ids) number(key, id.value());
}

void Meaning::partitions(Key key, const std::vector<TopicPartition>& tps) {
  number(key, static_cast<std::int64_t>(tps.size()));
  for (const TopicPartition tp : tps) add(key.hash, named(tp));
}

void Meaning::topic(TopicId id) {
  text("topic", topics_[id]);
}

void Meaning::processes(Key key, const std::vector<ProcessId>& ids) {
  number(key, static_cast<std::int64_t>(ids.size()));
  for (const ProcessId id : ids) process(key, id);
}

void Meaning::order(RecordId id) {
  if (id == kNoRecord) return;
  number("order", number_of(id));
  if (hop_of(id) != 0) number("hop", hop_of(id));
  add(Key("flow").hash, flows_[static_cast<std::size_t>(flow_of(id).value())]);
}

void Meaning::who(observe::ServiceId service, std::int32_t member) {
  add(Key("service").hash, services_[static_cast<std::size_t>(service.value())]);
  number("member", member);
}

// The first and the last of its records stand for what lies between them.
void Meaning::batch(const BatchData& data) {
  number("records", data.record_count());
  number("bytes", data.size_bytes);
  number("producer_id", data.producer_id.value());
  number("producer_epoch", data.producer_epoch.value());
  number("base_sequence", data.base_sequence);
  if (data.transactional) number("transactional", 1);
  if (const EndTransactionMarker* marker = data.end_transaction_marker())
    number("marker", marker->committed ? 1 : 0);
  const auto& records = data.application_records();
  if (records.empty()) return;
  order(records.front().id);
  order(records.back().id);
}

void Meaning::channel(const Channel& channel) {
  process("client", channel.client);
  process("server", channel.server);
  text("lane", text_of(channel.lane));
}

}  // namespace sim::trace
