#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "observe/names.h"
#include "observe/observation.h"
#include "observe/partition_map.h"

// A fingerprint of what a run means: of every fact's time, process, name and fields, under the names that
// people know.
//
// The kernel's fingerprint folds how a run was played: each event with its kind and number. This one does not
// depend on event kinds, slots, tickets, the order of alternatives in a variant or the number of events, so
// it stays what it was when the host is rebuilt, and changes when something happens otherwise, elsewhere or
// at another instant. Each process has a chain of its own: what two processes do at one instant has no order.
//
// Facts that are told only when somebody wants messages (MessageSent, MessageDelivered, ConnectionOpened and
// -Closed, the progress of requests other than produce) are left out: a traced run means what an untraced one
// does. A value, like all that is kept of a run.
namespace sim::trace {

class Meaning {
 public:
  explicit Meaning(const observe::Names& names);

  void on(const observe::Observation& observation);

  std::uint64_t value() const;

  // What describe() of fact_fields.h hands over.
  struct Key {
    std::uint64_t hash;
    consteval Key(const char* text) : hash(hash_string(text)) {}  // NOLINT: a literal is a key
  };
  void number(Key key, std::int64_t value) { add(key.hash, static_cast<std::uint64_t>(value)); }
  void text(Key key, std::string_view value) { add(key.hash, hash_string(value)); }
  void flag(Key key, bool value) { number(key, value ? 1 : 0); }
  void nodes(Key key, const std::vector<NodeId>& ids);
  void error(ErrorCode error) { number("error", static_cast<std::int64_t>(error)); }
  void partition(TopicPartition tp) { add(Key("tp").hash, named(tp)); }
  void partitions(Key key, const std::vector<TopicPartition>& tps);
  void topic(TopicId id);
  void process(Key key, ProcessId id) { add(key.hash, named(id)); }
  void processes(Key key, const std::vector<ProcessId>& ids);
  void fault(FaultId id) { add(Key("fault").hash, faults_[static_cast<std::size_t>(id.value())]); }
  void order(RecordId id);
  void who(observe::ServiceId service, std::int32_t member);
  void batch(const BatchData& data);
  void channel(const Channel& channel);
  void message(const Envelope&) {}  // never of a fact that counts

 private:
  void add(std::uint64_t key, std::uint64_t value) { fact_.add(key ^ value * 0x9E3779B97F4A7C15ull); }
  std::uint64_t named(ProcessId id) const;
  std::uint64_t named(TopicPartition tp);

  std::vector<std::uint64_t> processes_;  // hashes of names, by ProcessId
  std::vector<std::uint64_t> flows_;
  std::vector<std::uint64_t> services_;
  std::vector<std::uint64_t> faults_;
  std::vector<std::uint64_t> fact_names_;  // by Fact::index(); 0 = not yet asked for
  std::vector<Fingerprint> chains_;        // by ProcessId + 1
  observe::TopicNames topics_;
  observe::PartitionMap<std::uint64_t> partitions_;  // hashes of names; 0 = not yet asked for
  Fingerprint fact_;                                 // of the fact being folded
};

}  // namespace sim::trace
