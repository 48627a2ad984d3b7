#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "protocol/messages.h"
#include "server/context.h"
#include "transaction/broker_channel.h"

// A leader's questions to the coordinators of producers before it takes the first batch of a transaction
// (AddPartitionsToTxnManager in Kafka 4.1.2; KIP-890): is the partition in the transaction, or, as of
// transaction.version 2, add it.
//
// One request to a coordinator is in flight; what is asked meanwhile gathers in the next one, one transaction
// for each transactional id.
namespace sim::transaction {

using server::Context;

class AddPartitionsToTxnManager {
 public:
  using Question = std::uint64_t;  // chosen by whoever asks
  struct Asked {
    Question question = 0;
    std::string transactional_id;
    ProducerId producer_id;
    ProducerEpoch producer_epoch;
    std::vector<TopicPartition> partitions;
    TransactionSupport support = TransactionSupport::add_partition;
  };
  struct PartitionError {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
  };
  struct Answer {
    Question question = 0;
    std::vector<PartitionError> errors;  // of those that may not be appended to
  };
  using Answers = std::vector<Answer>;

  AddPartitionsToTxnManager(ProcessId self, Duration request_timeout);

  // What is answered at once is added to `answers`.
  void add_or_verify(Asked asked, const Context& context, Answers& answers);
  // What comes back on its lane, and its timer.
  void step(node::Input& input, const Context& context, Answers& answers);

 private:
  void send(ProcessId coordinator, const Context& context, Answers& answers);
  void completed(BrokerChannel::Completions& completions, const Context& context, Answers& answers);
  static void answer_all(const Asked& asked, ErrorCode error, Answers& answers);
  static void answer(const Asked& asked, const AddPartitionsToTxnResponse& response, Answers& answers);

  BrokerChannel channel_;
  std::map<ProcessId, std::vector<Asked>> gathered_;  // by coordinator, not yet sent
  struct InFlight {
    ProcessId coordinator;
    std::vector<Asked> asked;
  };
  std::map<BrokerChannel::Ticket, InFlight> in_flight_;
};

}  // namespace sim::transaction
