#include "transaction/transaction_coordinator.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "server/coordinators.h"

namespace sim::transaction {

using server::PlantedDefect;
using server::send;

namespace {

constexpr node::TimerId kRuntimeTimer{node::Part::transaction_coordinator, 0};
constexpr node::TimerId kAbortTimer{node::Part::transaction_coordinator, 1};
constexpr node::TimerId kExpiryTimer{node::Part::transaction_coordinator, 2};

coordinator::RuntimeConfig runtime_settings(const BrokerConfig& config) {
  return {kRuntimeTimer, config.transaction_state_log_num_partitions, Duration{},
          config.log.max_message_bytes, from_millis(config.request_timeout_ms)};
}

// Of a partition, each client request's answer, all alike.
AddPartitionsToTxnResponse::Transaction outcome_of(const AddPartitionsToTxnRequest::Transaction& transaction,
                                                   ErrorCode error) {
  AddPartitionsToTxnResponse::Transaction result{transaction.transactional_id, {}};
  for (const TopicPartition tp : transaction.partitions) result.partitions.push_back({tp, error});
  return result;
}

}  // namespace

TransactionCoordinator::TransactionCoordinator(ProcessId self, const BrokerConfig& config)
    : runtime_(runtime_settings(config), config),
      markers_(self, Lane::transaction_markers, from_millis(config.request_timeout_ms), DuringBackoff::wait),
      abort_timer_(kAbortTimer,
                   from_millis(config.transaction_abort_timed_out_transaction_cleanup_interval_ms)),
      expiry_timer_(kExpiryTimer,
                    from_millis(config.transaction_remove_expired_transaction_cleanup_interval_ms)) {}

void TransactionCoordinator::start(LocalTime now, TaskPhases phases) {
  is_started_ = true;
  abort_timer_.start(now, phases);
  expiry_timer_.start(now, phases);
}

std::int32_t TransactionCoordinator::partition_of(const std::string& transactional_id) const {
  return server::coordinator_partition(transactional_id, runtime_.partitions());
}

const TransactionMetadata* TransactionCoordinator::find(const std::string& transactional_id) const {
  const TransactionShard* shard = runtime_.find_shard(partition_of(transactional_id));
  return shard == nullptr ? nullptr : shard->find(transactional_id);
}

ErrorCode TransactionCoordinator::check(const std::string& transactional_id) const {
  return runtime_.check(partition_of(transactional_id));
}

template <class Operation>
void TransactionCoordinator::run(const std::string& transactional_id, const Context& context,
                                 Operation operation) {
  runtime().run(partition_of(transactional_id), context.env, context.out, operation);
}

// ---- Requests

void TransactionCoordinator::on(const InitProducerIdRequest& request, const ReplyTo& to,
                                const GenerateProducerId& generate, const Context& context) {
  InitProducerIdResponse refused;
  const bool is_timeout_allowed = request.transaction_timeout_ms > 0 &&
                                  request.transaction_timeout_ms <= context.config.transaction_max_timeout_ms;
  refused.error =
      is_timeout_allowed ? check(request.transactional_id) : ErrorCode::invalid_transaction_timeout;
  if (refused.error != ErrorCode::none) return send(to, refused, context.out);
  run(request.transactional_id, context, [&](TransactionShard& shard, const TransactionShard::Step& step) {
    shard.init_producer_id(request, to, generate, step);
  });
}

void TransactionCoordinator::on(const EndTxnRequest& request, const ReplyTo& to,
                                const GenerateProducerId& generate, const Context& context) {
  EndTxnResponse refused;
  refused.error =
      request.transactional_id.empty() ? ErrorCode::invalid_request : check(request.transactional_id);
  if (refused.error != ErrorCode::none) return send(to, refused, context.out);
  run(request.transactional_id, context, [&](TransactionShard& shard, const TransactionShard::Step& step) {
    shard.end_transaction(request, to, generate, step);
  });
}

void TransactionCoordinator::on(const AddPartitionsToTxnRequest& request, const ReplyTo& to,
                                const Context& context) {
  WaitingAdd waiting;
  waiting.to = to;
  waiting.request = request;
  wait_for_adds(std::move(waiting), context);
}

void TransactionCoordinator::on(const AddOffsetsToTxnRequest& request, TopicPartition offsets,
                                const ReplyTo& to, const Context& context) {
  WaitingAdd waiting;
  waiting.to = to;
  waiting.request.transactions.push_back(
      {request.transactional_id, request.producer_id, request.producer_epoch, false, {offsets}});
  waiting.is_of_offsets = true;
  wait_for_adds(std::move(waiting), context);
}

// KafkaApis.handleAddPartitionsToTxnRequest: all of its transactions are answered together. A partition that
// does not exist fails its transaction.
void TransactionCoordinator::wait_for_adds(WaitingAdd waiting, const Context& context) {
  const std::uint64_t number = next_add_++;
  const AddPartitionsToTxnRequest request = waiting.request;
  const bool checks_existence = !waiting.is_of_offsets;
  waiting.left = request.transactions.size();
  waiting.response.transactions.resize(request.transactions.size());
  adds_.emplace(number, std::move(waiting));
  for (std::size_t i = 0; i < request.transactions.size(); ++i) {
    const AddPartitionsToTxnRequest::Transaction& one = request.transactions[i];
    const AddAnswer answer{number, i};
    const auto exists = [&](TopicPartition tp) { return context.image.partition(tp) != nullptr; };
    if (checks_existence && !std::all_of(one.partitions.begin(), one.partitions.end(), exists)) {
      WaitingAdd& here = adds_.at(number);
      AddPartitionsToTxnResponse::Transaction& result = here.response.transactions[i];
      result.transactional_id = one.transactional_id;
      for (const TopicPartition tp : one.partitions) {
        result.partitions.push_back(
            {tp, exists(tp) ? ErrorCode::operation_not_attempted : ErrorCode::unknown_topic_or_partition});
      }
      added({answer, ErrorCode::operation_not_attempted}, context.out);
      continue;
    }
    const ErrorCode error =
        one.transactional_id.empty() ? ErrorCode::invalid_request : check(one.transactional_id);
    if (error != ErrorCode::none) {
      added({answer, error}, context.out);
      continue;
    }
    const TransactionShard::Transaction what{
        one.transactional_id, {one.producer_id, one.producer_epoch}, one.partitions};
    run(one.transactional_id, context, [&](TransactionShard& shard, const TransactionShard::Step& step) {
      if (one.verify_only) {
        adds_.at(number).response.transactions[i] = {one.transactional_id, shard.verify(what, step)};
        added({answer, ErrorCode::none}, context.out);
      } else {
        const TransactionVersion version = request.from_broker ? kTransactionVersion2 : kTransactionVersion0;
        shard.add_partitions(what, version, answer, step);
      }
    });
  }
}

void TransactionCoordinator::added(const AddOutcome& outcome, node::Effects& out) {
  const auto it = adds_.find(outcome.answer.request);
  if (it == adds_.end()) return;
  WaitingAdd& waiting = it->second;
  AddPartitionsToTxnResponse::Transaction& result = waiting.response.transactions[outcome.answer.index];
  if (result.partitions.empty())
    result = outcome_of(waiting.request.transactions[outcome.answer.index], outcome.error);
  if (--waiting.left > 0) return;
  if (waiting.is_of_offsets) {
    send(waiting.to, AddOffsetsToTxnResponse{result.partitions.front().error}, out);
  } else {
    send(waiting.to, std::move(waiting.response), out);
  }
  adds_.erase(it);
}

// ---- By time

void TransactionCoordinator::timer_fired(node::TimerId timer, const GenerateProducerId& generate,
                                         const Context& context) {
  to_gather_ = true;
  if (timer == kRuntimeTimer) return runtime_.timer_fired(context.env, context.out);
  const bool is_abort = timer == kAbortTimer;
  (is_abort ? abort_timer_ : expiry_timer_).fired();
  runtime_.run_all(context.env, context.out,
                   [&](TransactionShard& shard, const TransactionShard::Step& step) {
                     if (is_abort) {
                       shard.abort_timed_out(generate, step);
                     } else {
                       shard.remove_expired(step);
                     }
                   });
}

// What the shards have to tell or to send since the last time. While there is any transactional id, the tasks
// by time are on.
void TransactionCoordinator::gather(const Context& context) {
  bool any = false;
  std::vector<AddOutcome> outcomes;
  std::vector<MarkersToSend> markers;
  runtime_.for_each_shard([&](std::int32_t, TransactionShard& shard) {
    any = any || !shard.empty();
    for (AddOutcome& one : shard.take_added()) outcomes.push_back(one);
    for (MarkersToSend& one : shard.take_markers()) markers.push_back(std::move(one));
  });
  for (const AddOutcome& one : outcomes) added(one, context.out);
  for (MarkersToSend& one : markers) {
    MarkerEntry entry;
    entry.transactional_id = std::move(one.transactional_id);
    const TransactionVersion version =
        context.config.history.transaction_marker_version ? one.client_version : kTransactionVersion0;
    entry.marker = {one.producer_id,       one.producer_epoch,        one.committed,
                    one.coordinator_epoch, std::move(one.partitions), version};
    enqueue(entry, context);
  }
  if (any && is_started_) {
    abort_timer_.arm(context.now(), context.out);
    expiry_timer_.arm(context.now(), context.out);
  }
}

void TransactionCoordinator::finish_step(const Context& context) {
  while (std::exchange(to_gather_, false)) gather(context);
  if (!queued_.empty()) send_queued(context);
}

// ---- Markers

template <class Operation>
bool TransactionCoordinator::run_if_owner(const MarkerEntry& entry, const Context& context,
                                          Operation operation) {
  bool is_owner = false;
  if (check(entry.transactional_id) != ErrorCode::none) return false;
  run(entry.transactional_id, context, [&](TransactionShard& shard, const TransactionShard::Step& step) {
    is_owner = shard.may_send_markers(entry.transactional_id, entry.marker.coordinator_epoch, step);
    if (is_owner) operation(shard, step);
  });
  return is_owner;
}

// addTxnMarkersToBrokerQueue
void TransactionCoordinator::enqueue(const MarkerEntry& entry, const Context& context) {
  std::map<ProcessId, std::vector<TopicPartition>> by_leader;
  for (const TopicPartition tp : entry.marker.partitions) {
    const metadata::PartitionRegistration* partition = context.image.partition(tp);
    if (partition == nullptr) {
      marker_done(entry, tp, false, context);  // it is gone, and its log with it
      continue;
    }
    const metadata::BrokerRegistration* broker = context.image.broker(partition->leader);
    by_leader[broker == nullptr ? kNoProcess : broker->endpoint].push_back(tp);
  }
  for (auto& [leader, partitions] : by_leader) {
    MarkerEntry part = entry;
    part.marker.partitions = std::move(partitions);
    (leader == kNoProcess ? without_leader_ : queued_[leader]).push_back(std::move(part));
  }
}

void TransactionCoordinator::metadata_changed(const Context& context) {
  for (const MarkerEntry& entry : std::exchange(without_leader_, {})) enqueue(entry, context);
}

void TransactionCoordinator::send_queued(const Context& context) {
  for (auto& [leader, entries] : std::exchange(queued_, {})) {
    WriteTxnMarkersRequest request;
    for (const MarkerEntry& entry : entries) request.markers.push_back(entry.marker);
    BrokerChannel::Completions failed;
    const BrokerChannel::Ticket ticket =
        markers_.send(leader, std::move(request), context.env, context.out, failed);
    sent_.emplace(ticket, std::move(entries));
  }
}

void TransactionCoordinator::step_markers(node::Input& input, const Context& context) {
  BrokerChannel::Completions completions;
  markers_.step(input, context.env, context.out, completions);
  completed(completions, context);
}

// TransactionMarkerRequestCompletionHandler.onComplete
void TransactionCoordinator::completed(BrokerChannel::Completions& completions, const Context& context) {
  for (BrokerChannel::Completion& completion : completions) {
    const auto it = sent_.find(completion.ticket);
    SIM_CHECK(it != sent_.end(), "what is completed was sent");
    const std::vector<MarkerEntry> entries = std::move(it->second);
    sent_.erase(it);
    const auto* response =
        completion.response ? std::get_if<WriteTxnMarkersResponse>(&*completion.response) : nullptr;
    for (const MarkerEntry& entry : entries) {
      if (response == nullptr) {
        not_answered(entry, context);
        continue;
      }
      // A producer may have several in one request: what had to be sent again, and the rest.
      WriteTxnMarkersResponse::Marker answer{entry.marker.producer_id, {}};
      for (const WriteTxnMarkersResponse::Marker& one : response->markers) {
        if (one.producer_id != entry.marker.producer_id) continue;
        answer.partitions.insert(answer.partitions.end(), one.partitions.begin(), one.partitions.end());
      }
      answered(entry, answer, context);
    }
  }
}

void TransactionCoordinator::marker_done(const MarkerEntry& entry, TopicPartition tp, bool is_written,
                                         const Context& context) {
  run_if_owner(entry, context, [&](TransactionShard& shard, const TransactionShard::Step& step) {
    shard.marker_done(entry.transactional_id, tp);
    if (is_written) {
      node::report(step.out,
                   observe::TransactionMarkerWritten{entry.transactional_id, entry.marker.producer_id, tp,
                                                     entry.marker.committed});
    }
    shard.maybe_complete(entry.transactional_id, step);
  });
}

void TransactionCoordinator::not_answered(const MarkerEntry& entry, const Context& context) {
  const bool loses_it = context.config.defect == PlantedDefect::transaction_marker_lost;
  const bool is_owner =
      run_if_owner(entry, context, [&](TransactionShard&, const TransactionShard::Step&) {});
  if (!is_owner) return;
  if (loses_it) {
    for (const TopicPartition tp : entry.marker.partitions) marker_done(entry, tp, true, context);
  } else {
    enqueue(entry, context);
  }
}

void TransactionCoordinator::answered(const MarkerEntry& entry, const WriteTxnMarkersResponse::Marker& answer,
                                      const Context& context) {
  const bool loses_it = context.config.defect == PlantedDefect::transaction_marker_lost;
  MarkerEntry again = entry;
  again.marker.partitions.clear();
  bool is_of_the_past = false;
  std::vector<TopicPartition> written;
  for (const WriteTxnMarkersResponse::Partition& partition : answer.partitions) {
    if (!std::count(entry.marker.partitions.begin(), entry.marker.partitions.end(), partition.tp)) continue;
    const bool is_refused = partition.error == ErrorCode::invalid_producer_epoch ||
                            partition.error == ErrorCode::transaction_coordinator_fenced;
    if (partition.error == ErrorCode::none || (loses_it && !is_refused)) {
      written.push_back(partition.tp);
    } else if (is_refused) {  // another one has gone on with the producer, or with the coordination
      is_of_the_past = true;
    } else {
      again.marker.partitions.push_back(partition.tp);
    }
  }
  const auto settle = [&](TransactionShard& shard, const TransactionShard::Step& step) {
    for (const TopicPartition tp : written) {
      shard.marker_done(entry.transactional_id, tp);
      node::report(step.out,
                   observe::TransactionMarkerWritten{entry.transactional_id, entry.marker.producer_id, tp,
                                                     entry.marker.committed});
    }
    if (is_of_the_past) {
      shard.give_up_markers(entry.transactional_id);
    } else if (again.marker.partitions.empty()) {
      shard.maybe_complete(entry.transactional_id, step);
    }
  };
  const bool is_owner = run_if_owner(entry, context, settle);
  if (is_owner && !is_of_the_past && !again.marker.partitions.empty()) enqueue(again, context);
}

}  // namespace sim::transaction
