#include "transaction/add_partitions.h"

#include <algorithm>
#include <utility>

#include "server/coordinators.h"

namespace sim::transaction {

namespace {

// Who coordinates the transactional id, if it is alive.
ProcessId coordinator_of_transaction(const std::string& transactional_id, const Context& context) {
  const server::CoordinatorKind& kind = server::coordinator_of(CoordinatorType::transaction);
  const metadata::TopicImage* topic = context.image.topic(kind.topic);
  if (topic == nullptr) return kNoProcess;
  const std::int32_t index = server::coordinator_partition(transactional_id, context.config.*kind.partitions);
  if (!std::cmp_less(index, topic->partitions.size())) return kNoProcess;
  const metadata::BrokerRegistration* broker =
      context.image.broker(topic->partitions[static_cast<std::size_t>(index)].leader);
  return broker == nullptr || broker->fenced ? kNoProcess : broker->endpoint;
}

// What the producer is to hear, which may be older than the error.
ErrorCode told_to_producer(ErrorCode error, TransactionSupport support) {
  if (error == ErrorCode::producer_fenced) return ErrorCode::invalid_producer_epoch;
  if (error == ErrorCode::transaction_abortable && support == TransactionSupport::default_error)
    return ErrorCode::invalid_txn_state;
  return error;
}

}  // namespace

AddPartitionsToTxnManager::AddPartitionsToTxnManager(ProcessId self, Duration request_timeout)
    : channel_(self, Lane::add_partitions_to_txn, request_timeout, DuringBackoff::fail) {}

void AddPartitionsToTxnManager::answer_all(const Asked& asked, ErrorCode error, Answers& answers) {
  Answer& answer = answers.emplace_back();
  answer.question = asked.question;
  for (const TopicPartition tp : asked.partitions) answer.errors.push_back({tp, error});
}

void AddPartitionsToTxnManager::add_or_verify(Asked asked, const Context& context, Answers& answers) {
  const ProcessId coordinator = coordinator_of_transaction(asked.transactional_id, context);
  if (coordinator == kNoProcess) return answer_all(asked, ErrorCode::coordinator_not_available, answers);
  // Of what has gathered, one question of each transactional id counts: the one of the newest epoch, and of
  // equal ones the last, as its producer is likely to have asked again.
  std::vector<Asked>& gathered = gathered_[coordinator];
  const auto same = std::find_if(gathered.begin(), gathered.end(), [&](const Asked& one) {
    return one.transactional_id == asked.transactional_id;
  });
  if (same != gathered.end()) {
    if (same->producer_epoch > asked.producer_epoch)
      return answer_all(asked, ErrorCode::invalid_producer_epoch, answers);
    const bool is_older = same->producer_epoch < asked.producer_epoch;
    answer_all(*same, is_older ? ErrorCode::invalid_producer_epoch : ErrorCode::network_exception, answers);
    gathered.erase(same);
  }
  gathered.push_back(std::move(asked));
  send(coordinator, context, answers);
}

void AddPartitionsToTxnManager::send(ProcessId coordinator, const Context& context, Answers& answers) {
  const auto gathered = gathered_.find(coordinator);
  const bool is_busy = std::any_of(in_flight_.begin(), in_flight_.end(), [coordinator](const auto& one) {
    return one.second.coordinator == coordinator;
  });
  if (gathered == gathered_.end() || is_busy) return;
  InFlight sent{coordinator, std::move(gathered->second)};
  gathered_.erase(gathered);
  AddPartitionsToTxnRequest request;
  request.from_broker = true;
  for (const Asked& one : sent.asked) {
    const bool verify_only = one.support != TransactionSupport::add_partition;
    request.transactions.push_back(
        {one.transactional_id, one.producer_id, one.producer_epoch, verify_only, one.partitions});
  }
  BrokerChannel::Completions failed;
  const BrokerChannel::Ticket ticket =
      channel_.send(coordinator, std::move(request), context.env, context.out, failed);
  in_flight_.emplace(ticket, std::move(sent));
  completed(failed, context, answers);
}

void AddPartitionsToTxnManager::step(node::Input& input, const Context& context, Answers& answers) {
  BrokerChannel::Completions completions;
  channel_.step(input, context.env, context.out, completions);
  completed(completions, context, answers);
}

void AddPartitionsToTxnManager::completed(BrokerChannel::Completions& completions, const Context& context,
                                          Answers& answers) {
  for (BrokerChannel::Completion& completion : completions) {
    const auto it = in_flight_.find(completion.ticket);
    if (it == in_flight_.end()) continue;
    const InFlight sent = std::move(it->second);
    in_flight_.erase(it);
    const auto* response =
        completion.response ? std::get_if<AddPartitionsToTxnResponse>(&*completion.response) : nullptr;
    for (const Asked& one : sent.asked) {
      if (response == nullptr) {
        answer_all(one, ErrorCode::network_exception, answers);
      } else if (response->error != ErrorCode::none) {
        answer_all(one, response->error, answers);
      } else {
        answer(one, *response, answers);
      }
    }
    send(sent.coordinator, context, answers);
  }
}

void AddPartitionsToTxnManager::answer(const Asked& asked, const AddPartitionsToTxnResponse& response,
                                       Answers& answers) {
  Answer& result = answers.emplace_back();
  result.question = asked.question;
  for (const AddPartitionsToTxnResponse::Transaction& transaction : response.transactions) {
    if (transaction.transactional_id != asked.transactional_id) continue;
    for (const AddPartitionsToTxnResponse::Partition& partition : transaction.partitions) {
      if (partition.error == ErrorCode::none) continue;
      result.errors.push_back({partition.tp, told_to_producer(partition.error, asked.support)});
    }
  }
}

}  // namespace sim::transaction
