#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "client/config.h"
#include "client/sender.h"
#include "node/node.h"

// KafkaProducer: send() puts a record into the accumulator, and a sender gets it to its partition's leader.
//
// send() may block: until the topic's metadata is known, and until buffer.memory has room, together for up to
// max.block.ms. One application thread is modelled: while a send is blocked there is no other one, and what
// Kafka keeps as a queue of waiting threads is that one record. Its end comes as SendReturned.
//
// Owned by a process. Call `poll` at the end of every step that fed an input or sent a record: records sent
// in one step travel as if they had been sent before the sender thread looked. It is a value.
//
// With a transactional.id: initTransactions(), then beginTransaction(), sends, sendOffsetsToTransaction() and
// commitTransaction() or abortTransaction(), again and again. These calls block as well, for up to
// max.block.ms; their end comes as TransactionReturned. An error with the state abortable_error afterwards is
// one after which the application may abort and go on; with fatal_error it can only close.
//
// Other than Kafka: a send in an error state fails before its record is appended, not after.
//
// Left out: interceptors, flush() (see outstanding()).
namespace sim::client {

struct ProducerRecord {
  RecordId id = kNoRecord;
  std::optional<std::string_view> key{};
  std::int32_t value_bytes = 0;
  std::int64_t key_number = -1;  // which key it is, to who compacts the log
};

// Where a producer stands in a process that has another client beside it: its lane, and the first of its two
// timers.
struct ProducerPlace {
  Lane lane = Lane::data;
  std::uint16_t first_timer = 0;
};

class Producer {
 public:
  using TopicNumber = RecordAccumulator::TopicNumber;

  struct SendReturned {  // of the send that was blocked
    RecordId record;
    ErrorCode error = ErrorCode::none;  // none: accepted
  };
  using BatchCompleted = Sender::Completed;
  struct TransactionReturned {  // of a transactional call; request_timed_out: max.block.ms has passed
    TransactionCall call = TransactionCall::none;
    ErrorCode error = ErrorCode::none;
  };
  using Event = std::variant<SendReturned, BatchCompleted, TransactionReturned>;
  using Events = std::vector<Event>;

  enum class SendResult : std::uint8_t { accepted, blocked_on_metadata, blocked_on_memory, failed };

  Producer(ProcessId self, std::vector<ProcessId> bootstrap, const ProducerConfig& config,
           ProducerPlace place = {});

  // A topic to send to; not asked for before the first send.
  TopicNumber add_topic(std::string_view name);
  // REQUIRES: !blocked()
  SendResult send(TopicNumber topic, const ProducerRecord& record, node::Env env, node::Effects& out);
  bool blocked() const { return blocked_.has_value(); }
  // ---- Transactions. REQUIRES of all: config.transactional_id is not empty, no other call is under way
  // (after one that timed out the same may be made again)

  void init_transactions(node::Env env, Events& events);
  // What it throws.
  ErrorCode begin_transaction(node::Effects& out);
  void send_offsets_to_transaction(TransactionManager::Offsets offsets, GroupMetadata group, node::Env env,
                                   node::Effects& out, Events& events);
  void commit_transaction(node::Env env, node::Effects& out, Events& events);
  void abort_transaction(node::Env env, node::Effects& out, Events& events);
  ProducerTransactionState transaction_state() const { return sender_.transactions().state(); }
  ErrorCode transaction_error() const { return sender_.transactions().last_error(); }
  ProducerIdAndEpoch producer_id() const { return sender_.sequence_state().producer(); }

  // close(): what was sent is brought to its end, at once and without a time limit of its own. REQUIRES: no
  // send follows
  void close();
  bool closed() const { return closing_ && !blocked_ && sender_.is_idle(); }
  // Records sent whose fate is not known: flush() waits until there are none.
  std::int64_t outstanding() const { return outstanding_; }

  // Inputs for Part::client.
  void step(node::Input& input, node::Env env, node::Effects& out, Events& events);
  void poll(node::Env env, node::Effects& out, Events& events);

  const MetadataClient& metadata() const { return sender_.metadata(); }
  std::int64_t available_memory() const { return sender_.accumulator().available_memory(); }

 private:
  struct Blocked {  // a send on its way
    TopicNumber topic;
    Record record;
    std::int64_t key_hash;  // -1: it goes by no key
    LocalTime deadline;
    bool on_metadata = true;
    std::uint64_t metadata_version = 0;  // the last one that did not know the topic
  };

  const MetadataClient::Topic& topic(TopicNumber number) const;
  std::optional<ErrorCode> refusal(const Record& record) const;
  void request_metadata(Blocked& send);
  SendResult append(const Blocked& send, node::Env env, node::Effects& out);
  // Goes on with the blocked send. True: something changed by it.
  bool resume(node::Env env, node::Effects& out, Events& events);
  bool resume_on_metadata(node::Env env, node::Effects& out, Events& events);
  bool resume_on_memory(node::Env env, node::Effects& out, Events& events);
  void go_on(node::Env env, node::Effects& out, Events& events);
  void returns(ErrorCode error, node::Effects& out, Events& events);
  void take_completed(Events& events);
  void call(TransactionCall which, ErrorCode refused, node::Env env, Events& events);
  void take_transaction_result(node::Env env, Events& events);
  void report_transaction(node::Effects& out);
  void failed_to_send(ErrorCode error);
  void arm(node::Effects& out);

  Duration max_block_;
  std::int32_t max_request_bytes_;
  std::int64_t buffer_bytes_;
  bool ignore_keys_;
  KeyHash key_hash_;
  bool hashes_missing_keys_;
  Sender sender_;
  std::optional<Blocked> blocked_;
  std::vector<Sender::Completed> completed_;
  bool closing_ = false;
  LocalTime run_at_ = LocalTime::min();  // when the sender is to run
  LocalTime armed_for_ = LocalTime::max();
  ProducerPlace place_;
  std::int64_t outstanding_ = 0;
  std::optional<LocalTime> call_deadline_;  // of the transactional call under way
  ProducerTransactionState reported_ = ProducerTransactionState::uninitialized;
};

}  // namespace sim::client
