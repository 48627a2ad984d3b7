#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "observe/names.h"
#include "observe/observation.h"
#include "observe/partition_map.h"

// events.jsonl: what happened, a JSON object a line (here broken in two).
//
//   {"t":32000000000,"seq":918,"node":"broker-2","ev":"HighWatermarkAdvanced","cause":911,
//    "tp":"orders-0","from":7,"to":8,...}
//
// `t` is simulated nanoseconds, `seq` the number of the event being handled, `cause` that of the event whose
// handling scheduled it. Written straight into a buffer: no allocation, no locale, several million lines a
// second.
namespace sim::trace {

enum class Level : std::uint8_t {
  off,
  control,  // what happens to brokers, partitions and groups, and every error; nothing per record, batch or
            // message
  full,     // every fact
};
constexpr const char* name(Level level) {
  switch (level) {
    case Level::off: return "off";
    case Level::control: return "control";
    case Level::full: return "full";
  }
  return "";
}

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(std::string_view bytes) = 0;
};

class EventLog final : public observe::Observer {
 public:
  // REQUIRES: level != off; `sink` outlives this
  EventLog(Sink& sink, Level level, const observe::Names& names);

  void on(const observe::Observation& observation) override;
  bool wants_messages() const override { return level_ == Level::full; }
  // Hands the sink what is still buffered.
  void flush();

  // One field each, with its leading comma: what describe() of fact_fields.h hands over.
  void number(std::string_view key, std::int64_t value);
  void text(std::string_view key, std::string_view value);  // escaped
  void flag(std::string_view key, bool value);
  void nodes(std::string_view key, const std::vector<NodeId>& ids);
  void error(ErrorCode error);
  void partition(TopicPartition tp);
  void partitions(std::string_view key, const std::vector<TopicPartition>& tps);
  void topic(TopicId id);
  void process(std::string_view key, ProcessId id);
  void processes(std::string_view key, const std::vector<ProcessId>& ids);
  void fault(FaultId id);
  void order(RecordId id);
  void who(observe::ServiceId service, std::int32_t member);
  void batch(const BatchData& data);
  void channel(const Channel& channel);
  void message(const Envelope& envelope);

 private:
  static constexpr std::size_t kFlushAt = 192 * 1024;

  // Bytes go straight to their place in a buffer that grows seldom: lines are many, and each has dozens of
  // pieces.
  void raw(std::string_view text) {
    make_room(text.size());
    text.copy(buffer_.data() + used_, text.size());
    used_ += text.size();
  }
  void make_room(std::size_t bytes) {
    if (buffer_.size() - used_ < bytes) [[unlikely]]
      buffer_.resize(2 * buffer_.size() + bytes);
  }
  void key_of(std::string_view key);  // ,"key":
  void digits(std::int64_t value);
  void escaped(std::string_view text);
  void errors(const Message& response);
  std::string_view process(ProcessId id) const;
  const std::string& quoted(TopicPartition tp);
  void name_topic(const observe::TopicCreated& created);

  Sink& sink_;
  Level level_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;                // of it
  std::vector<std::string> processes_;  // in quotes
  std::vector<std::string> flows_;
  std::vector<std::string> faults_;
  std::vector<std::string> services_;
  observe::TopicNames topics_;
  observe::PartitionMap<std::string> partitions_;  // in quotes; empty = not yet asked for
};

}  // namespace sim::trace
