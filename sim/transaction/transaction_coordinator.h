#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coordinator/runtime.h"
#include "server/context.h"
#include "server/timers.h"
#include "transaction/broker_channel.h"
#include "transaction/shard.h"

// The transaction coordinator of one broker, for the partitions of __transaction_state it leads
// (TransactionCoordinator, TransactionStateManager, TransactionMarkerChannelManager and
// TransactionMarkerRequestCompletionHandler in Kafka 4.1.2): which partition a transactional id belongs to,
// what can be refused without looking at it, requests that concern several ids, the markers that go to the
// leaders of a transaction's partitions, and what is done by time. Everything else is TransactionShard's.
//
// Markers: those for one leader travel together, one request at a time to each. A marker is sent until its
// leader says that it is written, or that it is of the past; where the leader has changed it goes to the next
// one, and of a partition that is gone none is needed.
//
// It needs two timers of its process beside that of its runtime, and connections of a lane of its own. It is
// a value.
//
// Left out: two-phase commit (KIP-939), the administrator's APIs. Markers whose leader is not alive wait for
// the next metadata (there for the next time that the sender's thread wakes).
namespace sim::transaction {

using server::Context;
using server::TaskPhases;

class TransactionCoordinator {
 public:
  using Runtime = coordinator::Runtime<TransactionShard>;
  using Write = Runtime::Write;

  TransactionCoordinator(ProcessId self, const BrokerConfig& config);

  // With the first metadata: from here on the tasks by time count.
  void start(LocalTime now, TaskPhases phases);

  // Elections, outcomes of writes and the runtime's timer are the runtime's affair. The broker takes its
  // writes after every call, and calls finish_step() at the end of each step.
  Runtime& runtime() {
    to_gather_ = true;
    return runtime_;
  }
  const Runtime& runtime() const { return runtime_; }
  bool runtime_leads(TopicPartition tp) const { return runtime_.leads(tp); }
  std::vector<Write> take_writes() { return runtime_.take_writes(); }

  // ---- Requests; answered now or later
  void on(const InitProducerIdRequest& request, const ReplyTo& to, const GenerateProducerId& generate,
          const Context& context);
  void on(const AddPartitionsToTxnRequest& request, const ReplyTo& to, const Context& context);
  // `offsets`: the partition of __consumer_offsets of the request's group.
  void on(const AddOffsetsToTxnRequest& request, TopicPartition offsets, const ReplyTo& to,
          const Context& context);
  void on(const EndTxnRequest& request, const ReplyTo& to, const GenerateProducerId& generate,
          const Context& context);

  // ---- Other inputs
  void timer_fired(node::TimerId timer, const GenerateProducerId& generate, const Context& context);
  void step_markers(node::Input& input, const Context& context);
  void metadata_changed(const Context& context);
  void finish_step(const Context& context);

  // For tests and inspection: null if there is none.
  const TransactionMetadata* find(const std::string& transactional_id) const;
  std::int32_t partition_of(const std::string& transactional_id) const;  // of __transaction_state

 private:
  struct WaitingAdd {  // an AddPartitionsToTxn or AddOffsetsToTxn request
    ReplyTo to;
    AddPartitionsToTxnRequest request;
    AddPartitionsToTxnResponse response;
    std::size_t left = 0;  // of its transactions
    bool is_of_offsets = false;
  };
  // For the partitions of one leader.
  struct MarkerEntry {
    std::string transactional_id;
    WriteTxnMarkersRequest::Marker marker;
  };

  ErrorCode check(const std::string& transactional_id) const;
  template <class Operation>
  void run(const std::string& transactional_id, const Context& context, Operation operation);
  void wait_for_adds(WaitingAdd waiting, const Context& context);
  void added(const AddOutcome& outcome, node::Effects& out);
  void gather(const Context& context);
  void enqueue(const MarkerEntry& entry, const Context& context);
  void send_queued(const Context& context);
  void completed(BrokerChannel::Completions& completions, const Context& context);
  void not_answered(const MarkerEntry& entry, const Context& context);
  void answered(const MarkerEntry& entry, const WriteTxnMarkersResponse::Marker& answer,
                const Context& context);
  void marker_done(const MarkerEntry& entry, TopicPartition tp, bool is_written, const Context& context);
  // Calls operation(shard, step) if this coordinator still is to send the entry's markers.
  template <class Operation>
  bool run_if_owner(const MarkerEntry& entry, const Context& context, Operation operation);

  Runtime runtime_;
  bool to_gather_ = false;  // a shard may have handed something out
  std::map<std::uint64_t, WaitingAdd> adds_;
  std::uint64_t next_add_ = 1;

  BrokerChannel markers_;
  std::map<ProcessId, std::vector<MarkerEntry>> queued_;  // by leader
  std::vector<MarkerEntry> without_leader_;
  std::map<BrokerChannel::Ticket, std::vector<MarkerEntry>> sent_;

  server::PeriodicTimer abort_timer_;
  server::PeriodicTimer expiry_timer_;
  bool is_started_ = false;
};

}  // namespace sim::transaction
